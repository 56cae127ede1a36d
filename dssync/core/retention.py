"""Which snapshots a policy keeps, and by which of its rules.

| rule           | keeps                                                                       |
|----------------|-----------------------------------------------------------------------------|
| newest         | the newest complete snapshot, whatever the policy says                      |
| last N         | the N newest                                                                |
| hourly N, ...  | the newest of each of the N newest hours, days, weeks, months or years that |
|                | have a snapshot; hours and days without one are not counted                 |
| within SPAN    | what was taken at most so long before the newest                            |

A snapshot that no rule keeps is forgotten. Days are those of a time zone; weeks begin on Monday.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

NEWEST = "newest"


class Taken(NamedTuple):
    """A snapshot, as far as a policy goes; runs only grow, clocks may go back."""

    run: int
    moment: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, in calendar months and in hours, as `1y6m` or `2w3d12h`; `m` is a month."""

    months: int = 0
    hours: int = 0

    @classmethod
    def parse(cls, text: str) -> "Span":
        """Read a span. Raises ValueError with a sentence."""
        found = re.fullmatch(_SPAN, text)
        if not found or not text:
            raise ValueError(f"{text!r} is no span such as 30d, 2w or 1y6m")
        years, months, weeks, days, hours = (int(part or 0) for part in found.groups())
        span = cls(12 * years + months, 24 * (7 * weeks + days) + hours)
        if span.months > _MOST_MONTHS or span.hours > 31 * 24 * _MOST_MONTHS:
            raise ValueError(f"{text!r} is longer than 1,000 years")
        return span

    def before(self, moment: datetime) -> datetime:
        """Return the moment that lies so long before another, by its own calendar.

        Where a month has no such day, its last one counts.
        """
        month = moment.year * 12 + moment.month - 1 - self.months
        if month < 12:
            return datetime.min.replace(tzinfo=UTC)
        year, month = month // 12, month % 12 + 1
        day = min(moment.day, monthrange(year, month)[1])
        there = moment.replace(year=year, month=month, day=day).astimezone(UTC)
        try:
            return there - timedelta(hours=self.hours)
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)

    def __str__(self) -> str:
        years, months = divmod(self.months, 12)
        days, hours = divmod(self.hours, 24)
        parts = ((years, "y"), (months, "m"), (days, "d"), (hours, "h"))
        return "".join(f"{number}{unit}" for number, unit in parts if number) or "0h"


_SPAN = "(?:([0-9]{1,6})y)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})w)?(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?"
_MOST_MONTHS = 12_000


@dataclass(frozen=True, slots=True)
class Policy:
    """How many snapshots to keep by each rule; one without any rule keeps nothing, and is False."""

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within: Span | None = None

    @classmethod
    def of(cls, written: Mapping[str, object]) -> "Policy":
        """Make one of entries such as `keep_daily`. Raises ValueError with a sentence."""
        return cls(**{name: _read(name, written[f"keep_{name}"]) for name in _named(written)})

    def __bool__(self) -> bool:
        return self != Policy()


@dataclass(frozen=True, slots=True)
class Rules:
    """What keeps the snapshots of one remote, and in whose days."""

    policy: Policy
    zone: tzinfo = UTC


ENTRIES = tuple(f"keep_{each.name}" for each in fields(Policy))
"""What a policy is called in a configuration; on the command line with hyphens."""


def _named(written: Mapping[str, object]) -> Iterable[str]:
    return (name.removeprefix("keep_") for name in ENTRIES if name in written)


def _read(name: str, value: object) -> Any:
    if name == "within":
        if not isinstance(value, str):
            raise ValueError(f'keep_within is {value!r}; write a span such as "30d"')
        return Span.parse(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"keep_{name} is {value!r}; write a number from 1 on")
    return value


_PERIODS: Mapping[str, Callable[[datetime], tuple[int, ...]]] = {
    # an hour that comes twice when clocks go back is two hours
    "hourly": lambda at: (
        *at.timetuple()[:4],
        int((at.utcoffset() or timedelta()).total_seconds()),
    ),
    "daily": lambda at: at.timetuple()[:3],
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: at.timetuple()[:2],
    "yearly": lambda at: (at.year,),
}
"""What snapshots of one hour, day, week, month or year have in common."""


def keep(
    snapshots: Iterable[Taken], policy: Policy, zone: tzinfo = UTC
) -> Mapping[int, tuple[str, ...]]:
    """Return for each snapshot of one remote, by its run, the rules that keep it; none: forget it.

    The order in which they come does not matter. Raises ValueError for a policy without any rule.
    """
    if not policy:
        raise ValueError("a policy without a rule would forget everything")
    newest_first = sorted(snapshots, key=lambda each: (each.moment, each.run), reverse=True)
    found: dict[int, list[str]] = {each.run: [] for each in newest_first}
    if found:
        found[max(found)].append(NEWEST)
    for rule, kept in _kept(newest_first, policy, zone):
        for each in kept:
            found[each.run].append(rule)
    return {run: tuple(rules) for run, rules in found.items()}


def _kept(
    newest_first: Sequence[Taken], policy: Policy, zone: tzinfo
) -> Iterable[tuple[str, Sequence[Taken]]]:
    yield "last", newest_first[: policy.last]
    for rule, period in _PERIODS.items():
        firsts: dict[tuple[int, ...], Taken] = {}
        for each in newest_first:
            firsts.setdefault(period(each.moment.astimezone(zone)), each)
        yield rule, list(firsts.values())[: getattr(policy, rule)]
    if policy.within is not None and newest_first:
        since = policy.within.before(newest_first[0].moment.astimezone(zone))
        yield f"within {policy.within}", [e for e in newest_first if e.moment >= since]
