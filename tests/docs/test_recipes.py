"""The recipes of docs/sql.md, run from the page, and what they edit pushed."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dssync.sandbox import Sandbox
from tests.cli.conftest import (  # noqa: F401
    configured,
    dssync,
    folder,
    own_world,
    pulled,
    sandbox,
    url,
)
from tests.cli.shell import Shell

PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
RECIPES = re.findall(
    r"\*\*(\d+)\. .*?```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)


def run(home: Path, script: str) -> list[tuple[object, ...]]:
    """Run statements; return the rows of the last."""
    found: list[tuple[object, ...]] = []
    with closing(sqlite3.connect(home / "mirror.db", isolation_level=None)) as mirror:
        for statement in script.split(";\n"):
            if statement.strip():
                found = mirror.execute(statement).fetchall()
    return found


def prepare(mirror: Shell, server: Sandbox) -> None:
    """Let every recipe have something to find."""
    rows = server.state.rows("item")
    change = server.state.update
    change("item", rows[0]["id"], metadata={"tags": ["a"], "language": "EN"}, output=None)
    for row in rows[1:3]:
        change("item", row["id"], dataset=rows[1]["dataset"], input="the same", output="too")
    change("item", rows[3]["id"], ref_trace_id=None)
    mirror("pull").well()


def test_there_are_ten_recipes() -> None:
    assert [number for number, _ in RECIPES] == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize(("number", "script"), RECIPES)
def test_a_recipe_does_what_it_says(
    number: str,
    script: str,
    pulled: Shell,  # noqa: F811
    sandbox: Sandbox,  # noqa: F811
    folder: Path,  # noqa: F811
) -> None:
    prepare(pulled, sandbox)
    if number == "8":
        run(folder, "UPDATE items SET expected_output = '\"mine\"' WHERE rowid < 4")
    found = run(folder, script)
    pending = run(folder, "SELECT action, field FROM pending_changes")
    if "SELECT" in script[:10]:
        assert found
    if number in ("1", "2", "8", "9", "10"):
        assert pending == []
        return
    assert pending
    pulled("push", "-y", "--max-delete", "50%").well()
    pulled("pull").well()
    assert run(folder, "SELECT * FROM pending_changes") == []
    pulled("doctor").well()
