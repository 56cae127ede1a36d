"""Both sides edited between two migrations: merged, in conflict, and settled by `resolve`."""

from typing import Any

import pytest

from dssync.core.plan import Conflicted
from tests.sync.migrations import Road, rows
from tests.sync.restoring import ids
from tests.sync.world import World


@pytest.fixture
def road(filled: World) -> Road:
    """Everything was migrated once."""
    road = Road(filled)
    road.writes()
    return road


def both(road: Road, here: dict[str, Any], there: dict[str, Any]) -> tuple[str, str]:
    """Change a dataset and its copy; return their ids."""
    state = road.world.sandbox.state
    original = next(row["id"] for row in state.rows("dataset") if row["name"] == "set 0")
    copy = next(row["id"] for row in state.rows("dataset", 5) if row["name"] == "set 0")
    state.update("dataset", original, **here)
    state.update("dataset", copy, **there)
    return original, copy


def the_conflict(road: Road) -> Conflicted:
    [found] = road.world.plan().conflicts
    return found


def test_other_fields_and_keys_are_joined(road: Road) -> None:
    _, copy = both(
        road,
        {"metadata": {"n": 0, "here": 1}, "name": "renamed here"},
        {"metadata": {"n": 0, "there": 2}, "description": "said there"},
    )
    assert road.writes() == 1
    row = road.world.sandbox.state.get("dataset", copy)
    assert row["metadata"] == {"n": 0, "here": 1, "there": 2}
    assert (row["name"], row["description"]) == ("renamed here", "said there")
    assert road.writes() == 0
    assert road.back.writes() == 1
    assert rows(road.world, 1) == rows(road.world, 5)
    assert (road.writes(), road.back.writes()) == (0, 0)


def test_the_same_field_is_a_conflict_and_the_rest_goes(road: Road) -> None:
    state = road.world.sandbox.state
    _, copy = both(road, {"name": "here", "metadata": {"n": 9}}, {"name": "there"})
    state.update("item", ids(road.world, "item")[0], output="new")
    receipt = road.go()
    assert receipt.exit_code == 4
    assert receipt.count("applied") == receipt.count("conflicted") == 1
    [conflict] = the_conflict(road).conflicts
    assert (conflict.base, conflict.theirs, conflict.ours) == ("set 0", "there", "here")
    assert state.get("dataset", copy)["name"] == "there"
    again = road.go()
    assert (again.exit_code, again.count("conflicted")) == (4, 1)
    assert the_conflict(road).conflicts == (conflict,)


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_conflict_is_settled_once(road: Road, side: Any) -> None:
    _, copy = both(road, {"name": "here"}, {"name": "there"})
    road.go()
    found = the_conflict(road)
    shown = {c.field: c for c in found.conflicts}
    road.world.mirror.resolve("dataset", found.key, {"name": side}, shown)
    assert road.world.push().exit_code == 0
    assert road.writes() == 0
    name = road.world.sandbox.state.get("dataset", copy)["name"]
    assert name == {"ours": "here", "theirs": "there"}[side]
    assert road.world.nothing_planned()


def test_what_was_decided_and_not_pushed_is_not_overruled_from_the_other_side(road: Road) -> None:
    original, copy = both(road, {"name": "here"}, {"name": "there"})
    road.go()
    found = the_conflict(road)
    road.world.mirror.resolve(
        "dataset", found.key, {"name": "ours"}, {c.field: c for c in found.conflicts}
    )
    state = road.world.sandbox.state
    receipt = road.back.go()
    assert (receipt.exit_code, receipt.count("applied"), receipt.count("conflicted")) == (4, 0, 1)
    assert "wait here: push or revert them" in str(receipt.entries[0].reason)
    assert state.get("dataset", original)["name"] == "here"
    assert road.world.push().exit_code == 0
    assert (road.writes(), road.back.writes()) == (0, 0)
    assert state.get("dataset", copy)["name"] == "here"


def test_a_settled_conflict_goes_back(road: Road) -> None:
    both(road, {"name": "here"}, {"name": "there"})
    road.go()
    found = the_conflict(road)
    shown = {c.field: c for c in found.conflicts}
    road.world.mirror.resolve("dataset", found.key, {"name": "theirs"}, shown)
    assert road.back.writes() == 1
    assert rows(road.world, 1) == rows(road.world, 5)


def test_a_copy_that_was_deleted_stays_so_until_its_original_changes(road: Road) -> None:
    original, copy = both(road, {}, {"deleted": True})
    assert road.writes() == 0
    road.world.sandbox.state.update("dataset", original, name="changed")
    assert road.go().exit_code == 4
    assert the_conflict(road).conflicts[0].reason.value == "edited here, deleted there"
    assert copy not in ids(road.world, "dataset")


def test_copies_that_were_deleted_and_edits_that_wait_are_counted(road: Road) -> None:
    state = road.world.sandbox.state
    items = [row["id"] for row in state.rows("item", 5)][:2]
    for item in items:
        state.delete("item", item)
    original, _ = both(road, {}, {})
    road.pull()
    key = road.world.sql("SELECT key FROM links WHERE source_key = ?", original)[0][0]
    road.world.set("dataset", original, description="mine, not pushed")
    road.world.set("dataset", key, description="mine, not pushed either")
    found = road.look()
    assert (found.idle, found.done.buried) == (True, {"item": 2})
    assert found.unsent == 1
    assert road.look(only=("set 0",)).done.matched == {}


def test_an_edit_that_waits_here_is_not_overwritten(road: Road) -> None:
    original, _ = both(road, {"name": "here"}, {})
    key = road.world.sql("SELECT key FROM links WHERE source_key = ?", original)[0][0]
    road.world.set("dataset", key, description="mine, not pushed")
    receipt = road.go()
    assert receipt.exit_code == 4
    [entry] = receipt.entries
    assert entry.reason == "description: edited here since"
    assert road.world.ours("dataset", key, "description") == "mine, not pushed"
    road.world.push()
    assert road.writes() == 1


def test_what_was_undone_stays_undone_and_the_undo_can_be_undone(road: Road) -> None:
    from dssync.sync import apply_push
    from dssync.sync.undo import prepare_undo, undoable

    world = road.world
    original, copy = both(road, {"name": "here"}, {})
    run = road.go().run
    assert run is not None
    for number in (run, None):
        [(last,)] = world.sql("SELECT max(id) FROM runs WHERE command IN ('undo', 'migrate')")
        undoable(world.mirror, number or last)
        prepared = prepare_undo(world.mirror, number or last, world.remotes, world.session)
        undone = apply_push(
            world.mirror, prepared, world.remotes, world.session, command="undo", undoes=last
        )
        assert (undone.exit_code, undone.count("applied")) == (0, 1)
        name = world.sandbox.state.get("dataset", copy)["name"]
        assert name == ("set 0" if number else "here")
        assert road.writes() == 0
    assert world.sandbox.state.get("dataset", original)["name"] == "here"
