"""What became of a remote between any two runs is what its two pasts, read whole, say."""

import random

import pytest

from dssync.core.fields import KINDS, Spot, Values
from dssync.core.retention import Policy, Rules
from dssync.core.values import differing
from dssync.errors import UnknownRun
from dssync.mirror import asof, past
from dssync.sandbox import generate
from dssync.sync.asof import between, record_at
from dssync.sync.forgetter import forget, judge
from tests.sync.world import World

Shown = dict[Spot, Values]


def whole(world: World, run: int) -> Shown:
    """Read everything a remote held, with whether it was shown as `deleted`."""
    with world.mirror.database.read() as tx:
        return {
            (kind, each.key): {**each.values, "deleted": int(not each.live)}
            for kind in KINDS
            for each in past.held(tx, "prod", run, kind)
        }


def expected(before: Shown, after: Shown) -> dict[Spot, dict[str, tuple[object, object]]]:
    """Compare two whole pasts; what is in neither, or deleted in both and equal, is no change."""
    found: dict[Spot, dict[str, tuple[object, object]]] = {}
    for spot in before.keys() | after.keys():
        kind = KINDS[spot[0]]
        was, now = before.get(spot), after.get(spot)
        if was is None:
            blank = {**dict.fromkeys(kind.names), "deleted": 0}
            was, now = blank, now or blank
            if now["deleted"]:
                continue
        now = now or {**was, "deleted": 1}
        names = differing(kind.fields, was, now)
        if names:
            found[spot] = {name: (was[name], now[name]) for name in names}
    return found


@pytest.fixture(params=[1, 2, 3])
def lived(world: World, request: pytest.FixtureRequest) -> World:
    """Some runs in which anybody changed, moved, deleted, lost, brought back and made records."""
    lot, state = random.Random(request.param), world.sandbox.state
    generate(state, datasets=3, items=25, seed=request.param)
    world.pull()
    for step in range(8):
        datasets, items = (
            sorted(row["id"] for gone in (False, True) for row in state.rows(kind, deleted=gone))
            for kind in KINDS
        )
        for id in lot.sample(items, 4):
            state.update("item", id, metadata={"step": step}, deleted=lot.random() < 0.4)
        state.update("item", lot.choice(items), dataset=lot.choice(datasets))
        state.update("dataset", lot.choice(datasets), deleted=lot.random() < 0.5)
        state.remove("item", lot.choice(items))
        state.insert("item", dataset=lot.choice(datasets), input={"made": step})
        if step % 3 == 2:
            [(key,), *_] = world.sql("SELECT key FROM items WHERE deleted = 0 ORDER BY key")
            world.set("item", key, input=f'"pushed {step}"')
            world.push()
        world.pull()
    return world


def test_any_two_runs(lived: World) -> None:
    [(last,)] = lived.sql("SELECT max(id) FROM runs")
    pasts = {run: whole(lived, run) for run in range(1, last + 1)}
    changed = 0
    for first in pasts:
        for second in pasts:
            found = between(lived.mirror, ["prod"], str(first), str(second))
            told = {
                change.spot: {d.field: (d.before, d.after) for d in change.deltas}
                for change in found.plan.changes
            }
            assert told == expected(pasts[first], pasts[second]), (first, second)
            assert found.broken == ()
            changed += len(told)
    assert changed > 500
    now = between(lived.mirror, [], "1", None)
    assert now.plan == between(lived.mirror, ["prod"], "1", str(last)).plan


def test_a_record_at_any_run_and_what_is_read(lived: World) -> None:
    [(last,)] = lived.sql("SELECT max(id) FROM runs")
    [(key,)] = lived.sql(
        "SELECT key FROM items_history GROUP BY key ORDER BY count(*) DESC LIMIT 1"
    )
    record = lived.mirror.find(key)
    for run in range(1, last + 1):
        then, at = record_at(lived.mirror, record, str(run))
        there = whole(lived, run)["item", key]
        assert (at, then.values["metadata"]) == (run, there["metadata"])
    with lived.mirror.database.read() as tx:
        read = [*asof.changed(tx, "prod", "item", last - 1, last)]
    [(touched,)] = lived.sql(
        "SELECT count(DISTINCT key) FROM item_states WHERE run = ?1 OR until_run = ?1", last
    )
    assert len(read) == touched < 15


def test_only_what_is_kept_whole_can_be_asked_for(lived: World) -> None:
    [(last,)] = lived.sql("SELECT max(id) FROM runs")
    kept = {run for (run,) in lived.sql("SELECT run FROM snapshots ORDER BY run DESC LIMIT 3")}
    kept |= set(range(max(kept), last + 1))  # a pull that a brake stopped took no snapshot
    pasts = {run: whole(lived, run) for run in kept}
    rules = {"prod": Rules(Policy(last=3))}
    receipt = forget(lived.mirror, judge(lived.mirror, rules), lived.session, prune=True)
    assert receipt.exit_code == 0, receipt.troubles
    for run in range(1, last + 1):
        if run in kept:
            assert whole(lived, run) == pasts[run]
            between(lived.mirror, [], str(run), None)
        else:
            with pytest.raises(UnknownRun, match=f"what prod held at run {run} was pruned"):
                between(lived.mirror, [], str(run), None)
