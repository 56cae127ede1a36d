"""What plain SQL may not do, and the sentence it is told."""

import sqlite3
from dataclasses import dataclass

import pytest

from tests.mirror.conftest import NEWER, OTHER, Home
from tests.mirror.served import D1, D2, I1, dataset, item

SERVER_COLUMNS = {
    "created_at": "'x'",
    "updated_at": "'x'",
    "created_by": "'x'",
    "rest": "'{}'",
    "absent_since": "'x'",
    "run": "99",
    "digest": "x'00'",
    "id": "'x'",
}
LONG = "replace(hex(zeroblob(201)), '00', 'xx')"
"""An SQL text of 402 characters."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement and the sentence that refuses it."""

    name: str
    statement: str
    sentence: str


def of_both_tables(column: str, value: str) -> list[Refused]:
    sentence = f"{column} belongs to the server"
    return [
        Refused(f"{column} of a dataset", f"UPDATE datasets SET {column} = {value}", sentence),
        Refused(f"{column} of an item", f"UPDATE items SET {column} = {value}", sentence),
        Refused(
            f"{column} of a new dataset",
            f"INSERT INTO datasets (name, {column}) VALUES ('n', {value})",
            sentence,
        ),
        Refused(
            f"{column} of a new item",
            f"INSERT INTO items (dataset, {column}) VALUES ('{D1}', {value})",
            sentence,
        ),
    ]


def of_a_field(name: str, table: str, column: str, value: str, sentence: str) -> list[Refused]:
    given = {"datasets": ("name", "'n'"), "items": ("dataset", f"'{D1}'")}[table]
    columns = {given[0]: given[1], column: value}
    names, values = ", ".join(columns), ", ".join(columns.values())
    return [
        Refused(f"{name}, edited", f"UPDATE {table} SET {column} = {value}", sentence),
        Refused(f"{name}, new", f"INSERT INTO {table} ({names}) VALUES ({values})", sentence),
    ]


JSON_SENTENCE = "is not JSON; text needs its own quotes"
EXISTS = "a record with this key exists; edit it with UPDATE"
PARENT = "dataset is the key of a dataset of the same remote"

REFUSED = (
    *(case for column, value in SERVER_COLUMNS.items() for case in of_both_tables(column, value)),
    *of_a_field("a name of null", "datasets", "name", "NULL", "name cannot be null"),
    *of_a_field("an empty name", "datasets", "name", "''", "name cannot be blank"),
    *of_a_field("a blank name", "datasets", "name", "'   '", "name cannot be blank"),
    *of_a_field("a name of tabs", "datasets", "name", "char(9, 10)", "name cannot be blank"),
    *of_a_field("a wide space", "datasets", "name", "char(12288)", "name cannot be blank"),
    *of_a_field("a long name", "datasets", "name", LONG, "name has more than 400 characters"),
    *of_a_field("a binary name", "datasets", "name", "x'41'", "name is text"),
    *of_a_field("a binary description", "datasets", "description", "x'41'", "description is text"),
    *of_a_field("bare text", "datasets", "metadata", "'hello'", f"metadata {JSON_SENTENCE}"),
    *of_a_field("half an object", "items", "input", "'{\"a\":'", f"input {JSON_SENTENCE}"),
    *of_a_field("NaN", "items", "expected_output", "'NaN'", f"expected_output {JSON_SENTENCE}"),
    *of_a_field("binary JSON", "items", "metadata", "x'31'", f"metadata {JSON_SENTENCE}"),
    *of_a_field("deleted 2", "datasets", "deleted", "2", "deleted is 0 or 1"),
    *of_a_field("deleted yes", "items", "deleted", "'yes'", "deleted is 0 or 1"),
    *of_a_field("an unknown dataset", "items", "dataset", "'nowhere'", PARENT),
    *of_a_field("no dataset", "items", "dataset", "NULL", PARENT),
    Refused("a dataset of elsewhere", "UPDATE items SET dataset = 'there'", PARENT),
    *of_a_field("no time", "items", "trace_timestamp", "'soon'", "trace_timestamp is a time such"),
    *of_a_field("now", "items", "trace_timestamp", "'now'", "trace_timestamp is a time such as"),
    *of_a_field("a day number", "items", "trace_timestamp", "2461000", "trace_timestamp is a time"),
    *of_a_field("a long id", "items", "trace_id", LONG, "trace_id has more than 255 characters"),
    *of_a_field("a long id", "items", "event_id", LONG, "event_id has more than 255 characters"),
    Refused("another key", "UPDATE datasets SET key = 'x'", "key is a record's lasting name"),
    Refused("another key of an item", "UPDATE items SET key = 'x'", "key is a record's lasting"),
    Refused(
        "another remote", "UPDATE items SET remote = 'other'", "belongs to one remote for ever"
    ),
    Refused("no remote", "UPDATE datasets SET remote = NULL", "belongs to one remote for ever"),
    Refused(
        "a key of one's own",
        "INSERT INTO datasets (key, name) VALUES ('mine', 'n')",
        "leave key out: a new record gets one",
    ),
    Refused(
        "an unknown remote",
        "INSERT INTO datasets (name, remote) VALUES ('n', 'nowhere')",
        "the mirror knows no remote of that name",
    ),
    Refused(
        "an item of two remotes",
        f"INSERT INTO items (dataset, remote) VALUES ('{D1}', 'other')",
        PARENT,
    ),
    Refused(
        "replace",
        f"REPLACE INTO datasets (key, name) VALUES ('{D1}', 'n')",
        EXISTS,
    ),
    Refused(
        "insert or ignore",
        f"INSERT OR IGNORE INTO datasets (key, name) VALUES ('{D1}', 'n')",
        EXISTS,
    ),
    Refused(
        "upsert",
        f"INSERT INTO datasets (key, name) VALUES ('{D1}', 'n')"
        " ON CONFLICT (key) DO UPDATE SET name = excluded.name",
        EXISTS,
    ),
    Refused(
        "replace an item",
        f"REPLACE INTO items (key, dataset) VALUES ('{I1}', '{D1}')",
        EXISTS,
    ),
)


