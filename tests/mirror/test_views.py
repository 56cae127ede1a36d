"""The views say what the differ says, and join names to items."""

import pytest

from dssync.core.plan import Plan
from dssync.sync import make_plan
from tests.mirror.conftest import Home
from tests.mirror.served import D1, D2, I1, I2, I3, dataset, item

Said = set[tuple[str, str, str]]


def planned(plan: Plan) -> Said:
    """Return (action, key, field) of what the differ finds; conflicts name their fields only."""
    changes = {(c.action, c.key, d.field) for c in plan.changes for d in c.deltas}
    return changes | {("conflict", c.key, d.field) for c in plan.conflicts for d in c.conflicts}


def viewed(home: Home) -> Said:
    """Return the same from the views."""
    changes = home.rows("SELECT * FROM pending_changes WHERE action <> 'conflict'")
    conflicts = home.rows("SELECT * FROM conflicts")
    return {(r["action"], r["key"], r["field"]) for r in changes} | {
        ("conflict", r["key"], r["field"]) for r in conflicts
    }


def check(home: Home) -> Said:
    found = planned(make_plan(home.mirror))
    assert viewed(home) == found
    return found


def test_nothing_is_pending_in_a_clean_mirror(home: Home) -> None:
    assert check(home) == set()


EDITS = {
    "a text": (f"UPDATE datasets SET name = 'Bills' WHERE key = '{D2}'", 1),
    "two fields": (f"UPDATE items SET input = '1', metadata = '2' WHERE key = '{I1}'", 2),
    "white space in JSON": ('UPDATE items SET metadata = \'{ "split": "test" }\'', 2),
    "white space around": (f"UPDATE datasets SET name = ' Billing ' WHERE key = '{D2}'", 0),
    "the JSON null": (f"UPDATE items SET metadata = 'null' WHERE key = '{I1}'", 0),
    "deleted of null": ("UPDATE items SET deleted = NULL", 0),
    "a deletion": (f"DELETE FROM items WHERE key = '{I1}'", 1),
    "a create": (f"INSERT INTO items (dataset, input) VALUES ('{D1}', '1')", 2),
    "a create taken back": ("INSERT INTO datasets (name, deleted) VALUES ('n', 1)", 0),
    "edited and deleted": (f"UPDATE items SET input = '1', deleted = 1 WHERE key = '{I1}'", 2),
}


@pytest.mark.parametrize("name", EDITS)
def test_pending_changes_are_what_the_differ_finds(home: Home, name: str) -> None:
    statement, fields = EDITS[name]
    home.sql.execute(statement)
    assert len(check(home)) == fields


def test_a_pending_change_names_everything_people_ask_for(home: Home) -> None:
    home.sql.execute("UPDATE items SET metadata = '1' WHERE key = ?", (I2,))
    assert home.rows("SELECT * FROM pending_changes") == [
        {
            "remote": "main",
            "kind": "item",
            "key": I2,
            "label": I2,
            "dataset": "Support",
            "field": "metadata",
            "base": '{"split": "test"}',
            "theirs": '{"split": "test"}',
            "ours": "1",
            "action": "update",
        }
    ]


def test_a_field_changed_on_both_sides(home: Home) -> None:
    home.sql.execute("UPDATE datasets SET name = 'ours', metadata = '1' WHERE key = ?", (D1,))
    home.scan("dataset", dataset(D1, "theirs", description="new"))
    assert check(home) == {("conflict", D1, "name")}
    (row,) = home.rows("SELECT * FROM conflicts")
    assert (row["base"], row["theirs"], row["ours"]) == ("Support", "theirs", "ours")
    assert row["reason"] == "changed on both sides"
    actions = home.rows("SELECT field, action FROM pending_changes ORDER BY field")
    assert actions == [
        {"field": "metadata", "action": "conflict"},
        {"field": "name", "action": "conflict"},
    ]


def test_edited_here_and_deleted_there(home: Home) -> None:
    home.sql.execute("UPDATE items SET input = '1' WHERE key = ?", (I1,))
    home.gone("item", I1)
    assert check(home) == {("conflict", I1, "deleted")}
    assert home.rows("SELECT reason FROM conflicts") == [{"reason": "edited here, deleted there"}]


def test_reverted_after_a_push(home: Home) -> None:
    home.sql.execute("UPDATE items SET input = '1', metadata = '5' WHERE key = ?", (I1,))
    home.look("item", I1, {"input": "1"}, item(I1, input="q"))
    assert ("conflict", I1, "input") in check(home)
    assert home.rows("SELECT reason FROM conflicts") == [{"reason": "reverted after push"}]


def test_what_was_pushed_and_waits_to_be_seen_again_is_not_pending(home: Home) -> None:
    home.sql.execute("UPDATE items SET input = '1' WHERE key = ?", (I1,))
    home.look("item", I1, {"input": "1"}, item(I1, input=1))
    assert check(home) == set()
    home.sql.execute("UPDATE items SET metadata = '2' WHERE key = ?", (I1,))
    assert check(home) == {("update", I1, "metadata")}


def test_items_stand_beside_the_name_of_their_dataset(home: Home) -> None:
    home.sql.execute("DELETE FROM items WHERE key = ?", (I2,))
    home.sql.execute("INSERT INTO items (dataset, input) VALUES (?, '1')", (D1,))
    home.sql.execute("DELETE FROM datasets WHERE key = ?", (D2,))
    found = home.rows("SELECT dataset, key, id, dataset_deleted FROM dataset_items")
    assert [(row["dataset"], row["id"], row["dataset_deleted"]) for row in found] == [
        ("Support", None, 0),
        ("Support", I1, 0),
        ("Billing", I3, 1),
    ]


def test_states_are_every_content_the_server_showed(home: Home) -> None:
    home.sql.execute("UPDATE datasets SET name = 'ours' WHERE key = ?", (D2,))
    last = home.scan("dataset", dataset(D1, "Renamed")).run
    at = (
        "SELECT key, name FROM dataset_states"
        " WHERE run <= ? AND (until_run > ? OR until_run IS NULL)"
    )
    before = {row["key"]: row["name"] for row in home.rows(at, last - 1, last - 1)}
    after = {row["key"]: row["name"] for row in home.rows(at, last, last)}
    assert before == {D1: "Support", D2: "Billing"}
    assert after == {D1: "Renamed", D2: "Billing"}
