"""Writes docs/commands.md from the commands' own help: `python -m tests.docs.reference`."""

from collections.abc import Iterator
from pathlib import Path

import click

from dssync.cli.app import app
from dssync.cli.exits import MEANINGS

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

HEAD = """\
# Commands

Every command's help, as `dssync COMMAND --help` prints it. Data goes to standard output, everything
for people to standard error; `--json` prints one document instead.

## Exit codes

| code | meaning |
|---|---|
"""


def reference() -> str:
    """The whole page."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items())
    sections = (f"\n## {path}\n\n```text\n{text}\n```\n" for path, text in helps(app, "dssync"))
    return HEAD + codes + "".join(sections)


def helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    """Each command's path and help, depth first."""
    context = click.Context(command, info_name=path, max_content_width=80, terminal_width=80)
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from helps(found, f"{path} {name}")


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
