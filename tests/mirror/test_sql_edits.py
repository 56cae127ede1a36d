"""What happens when a person edits the working copy with plain SQL."""

import re

from dssync.core.differ import difference
from dssync.core.plan import Change
from dssync.mirror import touched
from tests.mirror.conftest import NOW, OTHER, Home
from tests.mirror.served import D1, D2, I1, I2, I3, dataset

NEW_KEY = re.compile("new-[0-9a-f]{16}")


def test_the_first_edit_keeps_base_and_theirs_and_later_ones_leave_them(home: Home) -> None:
    before = home.row("dataset", D2)
    home.sql.execute("UPDATE datasets SET name = 'Invoices' WHERE key = ?", (D2,))
    kept = home.pending("dataset", D2)
    assert kept.keys() == {"base", "theirs"}
    for side, row in kept.items():
        assert row == {**before, "side": side, "pushed_run": None, "reverted": None}
    home.sql.execute("UPDATE datasets SET name = 'Bills', metadata = '[]' WHERE key = ?", (D2,))
    assert home.pending("dataset", D2) == kept
    assert home.row("dataset", D2) == {**before, "name": "Bills", "metadata": "[]"}


def test_every_field_of_an_item_is_noticed(home: Home) -> None:
    edits = {
        I1: "input = '1'",
        I2: "expected_output = '1'",
        I3: "metadata = '1'",
    }
    for key, setter in edits.items():
        home.sql.execute(f"UPDATE items SET {setter} WHERE key = ?", (key,))
        assert home.pending("item", key).keys() == {"base", "theirs"}
    for column, value in {
        "dataset": D2,
        "trace_id": "t",
        "event_id": "e",
        "trace_timestamp": "2026-11-23T18:13:50Z",
        "deleted": 1,
    }.items():
        assert home.mirror.revert("item", I1)
        home.sql.execute(f"UPDATE items SET {column} = ? WHERE key = ?", (value, I1))
        assert home.pending("item", I1)["theirs"][column] != value


def test_an_edit_that_changes_nothing_touches_nothing(home: Home) -> None:
    home.sql.execute("UPDATE datasets SET name = name, metadata = metadata")
    home.sql.execute("UPDATE items SET deleted = 0")
    assert home.mirror.touched_keys() == []


def test_editing_back_leaves_nothing_to_send(home: Home) -> None:
    home.sql.execute("UPDATE datasets SET name = 'Invoices' WHERE key = ?", (D2,))
    home.sql.execute("UPDATE datasets SET name = 'Billing' WHERE key = ?", (D2,))
    with home.mirror.database.read() as tx:
        triple = touched.triple(tx, "dataset", D2)
    assert triple is not None
    assert difference(triple) is None


def test_many_rows_are_edited_in_one_statement(home: Home) -> None:
    home.sql.execute("UPDATE items SET metadata = json_set(coalesce(metadata, '{}'), '$.n', 1)")
    assert home.mirror.touched_keys() == [("item", I1), ("item", I2), ("item", I3)]
    assert home.row("item", I2)["metadata"] == '{"split":"test","n":1}'


def test_an_edit_that_is_rolled_back_leaves_no_trace(home: Home) -> None:
    before = home.dump()
    home.sql.execute("BEGIN")
    home.sql.execute("UPDATE items SET input = '1'")
    home.sql.execute("DELETE FROM datasets WHERE key = ?", (D1,))
    home.sql.execute("ROLLBACK")
    assert home.dump() == before


def test_an_insert_is_a_record_made_offline(home: Home) -> None:
    home.sql.execute("INSERT INTO datasets (name) VALUES ('Triage')")
    (made,) = home.rows("SELECT * FROM datasets WHERE name = 'Triage'")
    assert NEW_KEY.fullmatch(made["key"])
    assert made["remote"] == "main"
    assert made["id"] is made["run"] is made["digest"] is None
    assert home.pending("dataset", made["key"]) == {}
    home.sql.execute(
        "INSERT INTO items (dataset, input) VALUES (?, '\"q\"'), (?, '1')", (made["key"], D2)
    )
    items = home.rows("SELECT * FROM items WHERE id IS NULL")
    assert [item["remote"] for item in items] == ["main", "main"]
    assert len({item["key"] for item in items}) == 2
    with home.mirror.database.read() as tx:
        changes = [difference(triple) for triple in touched.triples(tx, "item")]
    assert {c.action for c in changes if isinstance(c, Change)} == {"create"}
    assert len(changes) == 2


def test_an_insert_may_bring_a_key_of_the_right_shape(home: Home) -> None:
    home.sql.execute("INSERT INTO datasets (key, name) VALUES ('new-0123456789abcdef', 'Triage')")
    assert home.row("dataset", "new-0123456789abcdef")["remote"] == "main"


def test_edits_of_a_record_made_here_keep_no_base(home: Home) -> None:
    key = home.mirror.new("dataset", None, {"name": "Triage"})
    home.sql.execute("UPDATE datasets SET name = 'Sorting' WHERE key = ?", (key,))
    assert home.row("dataset", key)["name"] == "Sorting"
    assert home.pending("dataset", key) == {}


def test_an_item_joins_the_remote_of_its_dataset(home: Home) -> None:
    home.meet(OTHER)
    home.scan("dataset", dataset("there"), remote="other")
    home.sql.execute("INSERT INTO items (dataset) VALUES ('there')")
    assert home.rows("SELECT remote FROM items WHERE id IS NULL") == [{"remote": "other"}]


def test_a_delete_marks_a_known_record(home: Home) -> None:
    home.sql.execute("DELETE FROM items WHERE key = ?", (I1,))
    assert home.row("item", I1)["deleted"] == 1
    assert home.pending("item", I1)["theirs"]["deleted"] == 0
    home.sql.execute("DELETE FROM datasets")
    assert [row["deleted"] for row in home.rows("SELECT deleted FROM datasets")] == [1, 1]
    assert home.row("item", I3)["deleted"] == 0
    home.sql.execute("UPDATE datasets SET deleted = 0 WHERE key = ?", (D1,))
    assert home.row("dataset", D1)["deleted"] == 0


def test_a_delete_of_what_was_made_here_really_removes_it(home: Home) -> None:
    parent = home.mirror.new("dataset", None, {"name": "Triage"})
    child = home.mirror.new("item", None, {"dataset": parent})
    home.sql.execute("DELETE FROM items WHERE key = ?", (child,))
    home.sql.execute("DELETE FROM datasets WHERE key = ?", (parent,))
    assert home.mirror.touched_keys() == []
    assert home.rows("SELECT 1 FROM datasets WHERE key = ?", parent) == []


def test_a_delete_of_a_create_that_may_have_been_sent_only_marks_it(home: Home) -> None:
    parent = home.mirror.new("dataset", None, {"name": "Triage"})
    child = home.mirror.new("item", None, {"dataset": parent})
    for key in (parent, child):
        home.sql.execute(
            "INSERT INTO journal (run, remote, kind, key, action, deltas, opened_at)"
            " VALUES (1, 'main', 'any', ?, 'create', '[]', ?)",
            (key, NOW),
        )
    home.sql.execute("DELETE FROM datasets WHERE key = ?", (parent,))
    home.sql.execute("DELETE FROM items WHERE key = ?", (child,))
    assert home.row("dataset", parent)["deleted"] == 1
    assert home.row("item", child)["deleted"] == 1
    home.sql.execute("UPDATE journal SET closed_at = ?", (NOW,))
    home.sql.execute("DELETE FROM items WHERE key = ?", (child,))
    assert home.rows("SELECT 1 FROM items WHERE key = ?", child) == []
