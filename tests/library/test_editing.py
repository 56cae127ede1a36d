"""Edit records inside a block: all of it or nothing, by the rules of every other editor."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from dssync import Mirror
from dssync.errors import (
    Locked,
    Overtaken,
    ReadOnly,
    TemporaryError,
    UnknownRecord,
    UsageError,
)
from dssync.mirror import writer
from dssync.sync import make_plan
from tests.mirror.conftest import NEWER, Home
from tests.mirror.served import D1, D2, I1, I2, I3, dataset, item


def test_an_assignment_is_an_edit(home: Home, mirror: Mirror) -> None:
    found = mirror.item(I1)
    with mirror.editing():
        found.input = {"messages": [{"role": "user"}]}
        found.update(trace_id=" t ", trace_timestamp=datetime(2026, 1, 1, tzinfo=UTC))
        assert found.input == {"messages": [{"role": "user"}]}
    (change,) = make_plan(home.mirror).changes
    assert (change.action, change.key) == ("update", I1)
    assert change.after == {
        "input": '{"messages":[{"role":"user"}]}',
        "trace_id": " t ",
        "trace_timestamp": "2026-01-01T00:00:00Z",
    }


def test_edits_are_refused_outside_a_block(home: Home, mirror: Mirror) -> None:
    before, found = home.dump(), mirror.item(I1)
    edits: list[Callable[[], object]] = [
        lambda: setattr(found, "input", 1),
        lambda: found.update(input=1),
        lambda: found.set("/metadata/a", 1),
        lambda: found.delete(),
        lambda: found.undelete(),
        lambda: found.revert(),
        lambda: mirror.new_dataset(name="x"),
        lambda: mirror.dataset(D1).new_item(input=1),
    ]
    for edit in edits:
        with pytest.raises(ReadOnly, match="edited inside a block") as refused:
            edit()
        assert refused.value.hint == "with mirror.editing():"
    assert home.dump() == before


def test_records_are_made_and_filled(home: Home, mirror: Mirror) -> None:
    with mirror.editing():
        made = mirror.new_dataset(name="Triage", metadata={"a": 1})
        row = made.new_item(input="q", expected_output=["a"], metadata=None)
        assert [found.key for found in made.items()] == [row.key]
    assert (made.id, made.remote, row.dataset, row.expected_output) == (
        None,
        "main",
        made.key,
        ["a"],
    )
    first, second = mirror.pending().changes
    assert (first.action, first.kind, first.label) == ("create", "dataset", "Triage")
    assert (second.key, second.where) == (row.key, "Triage")
    assert {e.field: (e.before, e.after) for e in second.edits} == {
        "dataset": (None, made.key),
        "input": (None, "q"),
        "expected_output": (None, ["a"]),
    }


def test_an_error_in_the_block_takes_every_edit_back(home: Home, mirror: Mirror) -> None:
    before, found, other = home.dump(), mirror.item(I1), mirror.item(I2)
    with suppress(ZeroDivisionError), mirror.editing():
        found.input = "new"
        made = mirror.dataset(D1).new_item(input=1)
        other.delete()
        read_inside = mirror.item(I1)
        assert read_inside.input == "new"
        raise ZeroDivisionError
    assert home.dump() == before
    assert (found.input, read_inside.input, other.deleted) == ("q", "q", False)
    with pytest.raises(UnknownRecord, match=f"there is no item {made.key}"):
        _ = made.input
    with mirror.editing():  # and the mirror can be edited again
        found.input = "newer"
    assert mirror.item(I1).input == "newer"


def test_whoever_catches_a_refusal_loses_that_edit_only(home: Home, mirror: Mirror) -> None:
    home.meet(NEWER)
    home.scan("dataset", dataset("d9", "Versioned"), remote="newer")
    before = {row["key"] for row in home.rows("SELECT key FROM items")}
    with mirror.editing():
        first, second = mirror.item(I1), mirror.item(I2)
        first.input = "kept"
        for refused in (
            lambda: second.update(metadata={"a": 1}, trace_id="x" * 300),
            lambda: mirror.dataset("d9").new_item(input=1, metadata=[1]),
            lambda: first.revert("nothing"),
            lambda: mirror.dataset("d9").update(name=" "),
        ):
            with pytest.raises(UsageError):
                refused()
        second.expected_output = "kept, too"
    assert {row["key"] for row in home.rows("SELECT key FROM items")} == before
    assert [c.after for c in make_plan(home.mirror).changes] == [
        {"input": '"kept"'},
        {"expected_output": '"kept, too"'},
    ]
    assert home.rows("SELECT run FROM gate") == [{"run": None}]


def test_a_refused_revert_leaves_the_gate_shut(home: Home, mirror: Mirror) -> None:
    with mirror.editing():
        made = mirror.new_dataset(name="Triage")
        made.new_item(input=1)
        with pytest.raises(UsageError, match="was made here and holds 1 items"):
            made.revert()
        mirror.item(I1).input = 2  # triggers notice it
    assert [c.key for c in make_plan(home.mirror).changes if c.action == "update"] == [I1]


def test_deleting_and_bringing_back(home: Home, mirror: Mirror) -> None:
    found = mirror.item(I1)
    with mirror.editing():
        made = mirror.dataset(D1).new_item(input=1)
        found.delete()
        made.delete()
    assert (found.deleted, made.deleted) == (True, True)
    (change,) = mirror.pending().changes
    assert (change.action, change.key) == ("delete", I1)
    assert [(e.before, e.after) for e in change.edits] == [(False, True)]
    with mirror.editing():
        found.undelete()
    assert mirror.pending().changes == ()
    with pytest.raises(Overtaken, match="was dropped"), mirror.editing():
        made.undelete()


def test_reverting_one_field_or_all(home: Home, mirror: Mirror) -> None:
    found = mirror.item(I1)
    with mirror.editing():
        found.update(input=1, expected_output=2)
        assert found.revert("input")
        assert (found.input, found.expected_output) == ("q", 2)
    with mirror.editing():
        assert found.revert()
        assert not found.revert()
        with pytest.raises(UsageError, match="an item has no field inptu"):
            found.revert("inptu")
        made = mirror.new_dataset(name="Gone")
        made.revert()
    assert (found.expected_output, made.deleted) == (None, True)
    assert mirror.pending().changes == ()


def test_parts_are_set_as_by_the_command(mirror: Mirror) -> None:
    found = mirror.item(I2)
    with mirror.editing():
        found.set("/metadata/tags/-", "a")
        found.set("/metadata/tags/-", ("b",))
        found.set("metadata", {**found.metadata, "more": 1})
        found.remove("/metadata/split")
        with pytest.raises(UsageError, match="nothing at /metadata/split to remove"):
            found.remove("/metadata/split")
        with pytest.raises(UsageError, match=r"/metadata/x of item .*: nan is not"):
            found.set("/metadata/x", float("nan"))
    assert found.metadata == {"tags": ["a", ["b"]], "more": 1}


def test_moving_an_item(mirror: Mirror) -> None:
    found = mirror.item(I1)
    with mirror.editing():
        found.update(dataset=mirror.dataset("Billing"))
        mirror.item(I3).dataset = D1
        with pytest.raises(UsageError, match="key of a dataset of the same remote"):
            found.dataset = "nowhere"
    assert {i.key for i in mirror.dataset("Billing").items()} == {I1}


def test_a_value_that_is_there_already_is_no_edit(home: Home, mirror: Mirror) -> None:
    before = home.dump()
    with mirror.editing():
        mirror.dataset(D2).metadata = {"a": 1}
        mirror.item(I1).update(input="q", trace_id=None)
    assert home.dump() == before


def test_what_changed_meanwhile_is_joined_or_refused(home: Home, mirror: Mirror) -> None:
    found = mirror.dataset(D2)
    home.scan("dataset", dataset(D2, "Billing", metadata={"a": 1, "theirs": 2}))
    with mirror.editing():
        found.metadata = {**found.metadata, "ours": 3}
    assert found.metadata == {"a": 1, "theirs": 2, "ours": 3}
    home.scan("dataset", dataset(D2, "Invoices", metadata={"a": 1, "theirs": 2}))
    with (
        pytest.raises(Overtaken, match=r"name was Billing, is now Invoices, you wrote Bills"),
        mirror.editing(),
    ):
        found.name = "Bills"
    found.reload()
    with mirror.editing():
        found.name = "Bills"
    assert mirror.dataset(D2).name == "Bills"


def test_a_block_sees_what_it_wrote(mirror: Mirror) -> None:
    with mirror.editing():
        for found in mirror.items():
            found.metadata = {"split": "test"}
        assert {i.key for i in mirror.items("metadata ->> 'split' = 'test'")} == {I1, I2, I3}
        assert len(mirror.pending().changes) == 2  # one of them had it already
        mirror.dataset(D1).name = "Renamed"
        assert mirror.dataset("Renamed").key == D1
        made = mirror.dataset("Renamed").new_item(input="x")
        assert mirror.item(made.key) == made


def test_there_is_one_block_at_a_time(home: Home, mirror: Mirror) -> None:
    with mirror.editing():
        mirror.item(I1).input = "first"
        with pytest.raises(UsageError, match="being edited already"), mirror.editing():
            pass
        mirror.item(I1).expected_output = "second"
    assert len(mirror.pending().changes[0].edits) == 2


def test_two_programs_never_write_at_once(
    home: Home, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SETTINGS", ("PRAGMA busy_timeout = 50",))
    with Mirror.open(home.mirror.path) as other, mirror.editing():
        mirror.item(I1).input = "first"
        assert other.item(I1).input == "q"
        with pytest.raises(Locked, match="is locked by another program"), other.editing():
            pass
    assert mirror.item(I1).input == "first"


class GivenUp(Exception):
    pass


def test_an_edit_that_the_database_took_back_is_not_gone_on_with(
    home: Home, mirror: Mirror
) -> None:
    before, found = home.dump(), mirror.item(I1)
    with suppress(GivenUp), mirror.editing():
        found.input = "lost"
        block = mirror._access.block
        assert block is not None
        block.tx.connection.driver_connection.execute("ROLLBACK")
        with pytest.raises(TemporaryError, match="took the whole edit back"):
            found.input = "would be kept alone"
        raise GivenUp
    assert home.dump() == before


def test_edits_of_the_layer_are_what_the_differ_sees(home: Home, mirror: Mirror) -> None:
    with mirror.editing():
        mirror.item(I1).input = [1]
    plan, pending = make_plan(home.mirror), mirror.pending()
    assert pending.digest == plan.digest
    assert [(c.remote, c.kind, c.key, c.id, c.label, c.where) for c in pending.changes] == [
        ("main", "item", I1, I1, I1, "Support")
    ]
    (edit,) = pending.changes[0].edits
    assert (edit.field, edit.before, edit.after) == ("input", "q", [1])


def test_a_conflict_shows_its_sides(home: Home, mirror: Mirror) -> None:
    with mirror.editing():
        mirror.item(I1).input = "ours"
    home.scan("item", item(I1, input="theirs"))
    (conflict,) = mirror.pending().conflicts
    (field,) = conflict.sides
    assert (field.field, field.base, field.ours, field.theirs) == ("input", "q", "ours", "theirs")
    assert field.reason.value == "changed on both sides"