@pytest.fixture
def abroad(home: Home) -> Home:
    """The usual mirror, with one dataset of another remote."""
    home.meet(OTHER)
    home.scan("dataset", dataset("there"), remote="other")
    return home


@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_refused(case: Refused, request: pytest.FixtureRequest) -> None:
    needs_other = "there" in case.statement or "'other'" in case.statement
    home: Home = request.getfixturevalue("abroad" if needs_other else "home")
    before = home.dump()
    with pytest.raises(sqlite3.IntegrityError) as refusal:
        home.sql.execute(case.statement)
    assert case.sentence in str(refusal.value)
    assert home.dump() == before


ALLOWED = (
    ("four hundred characters in spaces", f"UPDATE datasets SET name = char(9)||'{'x' * 400}  '"),
    ("null for JSON", "UPDATE items SET metadata = NULL"),
    ("an empty description", "UPDATE datasets SET description = ''"),
    ("a number for a JSON field", "UPDATE items SET input = 1.5"),
    ("the JSON null", "UPDATE items SET input = 'null'"),
    ("a time in another zone", "UPDATE items SET trace_timestamp = '2026-11-23T18:13:50+02:00'"),
    ("a time with microseconds", "UPDATE items SET trace_timestamp='2026-11-23 18:13:50.347800'"),
    ("deleted of null", "UPDATE items SET deleted = NULL"),
    ("an item moved", f"UPDATE items SET dataset = '{D2}'"),
)


@pytest.mark.parametrize("statement", [c[1] for c in ALLOWED], ids=[c[0] for c in ALLOWED])
def test_allowed(home: Home, statement: str) -> None:
    home.sql.execute(statement)
    assert home.mirror.touched_keys()


@pytest.mark.parametrize("field", ["source_output", "client_item_id"])
@pytest.mark.parametrize("named", [True, False])
def test_a_field_the_remotes_server_lacks(home: Home, field: str, named: bool) -> None:
    sentence = f"the server of this remote has no {field}"
    with pytest.raises(sqlite3.IntegrityError, match=sentence):
        home.sql.execute(f"UPDATE items SET {field} = '1'")
    columns = f"dataset, {field}, remote" if named else f"dataset, {field}"
    values = f"'{D1}', '1'" + (", 'main'" if named else "")
    with pytest.raises(sqlite3.IntegrityError, match=sentence):
        home.sql.execute(f"INSERT INTO items ({columns}) VALUES ({values})")


def test_a_field_that_only_a_new_record_may_set(home: Home) -> None:
    home.meet(NEWER)
    home.scan("dataset", dataset("there"), remote="newer")
    home.scan("item", item("known", "there"), remote="newer")
    home.sql.execute("INSERT INTO items (dataset, source_output) VALUES ('there', '1')")
    home.sql.execute("UPDATE items SET source_output = '2' WHERE id IS NULL")
    assert home.rows("SELECT source_output FROM items WHERE id IS NULL") == [{"source_output": "2"}]
    sentence = "on the server of this remote source_output can only be set on a new record"
    with pytest.raises(sqlite3.IntegrityError, match=sentence):
        home.sql.execute("UPDATE items SET source_output = '1' WHERE key = 'known'")


def test_a_mirror_without_remotes_takes_no_datasets(nobody: Home) -> None:
    sentence = "name the remote: the mirror holds none yet, or several"
    with pytest.raises(sqlite3.IntegrityError, match=sentence):
        nobody.sql.execute("INSERT INTO datasets (name) VALUES ('n')")


def test_among_several_remotes_a_new_dataset_names_its_own(abroad: Home) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="name the remote"):
        abroad.sql.execute("INSERT INTO datasets (name) VALUES ('n')")
    abroad.sql.execute("INSERT INTO datasets (name, remote) VALUES ('n', 'other')")
    assert abroad.rows("SELECT remote FROM datasets WHERE name = 'n'") == [{"remote": "other"}]


def test_a_new_dataset_with_items_stays(home: Home) -> None:
    parent = home.mirror.new("dataset", None, {"name": "Triage"})
    home.mirror.new("item", None, {"dataset": parent})
    with pytest.raises(sqlite3.IntegrityError, match="new items lie in this new dataset"):
        home.sql.execute("DELETE FROM datasets WHERE key = ?", (parent,))
    assert home.row("dataset", parent)["deleted"] is None


def test_a_dataset_that_nobody_lists_holds_nothing_to_edit(home: Home) -> None:
    home.scan("item", item("far", "hidden"))
    sentence = "the server does not list this record"
    for statement in (
        "UPDATE datasets SET name = 'n' WHERE key = 'hidden'",
        "UPDATE datasets SET deleted = 0 WHERE key = 'hidden'",
        "DELETE FROM datasets WHERE key = 'hidden'",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=sentence):
            home.sql.execute(statement)
