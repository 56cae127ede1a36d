"""Creates whose answer was lost: found and adopted, or waited for, and never made twice."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from dssync.core.fields import KindName
from dssync.core.receipt import Entry
from dssync.errors import UsageError
from dssync.mirror import Mirror
from dssync.sandbox import Fault, Sandbox
from dssync.sync import read_status
from tests.clock import FakeClock
from tests.sync.world import World

NOT_MADE = Fault("status", 502, method="POST")
WAIT = 120


@pytest.fixture
def home(world: World) -> str:
    id = world.sandbox.state.insert("dataset", name="home")
    world.sandbox.state.insert("dataset", name="another")
    world.sandbox.state.insert("item", dataset=id, input="old")
    world.pull()
    return id


def lose(world: World, method: str = "POST", nth: int = 1) -> None:
    """Let the answer of a write be lost, and what would find out be out of reach."""
    faults = world.sandbox.faults

    def cut(request: httpx.Request) -> None:
        nonlocal nth
        if request.method == method:
            nth -= 1
            if nth == 0:
                faults.add(Fault("status", 503, method="GET", times=None))
                raise httpx.ReadError("cut", request=request)

    world.meddle(after=cut)


def recover(world: World) -> None:
    world.network = None
    world.sandbox.faults.clear()


def in_doubt(world: World) -> list[str]:
    return [intent.key for intent in read_status(world.mirror).in_doubt]


def named(world: World, name: str) -> list[str]:
    return [row["id"] for row in world.sandbox.state.rows("dataset") if row["name"] == name]


def lost(world: World, kind: KindName = "dataset", **values: Any) -> str:
    """Make a record that the server makes, too, and whose answer is lost."""
    key = world.mirror.new(kind, None, values or {"name": "new"})
    lose(world)
    receipt = world.push()
    assert [e.outcome for e in receipt.entries if e.key == key] == ["in doubt"]
    recover(world)
    assert in_doubt(world) == [key]
    return key


def only(entries: tuple[Entry, ...]) -> Entry:
    [entry] = entries
    return entry


def check_settled(world: World, posts: int) -> None:
    """Nothing is in doubt or pending, both sides are equal, and no more POSTs were sent."""
    assert world.pull().exit_code == 0
    assert in_doubt(world) == []
    assert world.nothing_planned()
    assert not world.sql("SELECT key FROM datasets_pending UNION SELECT key FROM items_pending")
    for kind, table in (("dataset", "datasets"), ("item", "items")):
        live = world.sql(f"SELECT id FROM {table} WHERE deleted IS NOT 1 ORDER BY id")
        there = sorted((row["id"],) for row in world.sandbox.state.rows(kind))  # type: ignore[arg-type]
        assert live == there
    assert len(world.asked("POST")) == posts


@pytest.mark.parametrize("command", ["pull", "push"])
def test_the_next_run_finds_it_by_reading_only(world: World, home: str, command: str) -> None:
    key = lost(world, name="new", metadata='{"b": 1.50, "a": 1}')
    with world.watched() as seen:
        receipt = world.pull() if command == "pull" else world.push()
    assert receipt.exit_code == 0
    assert {entry.method for entry in seen} == {"GET"}
    assert world.ours("dataset", key, "id") == named(world, "new")[0]
    assert json.loads(world.ours("dataset", key, "metadata")) == {"a": 1, "b": 1.5}
    check_settled(world, posts=1)


def test_one_that_was_not_made_is_sent_again_after_two_minutes(world: World, home: str) -> None:
    key = world.mirror.new("dataset", None, {"name": "new"})
    world.sandbox.faults.add(NOT_MADE)
    world.push()
    for seconds in (0, 60, 57):
        world.clock.advance(seconds)
        entry = only(world.push().entries)
        assert (entry.key, entry.outcome) == (key, "in doubt")
        assert only(world.pull().entries).outcome == "in doubt"
        assert len(world.asked("POST")) == 1
    world.clock.advance(3)
    assert only(world.push().entries).outcome == "applied"
    check_settled(world, posts=2)


class Late(httpx.WSGITransport):
    """Hold a POST back until `release`: the client sees a broken connection meanwhile."""

    held: httpx.Request | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and self.held is None:
            request.read()
            self.held = request
            raise httpx.ReadTimeout("no answer", request=request)
        return super().handle_request(request)

    def release(self) -> None:
        assert self.held is not None
        assert super().handle_request(self.held).status_code == 201


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


def stored_as_second(world: World, **values: str) -> tuple[str, str]:
    """Return the keys of a create in doubt and of the row as which a pull stored its result."""
    values = values or {"name": "new"}
    key = world.mirror.new("dataset", None, values)
    network = Late(app=world.sandbox)
    world.network = lambda remote: network
    world.push()
    hidden = Fault("empty_list", method="GET", path="/datasets/")
    network.release()
    world.network = None
    world.sandbox.faults.add(hidden)
    world.pull()
    world.sandbox.faults.clear()
    [id] = named(world, "new")
    assert world.ours("dataset", id, "id") == id
    assert in_doubt(world) == [key]
    return key, id


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


Act = Callable[[World, str], object]
OFFLINE: dict[str, tuple[Act, dict[str, Any] | None]] = {
    "an edit": (lambda w, key: w.set("dataset", key, name="newer"), {"name": '"newer"'}),
    "a deletion": (lambda w, key: w.mirror.delete("dataset", key), {"deleted": "true"}),
    "an edit that says the same": (
        lambda w, key: w.set("dataset", key, name=" new "),
        {"name": '"new"'},
    ),
}


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("what", OFFLINE)
def test_what_is_done_offline_to_a_create_in_doubt(
    world: World, home: str, what: str, made: bool
) -> None:
    act, after = OFFLINE[what]
    if made:
        key = lost(world)
    else:
        key = world.mirror.new("dataset", None, {"name": "new"})
        world.sandbox.faults.add(NOT_MADE)
        world.push()
    act(world, key)
    world.clock.advance(WAIT)
    world.push()
    world.push()
    if what == "a deletion" and not made:
        assert not world.sql("SELECT * FROM datasets WHERE key = ?", key)
        assert len(world.sandbox.state.rows("dataset")) == 2
        check_settled(world, posts=1)
        return
    id = world.ours("dataset", key, "id")
    raw = world.raw("dataset", id)
    assert {name: raw[name] for name in after or {}} == after
    check_settled(world, posts=1 if made else 2)


def test_an_item_in_doubt_of_a_dataset_made_in_the_same_run(world: World, home: str) -> None:
    parent = world.mirror.new("dataset", None, {"name": "new"})
    first = world.mirror.new("item", None, {"dataset": parent, "input": "1"})
    second = world.mirror.new("item", None, {"dataset": parent, "input": "2"})
    lose(world, nth=2)
    outcomes = [e.outcome for e in world.push().entries]
    assert outcomes == ["applied", "in doubt", "applied"]
    recover(world)
    assert world.push().exit_code == 0
    ids = {world.ours("item", key, "id") for key in (first, second)}
    assert {row["id"] for row in world.sandbox.state.rows("item") if row["input"] != "old"} == ids
    check_settled(world, posts=3)


def test_a_dataset_adopted_by_a_push_takes_its_items_in_the_same_run(
    world: World, home: str
) -> None:
    parent = lost(world)
    world.mirror.new("item", None, {"dataset": parent, "input": "1"})
    assert [e.outcome for e in world.push().entries] == ["applied", "applied"]
    check_settled(world, posts=2)


def test_equal_creates_go_one_after_the_other(world: World, home: str) -> None:
    keys = [world.mirror.new("item", None, {"dataset": home, "input": "1"}) for _ in range(3)]
    other = world.mirror.new("item", None, {"dataset": home, "input": '"1"'})
    first = min(at for at, c in enumerate(world.plan().changes, 1) if c.key in keys)
    world.sandbox.faults.add(replace(NOT_MADE, nth=first))
    outcomes = {e.key: e.outcome for e in world.push().entries}
    assert sorted(outcomes[key] for key in keys) == ["in doubt", "skipped", "skipped"]
    outcomes = {e.key: e.outcome for e in world.push().entries}
    assert sorted(outcomes[key] for key in keys) == ["in doubt", "skipped", "skipped"]
    assert len(world.asked("POST")) == 2
    assert world.ours("item", other, "id")
    world.clock.advance(WAIT)
    assert world.push().count("applied") == 3
    assert len([r for r in world.sandbox.state.rows("item") if r["input"] == 1]) == 3
    check_settled(world, posts=5)


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


def test_an_equal_record_that_was_known_before_is_not_it(world: World, home: str) -> None:
    world.sandbox.state.insert("dataset", name="new")
    world.pull()
    key = world.mirror.new("dataset", None, {"name": "new"})
    world.sandbox.faults.add(NOT_MADE)
    world.push()
    world.clock.advance(WAIT)
    assert world.push().exit_code == 0
    assert len(named(world, "new")) == 2
    assert world.ours("dataset", key, "id") in named(world, "new")
    check_settled(world, posts=2)


def test_what_it_was_when_first_seen_tells_it_also_after_an_edit(world: World, home: str) -> None:
    key, id = stored_as_second(world)
    world.sandbox.state.update("dataset", id, description="by a colleague")
    assert world.pull().exit_code == 0
    assert world.sql("SELECT key, description FROM datasets WHERE id = ?", id) == [
        (key, "by a colleague")
    ]
    check_settled(world, posts=1)


def test_one_that_somebody_edited_before_it_was_found_is_not_made_again(
    world: World, home: str
) -> None:
    key = lost(world, name="new", description="d")
    [id] = named(world, "new")
    world.clock.advance(5)
    world.sandbox.state.update("dataset", id, description="by a colleague")
    for run in (world.pull, world.push):
        world.clock.advance(WAIT)
        entry = only(run().entries)
        assert (entry.outcome, id in entry.reason) == ("in doubt", True)
    assert world.mirror.revert("dataset", key)
    check_settled(world, posts=1)


def test_a_request_that_had_to_wait_is_judged_by_when_it_left(world: World, home: str) -> None:
    """A 429 holds the POST for ten minutes; then it is cut, and arrives after the next look."""
    network = Late(app=world.sandbox)
    world.network = lambda remote: network
    key = world.mirror.new("dataset", None, {"name": "new"})
    posts = 0

    class Throttling(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal posts
            posts += request.method == "POST"
            if request.method == "POST" and posts == 1:
                return httpx.Response(429, headers={"Retry-After": "600"}, json={})
            return network.handle_request(request)

    world.network = lambda remote: Throttling()
    assert only(world.push().entries).outcome == "in doubt"
    assert world.clock.seconds >= 600
    world.clock.advance(60)
    assert only(world.push().entries).outcome == "in doubt"
    network.release()
    assert only(world.push().entries).outcome == "applied"
    assert world.ours("dataset", key, "id") in named(world, "new")
    check_settled(world, posts=1)


@pytest.mark.parametrize("skew", [timedelta(days=-3), timedelta(hours=5)])
def test_our_own_clock_does_not_matter(clock: FakeClock, new_mirror: Any, skew: timedelta) -> None:
    def there() -> datetime:
        return clock.now() + skew

    with Mirror.open(new_mirror) as mirror:
        world = World(Sandbox(now=there, limits=()), clock, mirror)
        world.sandbox.state.insert("dataset", name="home")
        world.pull()
        key = lost(world)
        assert world.push().exit_code == 0
        assert world.ours("dataset", key, "id") == named(world, "new")[0]
        other = world.mirror.new("dataset", None, {"name": "other"})
        world.sandbox.faults.add(NOT_MADE)
        world.push()
        assert only(world.push().entries).outcome == "in doubt"
        clock.advance(WAIT)
        assert only(world.push().entries).outcome == "applied"
        assert world.ours("dataset", other, "id")
        check_settled(world, posts=3)


def test_the_newest_are_searched_page_by_page_around_what_cannot_be_read(
    world: World, home: str
) -> None:
    key = lost(world, "item", dataset=home, input="1")
    state = world.sandbox.state
    for n in range(25):
        state.insert("item", dataset=home, input=f"of a colleague {n}")
        if n % 10 == 5:
            state.insert("item", dataset=home, input=2**70)
    world.page = 5
    receipt = world.push()
    assert only(receipt.entries).outcome == "applied"
    assert state.get("item", world.ours("item", key, "id"))["input"] == 1
    assert len(world.asked("POST")) == 1
