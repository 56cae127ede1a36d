"""A plan that somebody took long to consent to is read again before it is sent."""

import pytest

from tests.sync.world import World


def edited(world: World) -> list[str]:
    """Return three datasets, each edited here."""
    ids = [world.sandbox.state.insert("dataset", name=f"{n}", description="") for n in range(3)]
    world.pull()
    for id in ids:
        world.mirror.edit("dataset", id, {"description": "ours"})
    return ids


def there(world: World) -> dict[str, str]:
    return {row["id"]: row["description"] for row in world.sandbox.state.rows("dataset")}


@pytest.mark.parametrize("minutes", [1, 600])
def test_what_moved_while_somebody_thought_is_left_alone(world: World, minutes: int) -> None:
    first, second, third = edited(world)
    prepared = world.prepare()
    world.clock.advance(60 * minutes)
    world.sandbox.state.update("dataset", second, description="theirs")
    receipt = world.apply(prepared)
    assert receipt.exit_code == 6
    assert receipt.balanced
    outcomes = {entry.key: entry.outcome for entry in receipt.entries}
    assert outcomes == {first: "applied", second: "conflicted", third: "applied"}
    assert there(world) == {first: "ours", second: "theirs", third: "ours"}
    [conflict] = world.plan().conflicts
    assert conflict.key == second


def test_what_stood_still_is_sent_as_it_was_shown(world: World) -> None:
    ids = edited(world)
    prepared = world.prepare()
    world.clock.advance(60)
    receipt = world.apply(prepared)
    assert receipt.exit_code == 0
    assert receipt.planned == len(ids)
    assert set(there(world).values()) == {"ours"}


def test_a_quick_answer_costs_no_request(world: World) -> None:
    edited(world)

    def gets(seconds: float) -> int:
        prepared = world.prepare()
        world.clock.advance(seconds)
        world.sandbox.log.clear()
        world.apply(prepared)
        found = world.sandbox.log.by_method()["GET"]
        for row in world.sandbox.state.rows("dataset"):
            world.mirror.edit("dataset", row["id"], {"description": f"again {seconds}"})
        return found

    quick = gets(5)
    assert gets(60) > quick
