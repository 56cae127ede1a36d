"""Whether the newest snapshots are young enough, so that a backup that stopped is noticed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dssync.core.snapshot import Snapshot

AHEAD = 300.0
"""How many seconds a snapshot may seem to come from the future, for clocks differ a little."""

Flaw = Literal["missing", "too old", "from the future", "without a time"]


@dataclass(frozen=True, slots=True)
class Freshness:
    """The newest snapshot of a remote, how old it is, and what is wrong with that, if anything.

    `run`, `taken_at` and `seconds` are None where there is none.
    """

    remote: str
    run: int | None = None
    taken_at: str | None = None
    seconds: float | None = None
    flaw: Flaw | None = None


def judge(
    names: Iterable[str], snapshots: Iterable[Snapshot], now: datetime, most: float
) -> list[Freshness]:
    """Judge each of these remotes by its newest snapshot, which may be `most` seconds old."""
    newest: dict[str, Snapshot] = {}
    for each in snapshots:
        if each.remote not in newest or newest[each.remote].run < each.run:
            newest[each.remote] = each
    return [_judged(name, newest.get(name), now, most) for name in names]


def _judged(name: str, newest: Snapshot | None, now: datetime, most: float) -> Freshness:
    if newest is None:
        return Freshness(name, flaw="missing")
    try:
        seconds = (now - datetime.fromisoformat(newest.taken_at)).total_seconds()
    except (TypeError, ValueError):  # damage made it no time
        return Freshness(name, newest.run, str(newest.taken_at), None, "without a time")
    flaw: Flaw | None = None
    if seconds > most:
        flaw = "too old"
    elif seconds < -AHEAD:
        flaw = "from the future"
    return Freshness(name, newest.run, newest.taken_at, seconds, flaw)
