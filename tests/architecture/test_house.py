from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.house import (
    LONGEST_FILE,
    LONGEST_FUNCTION,
    long_files,
    long_functions,
    prints,
)

ROOT = Path(__file__).parents[2]
CODE = ["dssync", "migrations", "benchmarks"]


@pytest.mark.parametrize("folder", [*CODE, "tests"])
def test_no_file_is_too_long(folder: str) -> None:
    assert long_files(ROOT / folder) == []


@pytest.mark.parametrize("folder", CODE)
def test_no_function_is_too_long(folder: str) -> None:
    assert long_functions(ROOT / folder) == []


def test_only_the_renderer_prints() -> None:
    renderer = str(ROOT / "dssync" / "cli" / "render")
    assert [place for place in prints(ROOT / "dssync") if not place.startswith(renderer)] == []


def _function(lines: int) -> str:
    return "def f():\n" + "    a = 1\n" * (lines - 1)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (long_files, "a = 1\n" * LONGEST_FILE, "a = 1\n" * (LONGEST_FILE + 1)),
        (long_functions, _function(LONGEST_FUNCTION), _function(LONGEST_FUNCTION + 1)),
        (long_functions, "a = 1\n" * 60, "async " + _function(60)),
        (prints, "printed(1)", "print(1)"),
        (prints, "click.prompt('name')", "click.echo(1)"),
    ],
)
def test_a_rule_finds_its_offender(
    tmp_path: Path, rule: Callable[[Path], list[str]], good: str, bad: str
) -> None:
    (tmp_path / "good.py").write_text(good)
    (tmp_path / "bad.py").write_text(bad)
    (offender,) = rule(tmp_path)
    assert offender.startswith(str(tmp_path / "bad.py"))
