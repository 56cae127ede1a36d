"""What a neighbour's save takes back is noticed, whenever it happens and however little it is."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dssync.core.merge import Reason
from dssync.core.receipt import Receipt
from dssync.sandbox import Fault
from tests.sync.world import World


@pytest.fixture
def key(world: World) -> str:
    """Return the key of a dataset, pulled."""
    id = world.sandbox.state.insert(
        "dataset", name="old", description="old", metadata={"a": 1, "b": 1}
    )
    world.sandbox.state.insert("dataset", name="another")
    world.pull()
    return id


def after_patch(world: World, key: str, **values: Any) -> None:
    """Let a neighbour write once, after the first PATCH was answered."""
    left = [values]

    def meddle(request: httpx.Request) -> None:
        if request.method == "PATCH" and left:
            world.sandbox.state.update("dataset", key, **left.pop())

    world.meddle(after=meddle)


def reverted(world: World) -> set[str]:
    """Return the fields in conflict, all of which were reverted."""
    [conflicted] = world.plan().conflicts
    assert {conflict.reason for conflict in conflicted.conflicts} == {Reason.REVERTED}
    return {conflict.field for conflict in conflicted.conflicts}


def outcome(receipt: Receipt) -> str:
    [entry] = receipt.entries
    return entry.outcome


def test_one_key_of_a_pushed_object_is_enough(world: World, key: str) -> None:
    world.set("dataset", key, metadata='{"a": 2, "b": 1}')
    after_patch(world, key, metadata={"a": 1, "b": 5})
    assert outcome(world.push()) == "conflicted"
    assert reverted(world) == {"metadata"}
    world.pull()
    assert reverted(world) == {"metadata"}
    assert world.ours("dataset", key, "metadata") == '{"a": 2, "b": 1}'


def test_the_second_of_two_fields_is_taken_back_later(world: World, key: str) -> None:
    world.set("dataset", key, name="new", description="new")
    after_patch(world, key, name="old")
    assert outcome(world.push()) == "conflicted"
    assert reverted(world) == {"name"}
    world.sandbox.state.update("dataset", key, description="old")
    world.pull()
    assert reverted(world) == {"name", "description"}
    assert (world.ours("dataset", key, "name"), world.ours("dataset", key, "description")) == (
        "new",
        "new",
    )


def test_a_push_that_nobody_could_look_after_is_not_sent_again_over_a_neighbour(
    world: World, key: str
) -> None:
    world.set("dataset", key, description="new")

    def no_look_after(request: httpx.Request) -> None:
        if request.method == "PATCH":
            world.sandbox.faults.add(Fault("status", 503, method="GET", times=None))

    world.meddle(after=no_look_after)
    assert outcome(world.push()) == "applied"
    assert world.nothing_planned()
    world.network = None
    world.sandbox.faults.clear()
    world.sandbox.state.update("dataset", key, name="theirs", description="old")
    world.pull()
    assert reverted(world) == {"description"}
    assert world.ours("dataset", key, "name") == "theirs"


@pytest.mark.parametrize("pulled", [False, True], ids=["at once", "pulled between"])
def test_bringing_back_is_taken_back(world: World, key: str, pulled: bool) -> None:
    world.mirror.delete("dataset", key)
    assert outcome(world.push()) == "applied"
    if pulled:
        world.pull()
    world.mirror.undelete("dataset", key)
    after_patch(world, key, deleted=True)
    assert outcome(world.push()) == "conflicted"
    assert reverted(world) == {"deleted"}
    assert world.ours("dataset", key, "deleted") == 0


@pytest.mark.parametrize("when", ["at once", "later"])
def test_a_deletion_is_taken_back(world: World, key: str, when: str) -> None:
    world.mirror.delete("dataset", key)
    if when == "at once":
        after_patch(world, key, deleted=False)
        assert outcome(world.push()) == "conflicted"
    else:
        assert outcome(world.push()) == "applied"
        world.sandbox.state.undelete("dataset", key)
        world.pull()
    assert reverted(world) == {"deleted"}
    assert world.ours("dataset", key, "deleted") == 1


def test_what_others_changed_meanwhile_is_told_and_kept(world: World, key: str) -> None:
    world.set("dataset", key, description="new")
    world.sandbox.state.update("dataset", key, name="seen before")
    after_patch(world, key, name="seen after")
    receipt = world.push()
    assert outcome(receipt) == "applied"
    assert receipt.entries[0].reason == "somebody changed name meanwhile"
    kept = {name for (name,) in world.sql("SELECT name FROM datasets_history WHERE key = ?", key)}
    assert kept == {"old", "seen before"}
    world.pull()
    assert world.nothing_planned()
    assert world.ours("dataset", key, "name") == "seen after"


def test_a_second_edit_and_a_neighbours_edit_during_the_push_are_a_conflict(
    world: World, key: str
) -> None:
    world.set("dataset", key, description="new")

    def both(request: httpx.Request) -> None:
        if request.method == "PATCH":
            world.set("dataset", key, description="again")
            world.sandbox.state.update("dataset", key, description="theirs")

    world.meddle(after=both)
    world.push()
    world.network = None
    assert world.push().exit_code == 4
    assert world.raw("dataset", key)["description"] == '"theirs"'
    assert world.ours("dataset", key, "description") == "again"


Decide = Callable[[World, str], object]


def take_theirs(world: World, key: str) -> None:
    assert world.mirror.revert("dataset", key, ["name"])


def type_it_again(world: World, key: str) -> None:
    world.sandbox.state.update("dataset", key, name="new")


@pytest.mark.parametrize("decide", [take_theirs, type_it_again])
def test_a_reverted_field_is_decided_while_another_still_waits(
    world: World, key: str, decide: Decide
) -> None:
    world.set("dataset", key, name="new", description="new")
    after_patch(world, key, name="old")
    world.push()
    decide(world, key)
    world.pull()
    assert world.nothing_planned()
    assert not world.sql("SELECT key FROM datasets_pending")
    assert world.ours("dataset", key, "description") == "new"
