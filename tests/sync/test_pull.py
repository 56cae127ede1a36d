"""A pull brings everything, and a second one changes nothing but the account of the runs."""

from math import ceil

import pytest

from dssync.core.receipt import ScanCount
from dssync.sandbox import generate
from dssync.sync import RemoteStatus, read_status
from tests.sync.world import World

ACCOUNTS = ("runs", "scans", "receipts", "snapshots", "sqlite_sequence")


def test_300_datasets_and_5000_items_pulled_twice_are_the_same_mirror(world: World) -> None:
    generate(world.sandbox.state, datasets=300, items=5_000, seed=1)
    first = world.pull()
    assert first.exit_code == 0
    assert [(s.kind, s.outcome, s.new) for s in first.scans] == [
        ("dataset", "complete", 300),
        ("item", "complete", 5_000),
    ]
    assert world.nothing_planned()
    before = world.dump(without=ACCOUNTS)
    assert (len(before["datasets"]), len(before["items"])) == (300, 5_000)

    again = world.pull()
    assert [(s.new, s.changed, s.unchanged) for s in again.scans] == [(0, 0, 300), (0, 0, 5_000)]
    assert world.dump(without=ACCOUNTS) == before


def test_a_pull_brings_every_field_of_both_kinds(world: World) -> None:
    state = world.sandbox.state
    dataset = state.insert("dataset", name="one", description="", metadata={"b": 1, "aa": [1.0]})
    item = state.insert(
        "item",
        dataset=dataset,
        input="é",
        output=None,
        metadata=3,
        ref_trace_id="t",
        ref_source_id="s",
        ref_timestamp="2026-01-02T03:04:05+01:00",
    )
    world.pull()
    [found] = world.sql("SELECT id, name, description, metadata, deleted FROM datasets")
    assert found == (dataset, "one", "", '{"b":1,"aa":[1.0]}', 0)
    [found] = world.sql(
        "SELECT id, dataset, input, expected_output, source_output, metadata,"
        " trace_id, event_id, trace_timestamp, deleted FROM items"
    )
    when = "2026-01-02T02:04:05Z"
    assert found == (item, dataset, '"é"', None, None, "3", "t", "s", when, 0)
    rows = world.sql(
        "SELECT created_at, updated_at FROM datasets UNION ALL"
        " SELECT created_at, updated_at FROM items"
    )
    shown = [state.get("dataset", dataset), state.get("item", item)]
    assert rows == [(row["created_at"], row["updated_at"]) for row in shown]


def test_what_a_colleague_changes_arrives_and_its_past_stays(world: World) -> None:
    state = world.sandbox.state
    dataset = state.insert("dataset", name="before")
    world.pull()
    state.update("dataset", dataset, name="after", metadata={"a": 1})
    receipt = world.pull()
    assert [s.changed for s in receipt.scans] == [1, 0]
    assert world.ours("dataset", dataset, "name") == "after"
    past = world.sql("SELECT name, metadata, run, until_run FROM datasets_history")
    assert past == [("before", None, 1, 2)]
    assert world.nothing_planned()


def test_a_colleagues_new_profile_is_no_change_of_their_records(world: World) -> None:
    state = world.sandbox.state
    state.insert("dataset", name="one")
    world.pull()
    state.set_person({**state.get_person(1), "hedgehog_config": {"color": "green"}})
    receipt = world.pull()
    assert [s.changed for s in receipt.scans] == [0, 0]
    assert not world.dump()["datasets_history"]


@pytest.mark.parametrize(("datasets", "items", "page"), [(300, 1_000, 100), (7, 95, 20)])
def test_a_pull_costs_its_pages_one_proof_of_each_end_and_one_probe(
    world: World, datasets: int, items: int, page: int
) -> None:
    generate(world.sandbox.state, datasets=datasets, items=items)
    world.page, world.ahead = page, 1
    receipt = world.pull()
    pages = [ceil((n - 1) / (page - 1)) for n in (datasets, items)]
    assert [scan.pages for scan in receipt.scans] == [n + 1 for n in pages]
    assert len(world.sandbox.log) == 1 + sum(n + 1 for n in pages)
    assert set(world.sandbox.log.by_method()) == {"GET"}


def test_a_run_of_a_pull_is_on_record(world: World) -> None:
    generate(world.sandbox.state, datasets=3, items=4)
    receipt = world.pull()
    assert receipt.run == 1
    assert receipt.scans[0] == ScanCount("prod", "dataset", "complete", 3, new=3, pages=2)
    runs = world.sql("SELECT id, command, exit_code, ended_at IS NOT NULL FROM runs")
    assert runs == [(1, "pull", 0, 1)]
    scans = world.sql("SELECT kind, outcome, listed FROM scans ORDER BY kind")
    assert scans == [("dataset", "complete", 3), ("item", "complete", 4)]


def test_status_tells_edits_counts_and_the_age_of_the_last_complete_pull(world: World) -> None:
    generate(world.sandbox.state, datasets=3, items=4)
    world.pull()
    world.clock.advance(3600)
    [(key, *_), *_] = world.sql("SELECT key FROM datasets")
    world.set("dataset", key, name="mine")
    status = read_status(world.mirror)
    [remote] = status.remotes
    assert isinstance(remote, RemoteStatus)
    assert (remote.remote.name, remote.datasets, remote.items, remote.run) == ("prod", 3, 4, 1)
    assert remote.pulled_at is not None
    assert remote.pulled_at.startswith("2026-11-23T18:00")
    assert [change.key for change in status.plan.changes] == [key]
    assert status.in_doubt == ()
    assert read_status(world.mirror, ["other"]).remotes == ()
