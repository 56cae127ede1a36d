"""What went past the triggers is named by `doctor`, never pushed, and replaced on demand."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dssync.sandbox import Sandbox
from tests.cli.shell import Shell


def sql(folder: Path, script: str) -> None:
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as mirror:
        mirror.executescript(script)


def columns(folder: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "mirror.db")) as mirror:
        return mirror.execute(f"SELECT * FROM {table} ORDER BY key").fetchall()


GATE = "UPDATE gate SET run = 1; {}; UPDATE gate SET run = NULL"
WAYS = {
    "the gate forced open": GATE.format(
        "UPDATE datasets SET description = 'sneaked' WHERE rowid = 1"
    ),
    "a server column": GATE.format("UPDATE items SET updated_at = 'x' WHERE rowid = 1"),
    "another dataset": GATE.format(
        "UPDATE items SET dataset = (SELECT key FROM datasets WHERE key <> items.dataset)"
        " WHERE rowid = 1"
    ),
    "a flipped bit": GATE.format("UPDATE items SET input = replace(input, 'e', 'd')"),
    "rest that is no JSON": GATE.format("UPDATE items SET rest = '{' WHERE rowid = 1"),
    "the trigger dropped": "DROP TRIGGER items_keep_base;"
    " UPDATE items SET input = '1' WHERE rowid = 1",
}


def test_a_pulled_edited_and_pushed_mirror_is_as_it_came(pulled: Shell, folder: Path) -> None:
    sql(folder, 'UPDATE items SET metadata = \'{"b":1e2,"a":2}\', deleted = 1 WHERE rowid = 1')
    sql(folder, 'UPDATE datasets SET metadata = \'{"b":1e2,"a":2}\' WHERE rowid = 1')
    pulled("doctor").well()
    pulled("push", "-y").well()
    pulled("doctor").well()
    pulled("pull").well()
    pulled("doctor").well()
    sql(folder, "UPDATE datasets SET description = 'x'")
    pulled("revert", "--all").well()
    pulled("doctor").well()


@pytest.mark.parametrize("way", WAYS)
def test_what_went_past_the_triggers(
    pulled: Shell, sandbox: Sandbox, folder: Path, way: str
) -> None:
    before = {table: columns(folder, table) for table in ("datasets", "items")}
    sql(folder, WAYS[way])
    found = pulled("doctor")
    assert found.code == 9
    assert "not as it came" in found.out
    assert "dssync doctor --reread" in found.out
    assert pulled("diff", "--exit-code").code == 0
    sandbox.log.clear()
    pulled("push", "-y").well()
    assert "PATCH" not in sandbox.log.by_method()
    assert "the next pull replaces" in pulled("doctor", "--reread").well().err
    pulled("pull").well()
    pulled("doctor").well()
    after = {table: columns(folder, table) for table in ("datasets", "items")}
    assert [[row[1:4] for row in rows] for rows in after.values()] == [
        [row[1:4] for row in rows] for rows in before.values()
    ]
    assert columns(folder, "items_history") == columns(folder, "datasets_history") == []


def test_triggers_and_views_are_put_back_and_spoken_of_once(offline: Shell, folder: Path) -> None:
    sql(folder, "DROP TRIGGER items_keep_base; DROP VIEW conflicts")
    offline("list").well()
    said = offline("doctor").well().out
    assert "triggers or views were missing or changed, 2 were put back" in said
    assert "put back" not in offline("doctor").well().out
    sql(folder, "UPDATE items SET input = '1' WHERE rowid = 1; SELECT * FROM conflicts")
    assert offline("diff", "--exit-code").code == 20


REPLACED = {
    "a table replaced": (
        "CREATE TABLE copy AS SELECT * FROM items; DROP TABLE items;"
        "ALTER TABLE copy RENAME TO items",
        "the primary key of items",
    ),
    "a column less": (
        "DROP VIEW pending_changes; DROP VIEW conflicts; DROP VIEW touched_fields;"
        "DROP TABLE people; CREATE TABLE people (id TEXT PRIMARY KEY)",
        "people.profile",
    ),
    "a table less": ("DROP VIEW conflicts; DROP TABLE unreadable", "the table unreadable"),
}


@pytest.mark.parametrize("way", REPLACED)
def test_a_table_that_is_not_the_mirrors_is_damage(offline: Shell, folder: Path, way: str) -> None:
    script, lost = REPLACED[way]
    sql(folder, f"PRAGMA legacy_alter_table = 1; {script}")
    for words in (("doctor",), ("list",)):
        refused = offline(*words)
        assert refused.code == 9
        assert lost in refused.err
        assert "pull again" in refused.err


def test_a_broken_page_is_damage(offline: Shell, folder: Path) -> None:
    file = folder / "mirror.db"
    content = bytearray(file.read_bytes())
    content[-4096 * 3 : -4096 * 2] = bytes(4096)
    file.write_bytes(content)
    assert offline("doctor").code == 9
