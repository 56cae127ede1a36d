"""The ways in which tools write: savepoints, upserts, bulk, settings of their own."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.mirror.conftest import Home
from tests.mirror.served import D1, D2, I1, I2, I3, item

SETTINGS = [
    f"PRAGMA recursive_triggers = {recursive}; PRAGMA foreign_keys = {foreign}"
    for recursive in (0, 1)
    for foreign in (0, 1)
]


@pytest.fixture(params=SETTINGS)
def anyhow(home: Home, request: pytest.FixtureRequest) -> Home:
    """A mirror opened with settings of somebody's own."""
    home.sql.executescript(request.param)
    return home


def test_edits_are_noticed_whatever_the_settings(anyhow: Home) -> None:
    anyhow.sql.execute("UPDATE items SET input = '1', metadata = '2' WHERE key = ?", (I1,))
    anyhow.sql.execute("DELETE FROM items WHERE key = ?", (I2,))
    anyhow.sql.execute("INSERT INTO items (dataset, input) VALUES (?, '1')", (D1,))
    found = anyhow.rows("SELECT action, field FROM pending_changes ORDER BY action, field")
    assert [tuple(row.values()) for row in found] == [
        ("create", "dataset"),
        ("create", "input"),
        ("delete", "deleted"),
        ("update", "input"),
        ("update", "metadata"),
    ]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (f"REPLACE INTO items (key, dataset) VALUES ('{I1}', '{D1}')", "edit it with UPDATE"),
        (f"INSERT OR IGNORE INTO items (key, dataset) VALUES ('{I1}', '{D1}')", "edit it with"),
        (f"INSERT OR REPLACE INTO items (rowid, dataset) VALUES (1, '{D1}')", "leave rowid out"),
        (f"INSERT INTO items (key, dataset) VALUES (NULL, '{D1}')", "leave key out"),
        ("UPDATE OR REPLACE items SET rowid = 2 WHERE rowid = 1", "rowid is the database's own"),
        (f"UPDATE OR REPLACE items SET key = '{I2}' WHERE key = '{I1}'", "lasting name"),
        (f"UPDATE OR IGNORE items SET metadata = '{{' WHERE key = '{I1}'", "is not JSON"),
    ],
)
def test_no_way_round_the_triggers(anyhow: Home, statement: str, sentence: str) -> None:
    before = anyhow.dump()
    with pytest.raises(sqlite3.IntegrityError, match=sentence):
        anyhow.sql.execute(statement)
    assert anyhow.dump() == before


def test_replace_may_bring_a_new_record(home: Home) -> None:
    home.sql.execute("INSERT OR REPLACE INTO items (dataset, input) VALUES (?, '1')", (D1,))
    home.sql.execute(
        "INSERT INTO items (key, dataset) VALUES ('new-0123456789abcdef', ?)"
        " ON CONFLICT (key) DO UPDATE SET input = '2'",
        (D1,),
    )
    assert len(home.rows("SELECT 1 FROM items WHERE id IS NULL")) == 2


def test_an_update_from_another_table(home: Home) -> None:
    home.sql.execute("CREATE TEMP TABLE answers (key, answer)")
    home.sql.execute("INSERT INTO answers VALUES (?, '\"yes\"'), (?, '\"no\"')", (I1, I3))
    home.sql.execute(
        "UPDATE items SET expected_output = answer FROM answers WHERE answers.key = items.key"
    )
    assert home.rows("SELECT key, ours FROM pending_changes ORDER BY key") == [
        {"key": I1, "ours": '"yes"'},
        {"key": I3, "ours": '"no"'},
    ]


def test_a_savepoint_is_kept_or_taken_back_whole(home: Home) -> None:
    home.sql.execute("SAVEPOINT 'db4s_edit'")
    home.sql.execute('UPDATE "main"."items" SET "input"=? WHERE "_rowid_"=1', ("1",))
    home.sql.execute("ROLLBACK TO SAVEPOINT 'db4s_edit'")
    assert home.rows("SELECT * FROM items_pending") == []
    home.sql.execute('UPDATE "main"."items" SET "input"=? WHERE "_rowid_"=1', ("1",))
    home.sql.execute('DELETE FROM "main"."items" WHERE "_rowid_" IN (2)')
    with pytest.raises(sqlite3.IntegrityError, match="is not JSON"):
        home.sql.execute('UPDATE "main"."items" SET "input"=? WHERE "_rowid_"=1', ("hello",))
    home.sql.execute("RELEASE 'db4s_edit'")
    found = home.rows("SELECT key, action FROM pending_changes ORDER BY key")
    assert [(row["key"], row["action"]) for row in found] == [(I1, "update"), (I2, "delete")]


def test_ten_thousand_are_deleted_in_one_statement(home: Home) -> None:
    home.scan("item", *(item(f"many-{n}") for n in range(10_000)))
    home.sql.execute("DELETE FROM items WHERE key GLOB 'many-*'")
    (found,) = home.rows("SELECT count(*) AS n FROM pending_changes WHERE action = 'delete'")
    assert found["n"] == 10_000
    assert home.rows("SELECT count(*) AS n FROM items WHERE deleted = 1") == [{"n": 10_000}]


def test_a_person_waits_while_the_program_writes_and_never_passes_for_it(home: Home) -> None:
    path = Path(home.mirror.path)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as person:
        with home.mirror.database.unit(7) as tx:
            tx.exec_driver_sql("UPDATE people SET profile = profile")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                person.execute("UPDATE items SET input = '1'")
            assert person.execute("SELECT run FROM gate").fetchone() == (None,)
        person.execute("UPDATE items SET input = ?", (json.dumps("mine"),))
    assert len(home.rows("SELECT 1 FROM pending_changes")) == 3
    assert home.row("item", I1)["dataset"] == D1 != D2
