"""Whether a snapshot is young enough."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from dssync.core.freshness import Freshness, judge
from dssync.core.snapshot import Snapshot
from tests.clock import BEGIN

HOUR = 3600.0
TAKEN = BEGIN.isoformat()


def snapshot(run: int, taken_at: Any, remote: str = "prod") -> Snapshot:
    return Snapshot(run, remote, taken_at, 0, 0, (), b"", b"")


@pytest.mark.parametrize(
    ("after", "flaw"),
    [
        (timedelta(), None),
        (timedelta(hours=26), None),
        (timedelta(hours=26, microseconds=1), "too old"),
        (timedelta(days=44), "too old"),
        (timedelta(seconds=-300), None),
        (timedelta(seconds=-301), "from the future"),
        (timedelta(days=-400), "from the future"),
    ],
)
def test_the_age_of_the_newest_snapshot_counts(after: timedelta, flaw: str | None) -> None:
    taken = [snapshot(1, "2020-01-01T00:00:00Z"), snapshot(7, TAKEN), snapshot(3, TAKEN[:10])]
    [found] = judge(["prod"], taken, BEGIN + after, 26 * HOUR)
    assert found == Freshness("prod", 7, TAKEN, after.total_seconds(), flaw)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-23T18:00:00", None, 7])
def test_damage_is_not_young(text: object) -> None:
    [found] = judge(["prod"], [snapshot(1, text)], BEGIN, HOUR)
    assert (found.flaw, found.seconds) == ("without a time", None)


def test_each_remote_is_judged_by_itself() -> None:
    taken = [snapshot(1, TAKEN), snapshot(2, TAKEN, "staging")]
    now = datetime.fromisoformat(TAKEN) + timedelta(hours=1)
    found = judge(["staging", "never", "prod"], taken, now, HOUR)
    assert [(each.remote, each.flaw) for each in found] == [
        ("staging", None),
        ("never", "missing"),
        ("prod", None),
    ]
