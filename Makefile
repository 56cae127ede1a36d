# Every target sets up what it needs in .venv; nothing else has to be installed first.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: help demo test soak bench docs clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(INSTALLED): setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "dssync needs Python 3.11 or newer, with venv" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(INSTALLED) ## Show the whole loop in a minute, against an embedded server
	@$(BIN)/dssync demo

test: $(INSTALLED) ## Check format, lint, types and import walls, and run every test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -n 2 -m "not soak"

soak: $(INSTALLED) ## Run the long form of the repeated tests (an hour)
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -n 2 -m soak

SIZE ?= full

bench: $(INSTALLED) ## Measure a pull beside the floor and a plain script, and reading (SIZE=small|full)
	$(BIN)/python -m benchmarks.table $(SIZE)
	$(BIN)/python -m benchmarks.reading $(SIZE)

docs: $(INSTALLED) ## Write docs/commands.md from the commands' own help
	$(BIN)/python -m tests.docs.reference

clean: ## Remove what the other targets made
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
