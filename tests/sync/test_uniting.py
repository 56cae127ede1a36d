"""A create in doubt whose result a pull has stored as a second record, and other second records."""

import httpx
import pytest

from dssync.errors import UsageError
from dssync.sandbox import Fault
from tests.sync.losing import (
    WAIT,
    Late,
    check_settled,
    in_doubt,
    lose,
    lost,
    named,
    only,
    recover,
    stored_as_second,
)
from tests.sync.world import World


@pytest.mark.parametrize("settle", ["pull", "push"])
def test_one_that_arrives_late_is_found_even_after_a_pull_stored_it(
    world: World, home: str, settle: str
) -> None:
    network = Late(app=world.sandbox)
    world.network = lambda remote: network
    key = world.mirror.new("dataset", None, {"name": "new"})
    item = world.mirror.new("item", None, {"dataset": key, "input": "1"})
    world.push()
    # it arrives between the look of a pull and the pull's own scan
    looked: list[str] = []

    def arrive(request: httpx.Request) -> None:
        if "/datasets/" in request.url.path and request.method == "GET":
            looked.append(str(request.url))
            if len(looked) == 1:
                network.release()

    world.meddle(after=arrive)
    assert only(world.pull().entries).outcome == "in doubt"
    [id] = named(world, "new")
    assert world.sql("SELECT key FROM datasets WHERE name = 'new' ORDER BY key") == [(id,), (key,)]
    world.network = None

    world.clock.advance(WAIT)
    receipt = world.pull() if settle == "pull" else world.push()
    assert receipt.exit_code == 0
    world.push()
    assert world.sql("SELECT key, id FROM datasets WHERE name = 'new'") == [(key, id)]
    assert world.sandbox.state.get("item", world.ours("item", item, "id"))["dataset"] == id
    assert world.mirror.find(id).key == key
    check_settled(world, posts=2)


def test_two_rows_of_one_record_become_one_wherever_the_key_stands(world: World, home: str) -> None:
    key, id = stored_as_second(world)
    state = world.sandbox.state
    old = world.sql("SELECT key FROM items")[0][0]
    child = state.insert("item", dataset=id, input="theirs")
    state.update("dataset", id, description="since")
    state.update("dataset", id, description=None, updated_at=None)
    world.pull()
    assert world.ours("item", child, "dataset") == key
    world.set("item", old, dataset=key)
    assert world.push().exit_code == 0
    assert state.get("item", old)["dataset"] == id
    places = {
        table: columns
        for table, columns in {
            "datasets": "key",
            "datasets_history": "key",
            "datasets_pending": "key",
            "items": "dataset",
            "items_history": "dataset",
            "items_pending": "dataset",
            "aliases": "key",
            "journal": "key",
            "receipts": "key",
        }.items()
        if world.sql(f"SELECT 1 FROM {table} WHERE {columns} = ?", id)
    }
    assert places == {}
    check_settled(world, posts=1)


def test_deltas_that_name_the_second_row_follow(world: World, home: str) -> None:
    key, id = stored_as_second(world)
    [(old,)] = world.sql("SELECT key FROM items")
    world.set("item", old, dataset=id)
    world.sandbox.faults.add(Fault("empty_list", method="GET", path="/datasets/", times=None))
    assert {(e.key, e.outcome) for e in world.push().entries} == {
        (old, "applied"),
        (key, "in doubt"),
    }
    world.sandbox.faults.clear()
    mentions = "SELECT count(*) FROM {} WHERE instr(deltas, ?)"
    for table in ("receipts", "journal"):
        assert world.sql(mentions.format(table), id) == [(1,)]
    assert world.push().exit_code == 0
    for table in ("receipts", "journal"):
        assert world.sql(mentions.format(table), id) == [(0,)]
        assert world.sql(mentions.format(table), key) == [(1,)]
    assert world.sandbox.state.get("item", old)["dataset"] == id
    check_settled(world, posts=1)


def test_a_create_in_doubt_inside_the_second_row_follows(world: World, home: str) -> None:
    key, id = stored_as_second(world)
    item = world.mirror.new("item", None, {"dataset": id, "input": "1"})
    lose(world)
    world.sandbox.faults.add(Fault("empty_list", method="GET", path="/datasets/", times=None))
    world.push()
    recover(world)
    assert in_doubt(world) == [key, item]
    assert world.push().exit_code == 0
    assert world.ours("item", item, "dataset") == key
    assert world.sandbox.state.get("item", world.ours("item", item, "id"))["dataset"] == id
    check_settled(world, posts=2)


def test_edits_of_the_second_row_move_to_the_one_that_stays(world: World, home: str) -> None:
    key, id = stored_as_second(world)
    world.set("dataset", id, description="edited here")
    assert world.pull().exit_code == 0
    [change] = world.plan().changes
    assert (change.key, change.id, change.after) == (key, id, {"description": "edited here"})
    assert world.push().exit_code == 0
    assert world.raw("dataset", id)["description"] == '"edited here"'
    check_settled(world, posts=1)


@pytest.mark.parametrize("give_up", ["the new one", "the edits of the other"])
def test_where_both_rows_were_edited_nothing_is_guessed(
    world: World, home: str, give_up: str
) -> None:
    key, id = stored_as_second(world)
    world.set("dataset", id, description="edited there")
    world.set("dataset", key, name="newer")
    entry = only(world.pull().entries)
    assert entry.outcome == "in doubt"
    assert id in entry.reason
    assert f"dssync revert {key}" in entry.reason
    world.clock.advance(WAIT)
    assert "in doubt" in {entry.outcome for entry in world.push().entries}
    world.mirror.revert("dataset", key if give_up == "the new one" else id)
    assert world.pull().exit_code == 0
    assert world.push().exit_code == 0
    names = [row["name"] for row in world.sandbox.state.rows("dataset")]
    assert ("newer" in names) == (give_up != "the new one")
    check_settled(world, posts=1)


def test_what_it_was_when_first_seen_tells_it_also_after_an_edit(world: World, home: str) -> None:
    key, id = stored_as_second(world)
    world.sandbox.state.update("dataset", id, description="by a colleague")
    assert world.pull().exit_code == 0
    assert world.sql("SELECT key, description FROM datasets WHERE id = ?", id) == [
        (key, "by a colleague")
    ]
    check_settled(world, posts=1)


def test_among_equals_nothing_is_adopted_and_revert_is_the_way_out(world: World, home: str) -> None:
    key = lost(world)
    world.sandbox.state.insert("dataset", name="new")
    with pytest.raises(UsageError, match="may already exist"):
        world.mirror.revert("dataset", key)
    ids = named(world, "new")
    for run in (world.pull, world.push, world.pull):
        world.clock.advance(WAIT)
        entry = only(run().entries)
        assert entry.outcome == "in doubt"
        assert all(id in entry.reason for id in ids)
        assert f"dssync revert {key}" in entry.reason
    assert world.mirror.revert("dataset", key)
    assert not world.sql("SELECT * FROM datasets WHERE key = ?", key)
    assert named(world, "new") == ids
    check_settled(world, posts=1)
