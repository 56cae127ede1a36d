"""Which snapshots a policy keeps: a table of cases, then what holds for all."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.core.retention import Policy, Span, Taken, keep

BERLIN, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")


def at(*times: str) -> list[Taken]:
    """Number snapshots from 1 on, in this order."""
    return [
        Taken(run, datetime.fromisoformat(time).replace(tzinfo=UTC))
        for run, time in enumerate(times, 1)
    ]


def nights(number: int) -> list[Taken]:
    first = datetime(2026, 1, 1, 2, tzinfo=UTC)
    return [Taken(night + 1, first + timedelta(days=night)) for night in range(number)]


@dataclass(frozen=True)
class Case:
    name: str
    snapshots: list[Taken]
    policy: Policy
    kept: Mapping[int, str]
    zone: tzinfo = UTC


CASES = [
    Case("no snapshot", [], Policy(last=3), {}),
    Case(
        "the newest few",
        at("2026-11-01", "2026-11-02", "2026-11-03"),
        Policy(last=2),
        {2: "last", 3: "newest last"},
    ),
    Case(
        "the newest of each day, and days without one are not counted",
        at("2026-11-01T01", "2026-11-01T23", "2026-11-05T02", "2026-11-09T02", "2026-11-09T03"),
        Policy(daily=3),
        {2: "daily", 3: "daily", 5: "newest daily"},
    ),
    Case(
        "hours",
        at("2026-11-01T01:10", "2026-11-01T01:59:59", "2026-11-01T02:00", "2026-11-02T02:00"),
        Policy(hourly=3),
        {2: "hourly", 3: "hourly", 4: "newest hourly"},
    ),
    Case(
        "a week begins on Monday, and the first days of January may be of the last week",
        at("2026-12-27T12", "2026-12-28T12", "2027-01-03T12", "2027-01-04T12"),
        Policy(weekly=3),
        {1: "weekly", 3: "weekly", 4: "newest weekly"},
    ),
    Case(
        "months and years",
        at("2024-12-31", "2025-01-31", "2026-01-01", "2026-01-31", "2026-02-01"),
        Policy(monthly=2, yearly=2),
        {2: "yearly", 4: "monthly", 5: "newest monthly yearly"},
    ),
    Case(
        "several rules keep one snapshot, and each counts for itself",
        nights(40),
        Policy(last=1, daily=3, weekly=2, monthly=2),
        {
            31: "monthly",
            38: "daily",
            39: "daily weekly",
            40: "newest last daily weekly monthly",
        },
    ),
    Case(
        "within a span of the newest, its first moment included",
        at("2026-10-31T12", "2026-11-01T12", "2026-11-02T11", "2026-11-02T12"),
        Policy(within=Span.parse("1d")),
        {2: "within 1d", 3: "within 1d", 4: "newest within 1d"},
    ),
    Case(
        "within a month that is longer than the one before",
        at("2026-02-27T12", "2026-02-28T12", "2026-03-31T12"),
        Policy(within=Span.parse("1m")),
        {2: "within 1m", 3: "newest within 1m"},
    ),
    Case(
        "two of the same moment: the later run is the newer",
        at("2026-11-01", "2026-11-02", "2026-11-02"),
        Policy(daily=1),
        {3: "newest daily"},
    ),
    Case(
        "the clock was put back: the newest is the one of the last run",
        at("2026-11-05", "2026-11-01"),
        Policy(last=1),
        {1: "last", 2: "newest"},
    ),
    Case(
        "a day ends at midnight in UTC",
        at("2026-07-01T21:59", "2026-07-01T22:01"),
        Policy(daily=2),
        {2: "newest daily"},
    ),
    Case(
        "a day ends at midnight of a named zone",
        at("2026-07-01T21:59", "2026-07-01T22:01"),
        Policy(daily=2),
        {1: "daily", 2: "newest daily"},
        BERLIN,
    ),
    Case(
        "a day of 23 hours",
        at("2026-03-28T22:59", "2026-03-28T23:00", "2026-03-29T21:59", "2026-03-29T22:00"),
        Policy(daily=3),
        {1: "daily", 3: "daily", 4: "newest daily"},
        BERLIN,
    ),
    Case(
        "a day of 25 hours",
        at("2026-10-24T21:59", "2026-10-24T22:00", "2026-10-25T22:59", "2026-10-25T23:00"),
        Policy(daily=3),
        {1: "daily", 3: "daily", 4: "newest daily"},
        BERLIN,
    ),
    Case(
        "an hour that comes twice is two",
        at("2026-10-25T00:30", "2026-10-25T01:30"),
        Policy(hourly=2),
        {1: "hourly", 2: "newest hourly"},
        BERLIN,
    ),
    Case(
        "a day that a zone left out",
        at("2011-12-30T09:59", "2011-12-30T10:00"),
        Policy(daily=2),
        {1: "daily", 2: "newest daily"},
        APIA,
    ),
    Case(
        "a day's span counts 24 hours, also over the change of the clocks",
        at("2026-03-28T10:59", "2026-03-28T11:00", "2026-03-29T11:00"),
        Policy(within=Span.parse("1d")),
        {2: "within 1d", 3: "newest within 1d"},
        BERLIN,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_table(case: Case) -> None:
    found = keep(case.snapshots, case.policy, case.zone)
    kept = {run: " ".join(rules) for run, rules in found.items() if rules}
    assert kept == case.kept
    assert set(found) == {each.run for each in case.snapshots}


@pytest.mark.parametrize("policy", [Policy(), Policy.of({})])
def test_a_policy_without_a_rule_is_refused(policy: Policy) -> None:
    with pytest.raises(ValueError, match="forget everything"):
        keep(nights(3), policy)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"keep_daily": 0}, "keep_daily is 0"),
        ({"keep_daily": -1}, "from 1 on"),
        ({"keep_daily": True}, "keep_daily is True"),
        ({"keep_daily": "7"}, "keep_daily is '7'"),
        ({"keep_within": 30}, "write a span"),
        ({"keep_within": ""}, "no span"),
        ({"keep_within": "30"}, "no span"),
        ({"keep_within": "3d2w"}, "no span"),
        ({"keep_within": "999999y"}, "1,000 years"),
    ],
)
def test_what_cannot_be_a_policy_is_said(written: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Policy.of(written)


@pytest.mark.parametrize(
    ("text", "months", "hours", "again"),
    [("1y6m", 18, 0, "1y6m"), ("2w3d12h", 0, 420, "17d12h"), ("0d", 0, 0, "0h")],
)
def test_spans(text: str, months: int, hours: int, again: str) -> None:
    assert Span.parse(text) == Span(months, hours)
    assert str(Span.parse(text)) == again


@pytest.mark.parametrize("span", ["1000y", "999y11m100000d"])
def test_a_span_may_be_longer_than_the_calendar(span: str) -> None:
    assert all(keep(nights(3), Policy(within=Span.parse(span))).values())


moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
taken = st.lists(moments, max_size=60).map(
    lambda found: [Taken(run, moment) for run, moment in enumerate(found, 1)]
)
counts = st.integers(0, 5)
spans = st.none() | st.builds(Span, st.integers(0, 30), st.integers(0, 900))
policies = st.builds(Policy, counts, counts, counts, counts, counts, counts, spans).filter(bool)
zones = st.sampled_from([UTC, BERLIN, APIA, ZoneInfo("America/New_York")])


def kept(found: Mapping[int, tuple[str, ...]]) -> set[int]:
    return {run for run, rules in found.items() if rules}


@given(taken, policies, zones, st.data())
def test_a_more_generous_policy_keeps_all_that_a_meaner_one_does(
    snapshots: list[Taken], policy: Policy, zone: tzinfo, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([each.name for each in fields(Policy)]))
    if name == "within":
        span = policy.within or Span()
        more = replace(policy, within=Span(span.months + 1, span.hours + 5))
    else:
        more = replace(policy, **{name: getattr(policy, name) + 1})
    assert kept(keep(snapshots, policy, zone)) <= kept(keep(snapshots, more, zone))


@given(taken, policies, zones, st.randoms(use_true_random=False))
def test_the_order_does_not_matter_and_the_newest_stays(
    snapshots: list[Taken], policy: Policy, zone: tzinfo, random: object
) -> None:
    found = keep(snapshots, policy, zone)
    shuffled = snapshots.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert keep(shuffled, policy, zone) == found
    assert not snapshots or len(snapshots) in kept(found)


@given(taken, policies, zones)
def test_what_is_kept_is_kept_again(snapshots: list[Taken], policy: Policy, zone: tzinfo) -> None:
    """Forgetting twice by one policy is forgetting once."""
    stay = kept(keep(snapshots, policy, zone))
    left = [each for each in snapshots if each.run in stay]
    assert kept(keep(left, policy, zone)) == stay
