"""A push is taken back: what it changed is as before, and nothing that changed since is lost."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from dssync.core.brakes import Limit
from dssync.core.fields import KINDS, KindName
from dssync.core.merge import Reason
from dssync.core.receipt import Receipt
from dssync.errors import UsageError
from dssync.sync import Prepared, apply_push
from dssync.sync.undo import prepare_undo
from tests.sync.world import World

WIRE: Mapping[KindName, tuple[str, ...]] = {
    "dataset": ("name", "description", "metadata", "deleted"),
    "item": ("dataset", "input", "output", "metadata", "ref_trace_id", "deleted"),
}


def there(world: World, kind: KindName) -> dict[str, dict[str, Any]]:
    """Return what the server holds, deleted records included; a null flag is a clear one."""
    rows = world.sandbox.state.rows(kind) + world.sandbox.state.rows(kind, deleted=True)
    return {
        row["id"]: {name: row[name] or False if name == "deleted" else row[name] for name in names}
        for row in rows
        for names in [WIRE[kind]]
    }


def here(world: World, kind: KindName) -> dict[str, tuple[Any, ...]]:
    """Return the working copy, JSON parsed."""
    fields = KINDS[kind].fields
    rows = world.sql(f"SELECT key, {', '.join(KINDS[kind].names)} FROM {KINDS[kind].table}")
    return {
        key: tuple(
            json.loads(value) if field.type == "json" and value else value
            for field, value in zip(fields, values, strict=True)
        )
        for key, *values in rows
    }


def both(world: World) -> list[object]:
    return [side(world, kind) for kind in KINDS for side in (there, here)]


def prepare(world: World, number: int, limit: Limit | None = None) -> Prepared:
    return prepare_undo(world.mirror, number, world.remotes, world.session, limit=limit)


def undo(world: World, number: int, limit: Limit | None = None) -> Receipt:
    prepared = prepare(world, number, limit)
    receipt = apply_push(
        world.mirror, prepared, world.remotes, world.session, command="undo", undoes=number
    )
    assert receipt.balanced
    return receipt


def run_of(receipt: Receipt) -> int:
    assert receipt.run is not None
    return receipt.run


@pytest.fixture
def full(world: World) -> World:
    """Two datasets, one of them deleted on the server, and three items."""
    state = world.sandbox.state
    one = state.insert("dataset", name="one", description="first", metadata={"a": 1})
    two = state.insert("dataset", name="two")
    for n in range(3):
        state.insert("item", dataset=one, input={"n": n}, ref_trace_id=f"t{n}")
    world.pull()
    state.delete("dataset", two)
    world.pull()
    return world


def keys(world: World, kind: KindName) -> list[str]:
    order = {"dataset": "name", "item": "trace_id"}[kind]
    return [key for (key,) in world.sql(f"SELECT key FROM {KINDS[kind].table} ORDER BY {order}")]


def edit_everything(world: World) -> None:
    """Change, move, delete and bring back what there is."""
    one, two = keys(world, "dataset")
    first, second, third = keys(world, "item")
    world.set("dataset", one, description="ours", metadata='{"a": 2, "b": [1.0]}')
    world.set("dataset", two, deleted=0, name="two again")
    world.set("item", first, dataset=two, input='"ours"')
    world.set("item", second, input="null", trace_id=None)
    world.mirror.delete("item", third)


def test_a_push_and_its_undo_leave_both_sides_as_they_were(full: World) -> None:
    before = both(full)
    edit_everything(full)
    pushed = full.push()
    assert pushed.exit_code == 0
    assert both(full) != before

    receipt = undo(full, run_of(pushed))
    assert receipt.exit_code == 0
    assert {entry.outcome for entry in receipt.entries} == {"applied"}
    assert both(full) == before
    assert full.nothing_planned()
    full.pull()
    assert both(full) == before
    assert full.nothing_planned()


@pytest.mark.parametrize("pull", [False, True])
def test_an_undo_can_be_taken_back_as_well(full: World, pull: bool) -> None:
    edit_everything(full)
    pushed = full.push()
    after = both(full)
    if pull:
        full.pull()
    undone = undo(full, run_of(pushed))
    if pull:
        full.pull()
    again = undo(full, run_of(undone))
    assert again.exit_code == 0
    assert both(full) == after
    assert full.sql("SELECT id, command, undoes FROM runs WHERE undoes IS NOT NULL") == [
        (undone.run, "undo", pushed.run),
        (again.run, "undo", undone.run),
    ]


def test_what_a_run_made_is_deleted_items_first(full: World) -> None:
    before = there(full, "dataset"), there(full, "item")
    new = full.mirror.new("dataset", None, {"name": "made"})
    item = full.mirror.new("item", None, {"dataset": new, "input": "1"})
    pushed = full.push()
    receipt = undo(full, run_of(pushed))
    assert [(e.kind, e.action, e.outcome) for e in receipt.entries] == [
        ("item", "delete", "applied"),
        ("dataset", "delete", "applied"),
    ]
    live = {kind: {k for k, v in there(full, kind).items() if not v["deleted"]} for kind in KINDS}
    assert live == {
        "dataset": {k for k, v in before[0].items() if not v["deleted"]},
        "item": set(before[1]),
    }
    assert [full.ours(k, key, "deleted") for k, key in (("dataset", new), ("item", item))] == [1, 1]  # type: ignore[arg-type]
    again = undo(full, run_of(receipt))
    assert [entry.action for entry in again.entries] == ["undelete", "undelete"]
    assert len(there(full, "item")) == 4


def test_a_made_dataset_is_spared_while_items_of_others_lie_in_it(full: World) -> None:
    new = full.mirror.new("dataset", None, {"name": "made"})
    full.mirror.new("item", None, {"dataset": new, "input": "1"})
    pushed = full.push()
    full.sandbox.state.insert("item", dataset=full.ours("dataset", new, "id"), input="theirs")
    full.pull()
    receipt = undo(full, run_of(pushed))
    assert [(e.kind, e.action, e.outcome) for e in receipt.entries] == [
        ("dataset", "delete", "skipped"),
        ("item", "delete", "applied"),
    ]
    assert "1 item lies in it that would outlive it" in receipt.entries[0].reason


def test_a_made_dataset_is_spared_when_an_item_in_it_was_changed(full: World) -> None:
    new = full.mirror.new("dataset", None, {"name": "made"})
    item = full.mirror.new("item", None, {"dataset": new, "input": "1"})
    pushed = full.push()
    full.sandbox.state.update("item", full.ours("item", item, "id"), input="theirs")
    receipt = undo(full, run_of(pushed))
    assert {e.kind: e.outcome for e in receipt.entries} == {
        "dataset": "skipped",
        "item": "conflicted",
    }
    assert len(full.asked("PATCH")) == 0


@pytest.mark.parametrize("pulled", [False, True])
def test_what_somebody_changed_since_stays_and_is_shown_and_the_rest_goes(
    full: World, pulled: bool
) -> None:
    first, second, third = keys(full, "item")
    for item in (first, second, third):
        full.set("item", item, input='"ours"')
    pushed = full.push()
    full.sandbox.state.update("item", first, input="theirs")
    full.sandbox.state.update("item", second, ref_trace_id="theirs")
    if pulled:
        full.pull()

    prepared = prepare(full, run_of(pushed))
    (conflicted,) = prepared.plan.conflicts
    (conflict,) = conflicted.conflicts
    assert conflicted.key == first
    assert conflict.reason is Reason.SINCE
    assert [json.loads(str(v)) for v in (conflict.base, conflict.theirs, conflict.ours)] == [
        "ours",
        "theirs",
        {"n": 0},
    ]
    receipt = undo(full, run_of(pushed))
    assert receipt.exit_code == 4
    rows = there(full, "item")
    assert [rows[key]["input"] for key in (first, second, third)] == ["theirs", {"n": 1}, {"n": 2}]
    assert rows[second]["ref_trace_id"] == "theirs"
    full.pull()
    assert full.nothing_planned()


def test_a_key_that_somebody_added_to_the_same_field_keeps_the_record_out(full: World) -> None:
    (one, _) = keys(full, "dataset")
    full.set("dataset", one, metadata='{"a": 2}')
    pushed = full.push()
    full.sandbox.state.update("dataset", one, metadata={"a": 2, "b": 3})
    assert undo(full, run_of(pushed)).exit_code == 4
    assert there(full, "dataset")[one]["metadata"] == {"a": 2, "b": 3}


def test_what_is_edited_here_since_is_left_alone(full: World) -> None:
    first, second, _ = keys(full, "item")
    full.set("item", first, input='"ours"')
    full.set("item", second, input='"ours"')
    pushed = full.push()
    full.set("item", first, trace_id="edited")
    receipt = undo(full, run_of(pushed))
    assert receipt.exit_code == 4
    assert [(e.key, e.outcome, e.reason) for e in receipt.entries] == [
        (first, "conflicted", "trace_id: edited here since"),
        (second, "applied", ""),
    ]
    assert [(change.key, change.after) for change in full.plan().changes] == [
        (first, {"trace_id": "edited"})
    ]


def test_what_is_edited_while_somebody_thinks_about_the_plan_is_left_alone(full: World) -> None:
    first, second, _ = keys(full, "item")
    full.set("item", first, input='"ours"')
    full.set("item", second, input='"ours"')
    pushed = full.push()
    prepared = prepare(full, run_of(pushed))
    full.set("item", first, trace_id="edited")
    receipt = apply_push(full.mirror, prepared, full.remotes, full.session, command="undo")
    assert {e.key: e.outcome for e in receipt.entries} == {first: "skipped", second: "applied"}
    assert full.ours("item", first, "input") == '"ours"'
    assert [change.after for change in full.plan().changes] == [{"trace_id": "edited"}]


def test_an_undone_run_has_nothing_left(full: World) -> None:
    edit_everything(full)
    pushed = full.push()
    undo(full, run_of(pushed))
    prepared = prepare(full, run_of(pushed))
    assert not prepared.plan
    assert not prepared.plan.conflicts
    assert {entry.outcome for entry in prepared.dropped} == {"skipped"}


def test_only_some_records_are_taken_back(full: World) -> None:
    first, second, third = keys(full, "item")
    full.set("item", first, input='"ours"')
    full.set("item", second, input='"ours"')
    number = run_of(full.push())

    def prepared(key: str) -> Prepared:
        record = full.mirror.find(key)
        return prepare_undo(full.mirror, number, full.remotes, full.session, records=[record])

    assert [change.key for change in prepared(second).plan.changes] == [second]
    with pytest.raises(UsageError, match=f"run {number} had nothing to do with item {third}"):
        prepared(third)


def test_nothing_is_written_before_the_consent(full: World) -> None:
    edit_everything(full)
    pushed = full.push()
    before, server = full.dump(), both(full)
    with full.watched() as requests:
        prepare(full, run_of(pushed))
    assert full.dump() == before
    assert both(full) == server
    assert {request.method for request in requests} == {"GET"}
