"""Restores one by one: what was lost, moved, broken, unreadable, edited here, or killed."""

from typing import Any

import pytest

from dssync.core.brakes import Limit
from dssync.errors import Brake, MirrorDamaged, UnknownRecord, UsageError
from tests.sync.restoring import Editable, editable, go_back, ids, push, run_of
from tests.sync.world import World

POISON = 2**70


def wipe(world: World) -> None:
    """Lose everything at the server, and believe it."""
    state = world.sandbox.state
    for kind in ("item", "dataset"):
        for row in list(state.rows(kind)):
            state.remove(kind, row["id"])
    world.pull(limit=Limit(share=1))


def bring_back(world: World, run: int, before: Editable) -> None:
    """Restore what the server no longer has: undeletes are tried, then everything is remade."""
    go_back(world, run)
    receipt = world.push()
    assert (receipt.exit_code, receipt.count("applied")) == (3, 0)
    done = go_back(world, run)
    assert done.toll.made == {"dataset": 3, "item": 12}
    assert set(done.plan.counts()) == {"create"}
    assert push(world) == 15
    world.pull()
    assert editable(world, "prod") == before


def test_after_the_remote_was_wiped_and_wiped_again(filled: World) -> None:
    before = editable(filled, "prod")
    for _ in range(2):
        wipe(filled)
        bring_back(filled, 1, before)
        assert not go_back(filled, 1).plan
    # every record kept its key through two lives, and a later snapshot knows it by that
    assert run_of(filled) > 1
    assert not go_back(filled, run_of(filled)).plan
    assert len(filled.sql("SELECT key FROM items WHERE deleted IS NOT 1")) == 12


def test_a_lost_dataset_comes_back_with_its_items(filled: World) -> None:
    before = editable(filled, "prod")
    filled.sandbox.state.remove("dataset", ids(filled, "dataset")[1])
    filled.pull()
    go_back(filled, 1)
    assert filled.push().exit_code == 3
    done = go_back(filled, 1)
    assert done.plan.counts() == {"create": 1, "update": 4}
    push(filled)
    filled.pull()
    assert editable(filled, "prod") == before
    assert not go_back(filled, 1).plan


def test_one_dataset_alone_with_items_that_moved_in_and_out(filled: World) -> None:
    state, before = filled.sandbox.state, editable(filled, "prod")
    three, two, one = ids(filled, "dataset")  # newest first
    items = {row["id"]: row["dataset"] for row in state.rows("item")}
    out = next(id for id, home in items.items() if home == one)
    came = next(id for id, home in items.items() if home == two)
    elsewhere = next(id for id, home in items.items() if home == three)
    state.update("item", out, dataset=two)
    state.update("item", came, dataset=one)
    state.update("item", elsewhere, input="stays changed")
    state.insert("item", dataset=one, input="new")
    state.update("dataset", three, name="stays renamed")
    filled.pull()
    with pytest.raises(UnknownRecord, match="stays renamed"):
        go_back(filled, 1, dataset="stays renamed")
    done = go_back(filled, 1, dataset="set 0")
    assert done.plan.counts() == {"update": 2, "delete": 1}
    push(filled)
    filled.pull()
    now = editable(filled, "prod")
    for name in ("set 0", "set 1"):
        assert [i for i in now["item"] if i[0] == name] == [
            i for i in before["item"] if i[0] == name
        ]
    assert filled.ours("item", elsewhere, "input") == '"stays changed"'
    assert go_back(filled, 1).plan.counts() == {"update": 2}


def test_pending_edits_are_named_and_dropped_only_when_told(filled: World) -> None:
    key = ids(filled, "item")[0]
    filled.set("item", key, input='"mine"')
    new = filled.mirror.new("dataset", "prod", {"name": "made here"})
    filled.mirror.new("item", None, {"dataset": new, "input": "1"})
    before = filled.dump()
    with pytest.raises(UsageError) as refused:
        go_back(filled, 1)
    assert f"item {key}" in refused.value.message
    assert "dataset made here" in refused.value.message
    assert filled.dump() == before
    assert go_back(filled, 1, discard=True).dropped == 3
    assert filled.nothing_planned()
    assert not filled.sql("SELECT key FROM datasets WHERE key = ?", new)


