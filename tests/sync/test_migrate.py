"""Migrations once, again and again: exactly what changed is written, and both sides are equal."""

import pytest

from tests.sync.migrations import Road, rows
from tests.sync.restoring import editable, fill
from tests.sync.world import World


@pytest.fixture
def road(filled: World) -> Road:
    return Road(filled)


def test_everything_is_copied_once_and_compared(road: Road) -> None:
    world = road.world
    assert road.writes() == 3 + 12
    assert rows(world, 5) == rows(world, 1)
    assert editable(world, "spare") == editable(world, "prod")
    assert road.writes() == 0
    assert world.nothing_planned()


def test_three_edits_are_three_writes(road: Road) -> None:
    world, state = road.world, road.world.sandbox.state
    road.writes()
    ids = [row["id"] for row in state.rows("item")]
    state.update("item", ids[0], output={"new": 1})
    state.update("item", ids[5], metadata=None)
    state.update("dataset", state.rows("dataset")[0]["id"], name="called otherwise")
    assert road.writes() == 3
    assert rows(world, 5) == rows(world, 1)
    assert road.writes() == 0


def test_what_is_new_is_created_and_what_is_gone_stays(road: Road) -> None:
    world, state = road.world, road.world.sandbox.state
    road.writes()
    fill(world, 1, 2)
    state.delete("item", state.rows("item")[-1]["id"])
    assert road.writes() == 3
    assert len(state.rows("item", 5)) == len(state.rows("item")) + 1
    assert road.writes() == 0


def test_it_goes_back_and_forth(road: Road) -> None:
    world, state = road.world, road.world.sandbox.state
    road.writes()
    copy, original = state.rows("item", 5)[0], state.rows("item")[0]
    state.update("item", copy["id"], output="changed there")
    assert road.writes() == 0
    assert road.back.writes() == 1
    assert rows(world, 5) == rows(world, 1)
    state.update("item", original["id"], metadata={"changed": "here"})
    assert road.back.writes() == 0
    assert road.writes() == 1
    assert rows(world, 5) == rows(world, 1)
    assert (road.writes(), road.back.writes()) == (0, 0)


def test_a_look_changes_nothing_and_is_what_is_done(road: Road) -> None:
    road.pull()
    before = road.world.dump()
    found = road.look()
    assert road.world.dump() == before
    _, receipt = road.migrator().migrate(road.world.session, found.plan.digest)
    assert receipt.exit_code == 0
    assert {entry.spot for entry in receipt.entries} == {c.spot for c in found.plan.changes}
    assert all("verified" in entry.reason for entry in receipt.entries)
