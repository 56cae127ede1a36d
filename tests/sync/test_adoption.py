"""Creates whose answer was lost: found and adopted, or waited for, and never made twice."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from tests.clock import FakeClock
from tests.sync.losing import (
    NOT_MADE,
    WAIT,
    Late,
    check_settled,
    lose,
    lost,
    named,
    only,
    recover,
)
from tests.sync.world import World


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
