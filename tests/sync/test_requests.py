"""What a push costs, in requests, by the server's own log.

    datasets: E + 2 ⌈E/100⌉ + 4
    items of one dataset of N: E + 2 min(E, ⌈N/p⌉) + 2

E are the edited records, p is the rows of a page; the constant is what it takes to see, before and
after the question, which contract the server speaks.
"""

from collections.abc import Sequence
from math import ceil

import pytest

from dssync.core.fields import KindName
from dssync.core.sizing import MOST_ROWS, PAGE_BYTES
from dssync.sandbox import Entry
from tests.sync.world import World

PROBES: dict[KindName, int] = {"dataset": 4, "item": 2}
"""With items there, one request each tells the contract and the team; without, it takes two."""


def by_id(edited: int) -> int:
    return 2 * ceil(edited / 100)


def by_walk(edited: int, items: int, page: int = MOST_ROWS) -> int:
    return 2 * min(edited, ceil(items / page))


def fill(world: World, items: int, value: object = "old", name: str = "one") -> list[str]:
    """Return the ids of a new dataset's items, newest first."""
    state = world.sandbox.state
    dataset = state.insert("dataset", name=name)
    return [state.insert("item", dataset=dataset, input=value) for _ in range(items)][::-1]


def spread(keys: Sequence[str], count: int) -> list[str]:
    """Choose that many, the newest and the oldest among them."""
    if count == 1:
        return [keys[-1]]
    return [keys[at * (len(keys) - 1) // (count - 1)] for at in range(count)]


def pushed(world: World) -> list[Entry]:
    """Push, and return the requests it took."""
    with world.watched() as seen:
        receipt = world.push()
    assert receipt.exit_code == 0
    assert {entry.outcome for entry in receipt.entries} == {"applied"}
    return seen


def edit(world: World, kind: KindName, keys: Sequence[str], number: int) -> None:
    column = "input" if kind == "item" else "description"
    for key in keys:
        world.set(kind, key, **{column: str(number)})


def check_datasets(world: World, sizes: Sequence[int]) -> None:
    ids = [world.sandbox.state.insert("dataset", name=f"{n}") for n in range(max(sizes))]
    world.pull()
    for number, edited in enumerate(sizes):
        edit(world, "dataset", ids[:edited], number)
        requests = len(pushed(world))
        assert requests == edited + by_id(edited) + PROBES["dataset"], edited


def check_items(world: World, items: int, sizes: Sequence[int]) -> None:
    keys = fill(world, items)
    world.pull()
    for number, edited in enumerate(sizes):
        edit(world, "item", spread(keys, edited), number)
        requests = len(pushed(world))
        assert requests == edited + by_walk(edited, items) + PROBES["item"], (edited, items)


def test_edited_datasets_are_read_by_the_hundred(world: World) -> None:
    check_datasets(world, (1, 100, 101))


@pytest.mark.parametrize(
    ("items", "sizes"), [(10, (1, 3, 10)), (500, (1, 3, 40)), (2_500, (1, 3, 4))]
)
def test_edited_items_are_read_one_by_one_or_by_walking_their_dataset(
    world: World, items: int, sizes: Sequence[int]
) -> None:
    check_items(world, items, sizes)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_cost_of_many_edits(world: World) -> None:
    check_datasets(world, (1, 3, 99, 100, 101, 250))


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("items", [10, 500, 2_500])
def test_the_cost_of_many_edits_in_a_dataset(world: World, items: int) -> None:
    check_items(world, items, [e for e in (1, 3, 99, 100, 101, 250) if e <= items])


def test_pages_are_as_large_as_4_megabytes_of_the_items_that_are_there(world: World) -> None:
    size, items = 400_000, 25
    page = PAGE_BYTES // size
    keys = fill(world, items, "x" * (size - 200))
    world.pull()
    for edited in (2, 3, 4):
        for key in spread(keys, edited):
            world.set("item", key, trace_id=f"{edited}")
        seen = pushed(world)
        assert len(seen) == edited + by_walk(edited, items, page) + PROBES["item"]
    assert {e.query["limit"] for e in seen if "dataset" in e.query} == {str(page)}


def test_each_dataset_is_walked_or_not_as_its_own_edits_are_worth_it(world: World) -> None:
    large, small = fill(world, 1_200), fill(world, 30)
    world.pull()
    edit(world, "item", [large[5], *small[:7]], 1)
    assert len(pushed(world)) == 8 + by_walk(1, 1_200) + by_walk(7, 30) + PROBES["item"]
    edit(world, "item", [*large[:5], small[0]], 2)
    # what is edited lies on the first of two pages, and the second is not asked for
    assert len(pushed(world)) == 6 + 2 * 1 + by_walk(1, 30) + PROBES["item"]


@pytest.mark.parametrize("count", [1, 3, 12])
def test_deleting_items_and_bringing_them_back(world: World, count: int) -> None:
    keys = fill(world, 1_200)
    world.pull()
    chosen = spread(keys, count)
    for deleted in (1, 0):
        for key in chosen:
            world.set("item", key, deleted=deleted)
        requests = len(pushed(world))
        assert requests == count + by_walk(count, 1_200) + PROBES["item"]
    assert world.pull().exit_code == 0
    assert world.nothing_planned()


@pytest.mark.parametrize("count", [1, 3, 12])
def test_moving_items_walks_where_they_were_and_where_they_are(world: World, count: int) -> None:
    keys, others = fill(world, 1_200), fill(world, 10, name="two")
    world.pull()
    home = world.sandbox.state.get("item", others[0])["dataset"]
    for key in spread(keys, count):
        world.set("item", key, dataset=home)
    before, after = by_walk(count, 1_200) // 2, by_walk(count, 10 + count) // 2
    assert len(pushed(world)) == count + before + after + PROBES["item"]


@pytest.mark.parametrize("count", [1, 3, 12])
def test_new_items_are_only_looked_after(world: World, count: int) -> None:
    keys = fill(world, 1_200)
    world.pull()
    home = world.sandbox.state.get("item", keys[0])["dataset"]
    for _ in range(count):
        world.mirror.new("item", None, {"dataset": home, "input": "1"})
    # new items come first in the list, so one page shows them all
    looks = 1 if count > 2 else count
    assert len(pushed(world)) == count + looks + PROBES["item"]


def test_a_dataset_that_grew_is_left_when_asking_one_by_one_is_cheaper(world: World) -> None:
    keys = fill(world, 30)
    world.pull()
    home = world.sandbox.state.get("item", keys[0])["dataset"]
    for _ in range(3_500):
        world.sandbox.state.insert("item", dataset=home, input="later")
    edit(world, "item", keys[:3], 1)
    seen = pushed(world)
    assert len(seen) <= 3 + 2 * (1 + 3) + PROBES["item"]


def test_an_item_of_a_dataset_that_is_gone_is_asked_for_by_itself(world: World) -> None:
    keys = fill(world, 30)
    world.pull()
    home = world.sandbox.state.get("item", keys[0])["dataset"]
    edit(world, "item", keys[:3], 1)
    world.sandbox.state.remove("dataset", home)
    assert len(pushed(world)) == 3 + 2 * (1 + 3) + PROBES["item"]
