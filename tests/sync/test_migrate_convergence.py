"""Whatever both sides edit, migrations to and fro make them equal, and then write nothing."""

import random
from typing import Any

import pytest

from dssync.sync.verifier import verify
from tests.sync.migrations import Road, rows
from tests.sync.restoring import fill
from tests.sync.world import World

VALUES: list[Any] = [
    None,
    1,
    1.0,
    "",
    "x",
    [],
    {},
    {"a": 1},
    {"a": 2, "b": {"c": 1}},
    {"b": {"d": 2}},
]


def meddle(world: World, chance: random.Random, project: int) -> None:
    """Edit, move or add something, as somebody does on a server."""
    state = world.sandbox.state
    homes = [row["id"] for row in state.rows("dataset", project)]
    items = [row["id"] for row in state.rows("item", project)]
    home, item = chance.choice(homes), chance.choice(items)
    match chance.randrange(6):
        case 0:
            state.update("dataset", home, name=f"name {chance.randrange(3)}")
        case 1:
            state.update("dataset", home, metadata=chance.choice(VALUES))
        case 2:
            state.update("item", item, dataset=home)
        case 3:
            state.insert("item", project, dataset=home, input=chance.choice(VALUES))
        case _:
            field = chance.choice(["input", "output", "metadata", "ref_trace_id"])
            value = chance.choice(["t", "u", None] if field == "ref_trace_id" else VALUES)
            state.update("item", item, **{field: value})


def settle(road: Road, chance: random.Random) -> None:
    """Migrate, decide what is in conflict, and push the decisions."""
    assert road.go().exit_code in (0, 4)
    assert not verify(road.world.mirror).damages
    for found in road.world.plan().conflicts:
        shown = {conflict.field: conflict for conflict in found.conflicts}
        choices: Any = {name: chance.choice(["ours", "theirs"]) for name in shown}
        road.world.mirror.resolve(found.kind, found.key, choices, shown)
    assert road.world.push().exit_code == 0


def play(world: World, seed: int, rounds: int) -> None:
    chance = random.Random(seed)
    fill(world, 2, 5)
    road = Road(world)
    settle(road, chance)
    for _ in range(rounds):
        for _ in range(chance.randrange(5)):
            meddle(world, chance, chance.choice([1, 5]))
        settle(chance.choice([road, road.back]), chance)
    settle(road, chance)
    settle(road.back, chance)
    assert rows(world, 5) == rows(world, 1), seed
    assert (road.writes(), road.back.writes()) == (0, 0), seed


@pytest.fixture
def two(world: World) -> World:
    world.sandbox.add_project(5, "Spare")
    return world


def test_three_seeds(two: World) -> None:
    two.remotes = [Road(two).source, Road(two).remote]
    play(two, 1, 3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100))
def test_100_seeds(two: World, seed: int) -> None:
    two.remotes = [Road(two).source, Road(two).remote]
    play(two, seed, 5)
