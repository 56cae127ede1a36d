"""Snapshots by number and by time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dssync.core.moment import chosen, moment
from dssync.core.snapshot import Snapshot, Tally
from dssync.errors import UnknownRun, UsageError

SNAPSHOTS = [
    Snapshot.of(run, "prod", taken, (), Tally())
    for run, taken in (
        (3, "2026-11-22T23:59:59.999999Z"),
        (7, "2026-11-23T03:00:00Z"),
        (20261123, "2026-11-24T00:00:00Z"),
    )
]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("42", 42),
        ("20261123", 20261123),
        ("2026-11-23", datetime(2026, 11, 23, 23, 59, 59, 999999, UTC)),
        ("2026-11-23T18:00:00Z", datetime(2026, 11, 23, 18, tzinfo=UTC)),
        ("2026-11-23t18:00:00z", datetime(2026, 11, 23, 18, tzinfo=UTC)),
        ("2026-11-23 18:00", datetime(2026, 11, 23, 18, tzinfo=UTC)),
        (
            "2026-11-23T18:00:00.5+02:00",
            datetime(2026, 11, 23, 18, 0, 0, 500_000, timezone(timedelta(hours=2))),
        ),
    ],
)
def test_a_number_a_day_or_a_time(text: str, means: int | datetime) -> None:
    assert moment(text) == means


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "yesterday", "2026-02-30", "2026-13-01T00:00:00Z", "2026-W47-1", "٣"]
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="neither a snapshot's number nor a time"):
        moment(text)


@pytest.mark.parametrize(
    ("text", "run"),
    [
        (None, 20261123),
        ("7", 7),
        ("20261123", 20261123),
        ("2026-11-22", 3),
        ("2026-11-23", 7),
        ("2026-11-23T02:59:59Z", 3),
        ("2026-11-23T03:00:00Z", 7),
        ("2026-11-23T05:00:00+02:00", 7),
        ("2027-01-01", 20261123),
    ],
)
def test_a_time_means_the_newest_at_or_before_it(text: str | None, run: int) -> None:
    assert chosen(SNAPSHOTS, text, "prod").run == run


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(UnknownRun, match="there is no snapshot 4 of prod"):
        chosen(SNAPSHOTS, "4", "prod")
    with pytest.raises(UnknownRun, match="no snapshot of prod is as old as 2026-11-21"):
        chosen(SNAPSHOTS, "2026-11-21", "prod")
    with pytest.raises(UnknownRun, match="there is no snapshot of prod"):
        chosen([], None, "prod")
