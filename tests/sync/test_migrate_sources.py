"""Migrations from the past, from a file, and into what is there already."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dssync.core.receipt import Receipt
from dssync.core.snapshot import Snapshot
from dssync.mirror import links, pruning, snapshots
from dssync.sync import pull
from dssync.sync.forgetter import forget, naming
from dssync.sync.migrating import AMONG_EQUALS, Wishes
from dssync.sync.migrator import Migrator
from dssync.sync.past import Source
from dssync.sync.verifier import verify
from tests.sync.migrations import Road, rows
from tests.sync.restoring import SPARE, ids
from tests.sync.test_restore_elsewhere import carried
from tests.sync.world import World


@pytest.fixture
def road(filled: World) -> Road:
    return Road(filled)


def test_from_the_past_without_the_sources_server(road: Road) -> None:
    world, before = road.world, rows(road.world, 1)
    for id in ids(world, "item")[:3]:
        world.sandbox.state.update("item", id, output="newer")
    road.pull()
    with world.watched() as seen:
        receipt = road.migrator(at=1).migrate(world.session)[1]
    assert receipt.exit_code == 0
    assert {entry.path.split("/")[3] for entry in seen} == {"5"}
    assert rows(world, 5) == before
    assert road.writes() == 3
    assert rows(world, 5) == rows(world, 1)
    road.migrator(at=1).migrate(world.session)
    assert rows(world, 5) == before
    assert road.writes() == 3


def from_file(road: Road, file: Source) -> Receipt:
    @contextmanager
    def opening() -> Iterator[Source]:
        yield file

    migrator = Migrator(road.world.mirror, opening, SPARE, Wishes())
    return migrator.migrate(road.world.session)[1]


@pytest.mark.parametrize("known", [True, False])
def test_from_a_file_again_and_again(road: Road, tmp_path: Path, known: bool) -> None:
    """Whether or not this mirror knows the remote that was bundled."""
    world, state = road.world, road.world.sandbox.state
    theirs = world.another_mirror(tmp_path / "theirs.db")
    pull(theirs.mirror, [road.source], world.session)
    first = carried(theirs, 1)
    state.update("dataset", ids(world, "dataset")[0], name="second name", metadata={"n": 2})
    pull(theirs.mirror, [road.source], world.session)
    second = carried(theirs, 2)
    theirs.mirror.close()
    name = "prod" if known else "project 9 of https://elsewhere.test"
    files = [Source(name, None, "a file", (), each.read) for each in (first, second)]
    assert from_file(road, files[0]).count("applied") == 15
    [copy] = [row["id"] for row in state.rows("dataset", 5) if row["name"] == "set 2"]
    state.update("dataset", copy, description="edited there")
    road.pull()
    assert from_file(road, files[0]).count("applied") == 0
    assert from_file(road, files[1]).count("applied") == 1
    found = state.get("dataset", copy)
    assert (found["name"], found["description"]) == ("second name", "edited there")
    state.update("dataset", copy, name="third name")
    road.pull()
    assert from_file(road, files[1]).exit_code == 0
    receipt = from_file(road, files[0])
    assert receipt.exit_code == 4
    assert "name: changed on both sides" in receipt.entries[0].reason


def test_forgetting_and_pruning_keep_what_both_sides_agreed_on(road: Road) -> None:
    world, state = road.world, road.world.sandbox.state
    road.writes()
    [original] = [row["id"] for row in state.rows("dataset") if row["name"] == "set 0"]
    [copy] = [row["id"] for row in state.rows("dataset", 5) if row["name"] == "set 0"]
    for n in range(3):
        state.update("dataset", original, name=f"name {n}")
        world.pull()
    state.update("dataset", copy, description="edited there")
    world.pull()
    with world.mirror.database.read() as tx:
        taken = [each.run for each in road_snapshots(world)]
        assert pruning.known_at(tx, "prod", taken[0])
    forgetting = naming(world.mirror, taken[:-1], ["prod", "spare"])
    assert forget(world.mirror, forgetting, world.session, prune=True).exit_code == 0
    assert not verify(world.mirror).damages
    with world.mirror.database.read() as tx:
        ends = links.Ends("dataset", "prod", "spare")
        pairs = {original: links.find(tx, "spare", "dataset", "prod", [original])[original]}
        assert links.agreed(tx, ends, pairs)[original].values["name"] == "set 0"
    assert road.writes() == 1
    found = state.get("dataset", copy)
    assert (found["name"], found["description"]) == ("name 2", "edited there")


def road_snapshots(world: World) -> list[Snapshot]:

    with world.mirror.database.read() as tx:
        return list(snapshots.known(tx, ["prod"]))


def test_what_is_there_already_is_only_taken_over_on_demand(road: Road) -> None:
    world, state = road.world, road.world.sandbox.state
    home = state.insert("dataset", 5, name="set 0", description="theirs")
    fields = ("input", "output", "metadata", "ref_trace_id", "ref_source_id")
    [original] = [row["id"] for row in state.rows("dataset") if row["name"] == "set 0"]
    originals = [row for row in state.rows("item") if row["dataset"] == original]
    for row in originals[:2]:
        state.insert("item", 5, dataset=home, **{name: row[name] for name in fields})
    road.pull()
    assert road.look().done.twins == ["set 0"]
    found = road.look(match=True)
    assert found.done.matched == {"dataset": 1, "item": 2}
    assert found.plan.counts() == {"create": 2 + 10, "update": 1}
    assert road.writes(match=True) == 13
    assert rows(world, 5) == rows(world, 1)
    assert road.writes() == 0


def test_nobody_guesses_among_equals(road: Road) -> None:
    state = road.world.sandbox.state
    for project in (1, 5):
        home = state.insert("dataset", project, name="equals")
        for _ in range(2):
            state.insert("item", project, dataset=home, input="the same")
    receipt = road.go(match=True)
    assert receipt.exit_code == 4
    reasons = {e.reason for e in receipt.entries if e.outcome == "conflicted"}
    assert reasons == {AMONG_EQUALS}
    [home] = [row["id"] for row in state.rows("dataset", 5) if row["name"] == "equals"]
    assert len([row for row in state.rows("item", 5) if row["dataset"] == home]) == 2


def test_datasets_of_one_name_are_told_apart_by_what_is_in_them(road: Road) -> None:
    state = road.world.sandbox.state
    for project in (1, 5):
        for n in range(2):
            home = state.insert("dataset", project, name="twin")
            state.insert("item", project, dataset=home, input=f"of {n}")
    road.pull()
    assert road.look(match=True).done.matched == {"dataset": 2, "item": 2}
    assert road.writes(match=True) == 3 + 12
    assert rows(road.world, 5) == rows(road.world, 1)
