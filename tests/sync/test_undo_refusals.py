"""What an undo refuses, names, or has to find out first."""

import pytest

from dssync.core.brakes import Limit
from dssync.errors import Brake, UnknownRun, UsageError
from dssync.sandbox import Fault
from dssync.sync.undo import settle_first, undoable
from tests.sync.test_undo import full as full
from tests.sync.test_undo import keys, prepare, run_of, there, undo
from tests.sync.world import World


def test_taking_back_many_creates_meets_the_brake(full: World) -> None:
    (one, _) = keys(full, "dataset")
    for n in range(20):
        full.mirror.new("item", None, {"dataset": one, "input": str(n)})
    pushed = full.push()
    with pytest.raises(Brake, match="20 of 23 items") as stopped:
        prepare(full, run_of(pushed))
    number = pushed.run
    assert stopped.value.hint == (
        f"look at `dssync log {number}`; if it is meant, add --max-delete 20"
    )
    assert undo(full, run_of(pushed), Limit(count=20)).exit_code == 0
    assert len(full.sandbox.state.rows("item")) == 3


def test_only_a_push_or_an_undo_can_be_taken_back(full: World) -> None:
    with pytest.raises(UsageError, match="run 1 is a pull") as refused:
        undoable(full.mirror, 1)
    assert refused.value.hint == "nothing was pushed yet; see the runs: dssync log"
    with pytest.raises(UnknownRun, match="there is no run 99; the newest is 2"):
        undoable(full.mirror, 99)
    full.sql("DELETE FROM scans WHERE run = 1")
    full.sql("DELETE FROM runs WHERE id = 1")
    with pytest.raises(UnknownRun, match="run 1 is no longer kept"):
        undoable(full.mirror, 1)


def test_a_record_that_the_mirror_no_longer_holds_is_named(full: World) -> None:
    first, *_ = keys(full, "item")
    full.set("item", first, input='"ours"')
    pushed = full.push()
    full.pull()
    full.sql("UPDATE gate SET run = 1")
    full.sql("DELETE FROM items WHERE key = ?", first)
    full.sql("UPDATE gate SET run = NULL")
    prepared = prepare(full, run_of(pushed))
    assert [(e.key, e.reason) for e in prepared.dropped] == [
        (first, "the mirror no longer holds it")
    ]


def test_what_is_in_doubt_is_found_out_first(full: World) -> None:
    first, second, _ = keys(full, "item")
    full.set("item", first, input='"ours"')
    full.set("item", second, input='"ours"')
    full.sandbox.faults.add(Fault("status_after", 502, method="PATCH", path=second))
    full.sandbox.faults.add(Fault("status", 502, method="GET", path=second, times=None))
    pushed = full.push()
    assert {e.key: e.outcome for e in pushed.entries} == {first: "applied", second: "in doubt"}
    full.sandbox.faults.clear()

    number = run_of(pushed)
    looked = full.dump()
    prepared = prepare(full, number)
    assert [(e.key, e.outcome) for e in prepared.dropped] == [(second, "in doubt")]
    assert [change.key for change in prepared.plan.changes] == [first]
    assert full.dump() == looked

    settled = settle_first(full.mirror, number, full.remotes, full.session)
    assert settled is not None
    assert settled.exit_code == 0
    assert undo(full, number).exit_code == 0
    rows = there(full, "item")
    assert [rows[key]["input"] for key in (first, second)] == [{"n": 0}, {"n": 1}]
    assert settle_first(full.mirror, number, full.remotes, full.session) is None
