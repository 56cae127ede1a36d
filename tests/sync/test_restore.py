"""The past comes back: into the same project, another, an empty one; and a second time nothing."""

import pytest

from tests.sync.restoring import EMPTY, SPARE, editable, fill, go_back, push, run_of
from tests.sync.world import PROD, World


@pytest.fixture
def world(world: World) -> World:
    """Two more projects, empty, on the same server."""
    world.sandbox.add_project(5, "Spare")
    world.sandbox.add_project(6, "Empty")
    world.remotes = [PROD, SPARE, EMPTY]
    return world


def everything_changes(world: World, items: list[str]) -> None:
    """Let other people edit, delete, lose, move and make records."""
    state = world.sandbox.state
    homes = [row["id"] for row in state.rows("dataset")]
    for n, id in enumerate(items):
        if n % 3 == 0:
            state.update("item", id, input={"changed": n}, metadata=None, ref_trace_id="other")
        elif n % 7 == 1:
            state.delete("item", id)
        elif n % 11 == 2:
            state.update("item", id, dataset=homes[-1])
    state.update("dataset", homes[0], name="renamed", description="", metadata=[])
    state.delete("dataset", homes[1])
    new = state.insert("dataset", name="new")
    for n in range(5):
        state.insert("item", dataset=new, input=n)


def play(world: World, count: int) -> None:
    items = fill(world, 4, count)
    state = world.sandbox.state
    other = state.insert("dataset", 5, name="theirs")
    state.insert("item", 5, dataset=other, input="theirs")
    world.pull()
    run, before = run_of(world), editable(world, "prod")
    everything_changes(world, items)
    world.pull()
    assert editable(world, "prod") != before
    # the same project
    assert go_back(world, run).plan.changes
    assert editable(world, "prod") == before
    assert push(world) > count // 3
    world.pull()
    assert editable(world, "prod") == before
    assert not go_back(world, run).plan
    assert push(world) == 0
    # another project, which has records of its own
    theirs = editable(world, "spare")
    done = go_back(world, run, to="spare")
    assert done.apart == {"dataset": 1, "item": 1}
    assert done.toll.made == {"dataset": 4, "item": count}
    assert push(world) == count + 4
    world.pull()
    for kind, rows in editable(world, "spare").items():
        assert rows == sorted([*theirs[kind], *before[kind]], key=repr)
    assert not go_back(world, run, to="spare").plan
    assert push(world) == 0
    # an empty project
    assert go_back(world, run, to="empty").apart == {}
    assert push(world) == count + 4
    world.pull()
    assert editable(world, "empty") == before
    assert not go_back(world, run, to="empty").plan
    assert push(world) == 0


def test_300_hostile_records_come_back_everywhere(world: World) -> None:
    play(world, 300)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_10_000_hostile_records_come_back_everywhere(world: World) -> None:
    play(world, 10_000)


def test_into_an_empty_project_and_again_after_more_changes(world: World) -> None:
    items = fill(world, 2, 12)
    world.pull()
    first, before = run_of(world), editable(world, "prod")
    done = go_back(world, first, to="spare")
    assert (done.apart, done.left) == ({}, ())
    assert editable(world, "spare") == before
    assert not go_back(world, first, to="spare").plan  # before the push, too
    push(world)
    world.pull()
    everything_changes(world, items)
    world.pull()
    second = run_of(world)
    go_back(world, second, to="spare")
    push(world)
    world.pull()
    after = editable(world, "spare")
    assert after["dataset"] == editable(world, "prod")["dataset"]
    go_back(world, first, to="spare")
    push(world)
    world.pull()
    new = {"dataset": 1, "item": 5}  # they were made after that snapshot, and are left alone
    assert go_back(world, first, to="spare").apart == new
    assert len(editable(world, "spare")["item"]) == 12 + 5
    assert not world.sql("SELECT key FROM links GROUP BY remote, kind, key HAVING count(*) > 1")
