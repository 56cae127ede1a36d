"""100 datasets and 10,000 items: equal by value, then no writes, then three for three edits."""

import pytest

from tests.sync.migrations import Road, rows
from tests.sync.restoring import editable, fill
from tests.sync.world import World


def play(world: World, datasets: int, items: int) -> dict[str, int]:
    """Migrate hostile contents, and count the requests of each round."""
    state, road = world.sandbox.state, Road(world)
    fill(world, datasets, items)
    counts: dict[str, int] = {}

    def count(name: str) -> None:
        with world.watched() as seen:
            receipt = road.go()
        assert receipt.exit_code == 0, (receipt.troubles, receipt.entries[:3])
        assert rows(world, 5) == rows(world, 1)
        counts[name] = sum(each.method != "GET" for each in seen)
        counts[f"{name}, reads"] = sum(each.method == "GET" for each in seen)

    count("first")
    assert editable(world, "spare") == editable(world, "prod")
    count("again")
    ids = [row["id"] for row in state.rows("item")]
    state.update("item", ids[0], output={"edited": True})
    state.update("item", ids[-1], metadata=["edited"])
    state.update("dataset", state.rows("dataset")[0]["id"], description="edited")
    count("edited")
    count("again then")
    return counts


def check(counts: dict[str, int], datasets: int, items: int) -> None:
    """Hold the counts against the formula of docs/migrate.md."""
    assert counts["first"] == datasets + items
    assert (counts["again"], counts["edited"], counts["again then"]) == (0, 3, 0)
    # reading what was written: no request a record, at most one more page a dataset
    pages = 3 * 2 * (items // 100 + 8) + datasets // 100 + datasets + items // 100 + 10
    assert counts["first, reads"] <= pages


@pytest.fixture
def two(world: World) -> World:
    world.sandbox.add_project(5, "Spare")
    return world


def test_6_datasets_and_120_items(two: World) -> None:
    check(play(two, 6, 120), 6, 120)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_100_datasets_and_10_000_items(two: World) -> None:
    counts = play(two, 100, 10_000)
    check(counts, 100, 10_000)