def test_conflicts_are_dropped_too(filled: World) -> None:
    key = ids(filled, "item")[0]
    held = filled.ours("item", key, "metadata")
    filled.set("item", key, metadata='"ours"')
    filled.sandbox.state.update("item", key, metadata="theirs")
    filled.pull()
    assert filled.plan().conflicts
    done = go_back(filled, 1, discard=True)
    assert (done.plan.counts(), done.plan.conflicts) == ({"update": 1}, ())
    push(filled)
    assert filled.raw("item", key)["metadata"] == (held or "null")


def test_a_dry_one_shows_the_same_plan_and_changes_nothing(filled: World) -> None:
    filled.sandbox.state.update("item", ids(filled, "item")[0], input="changed")
    filled.sandbox.state.insert("dataset", name="new")
    filled.pull()
    before = filled.dump()
    for to in (None, "spare"):
        shown = go_back(filled, 1, to, dry=True)
        assert filled.dump() == before
        assert shown.plan.counts() == go_back(filled, 1, to).plan.counts()
        for kind, key in filled.mirror.touched_keys():
            filled.mirror.revert(kind, key)
        before = filled.dump()


def test_what_was_deleted_then_is_deleted_again(filled: World) -> None:
    state = filled.sandbox.state
    item, home = ids(filled, "item")[0], ids(filled, "dataset")[2]
    state.delete("item", item)
    state.delete("dataset", home)
    filled.pull()
    run, before = run_of(filled), editable(filled, "prod")
    state.update("item", item, deleted=False)
    state.update("dataset", home, deleted=False)
    filled.pull()
    assert go_back(filled, run).plan.counts() == {"delete": 2}
    push(filled)
    filled.pull()
    assert editable(filled, "prod") == before


def test_a_large_loss_is_stopped_at_the_push(filled: World) -> None:
    for n in range(30):
        filled.sandbox.state.insert("item", dataset=ids(filled, "dataset")[0], input=n)
    filled.pull()
    assert go_back(filled, 1).plan.counts() == {"delete": 30}
    with pytest.raises(Brake):
        filled.push()


def test_a_null_key_an_absent_key_and_null_are_three(filled: World) -> None:
    key = ids(filled, "dataset")[0]
    shapes: list[Any] = [{"a": None}, {}, None]
    runs = []
    for shape in shapes:
        filled.sandbox.state.update("dataset", key, metadata=shape)
        filled.pull()
        runs.append(run_of(filled))
    for run, shown in zip(runs, ('{"a":null}', "{}", "null"), strict=True):
        go_back(filled, run)
        push(filled)
        filled.pull()
        assert filled.raw("dataset", key)["metadata"] == shown


def test_unreadable_records_come_back_as_last_read(filled: World) -> None:
    key, before = ids(filled, "item")[0], editable(filled, "prod")
    filled.sandbox.state.update("item", key, metadata=POISON)
    filled.pull()
    run = run_of(filled)
    assert run > 1
    filled.sandbox.state.update("item", key, metadata="repaired")
    filled.clock.advance(7200)
    filled.pull()
    done = go_back(filled, run)
    assert [each.key for each in done.unread] == [key]
    assert done.plan.counts() == {"update": 1}
    assert editable(filled, "prod") == before


def test_a_broken_state_is_refused_by_name(filled: World) -> None:
    key = ids(filled, "item")[0]
    filled.sandbox.state.update("item", key, input="changed")
    filled.pull()
    filled.sql("UPDATE items_history SET metadata = '\"forged\"' WHERE key = ?", key)
    before = filled.dump()
    with pytest.raises(MirrorDamaged, match=f"item {key}: a past content of it is not"):
        go_back(filled, 1)
    with pytest.raises(MirrorDamaged, match="snapshot 1 of prod is damaged"):
        go_back(filled, 1, "spare")
    assert filled.dump() == before


def test_a_row_written_past_the_triggers_is_refused_by_name(filled: World) -> None:
    key = ids(filled, "item")[0]
    with filled.mirror.database.unit(9) as tx:
        tx.exec_driver_sql("UPDATE items SET input = '\"forged\"' WHERE key = ?", (key,))
    with pytest.raises(MirrorDamaged, match=key):
        go_back(filled, 1, "spare")


def test_a_snapshot_that_lost_a_record_is_refused(filled: World) -> None:
    with filled.mirror.database.unit(9) as tx:
        tx.exec_driver_sql("DELETE FROM items WHERE key = ?", (ids(filled, "item")[0],))
    with pytest.raises(MirrorDamaged, match="1 of prod is damaged: what is kept does not add up"):
        go_back(filled, 1)
