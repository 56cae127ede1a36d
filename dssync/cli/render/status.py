"""The mirror at a glance."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dssync.cli.render.ages import ago, length, moment
from dssync.cli.render.names import title
from dssync.cli.render.pending import pending_json, pending_lines
from dssync.cli.render.plan import conflicted_json
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, counted, sentence
from dssync.cli.render.view import Document
from dssync.core.plan import Conflicted

if TYPE_CHECKING:
    from dssync.core.freshness import Freshness
    from dssync.mirror.journal import Intent
    from dssync.mirror.unreadable import Unreadable
    from dssync.sync import RemoteStatus, Status


SHOWN = 10
"""How many records of a sort are named; the commands that settle them list all."""


@dataclass(frozen=True, slots=True)
class StatusView:
    """Shows what changed here, what is in the way, and how old the mirror is at `now`.

    `fresh` says of each remote whether its newest snapshot is at most `max_age` seconds old, where
    somebody asked.
    """

    status: "Status"
    unreadable: "Sequence[Unreadable]"
    mirror: str
    now: datetime
    fresh: "Sequence[Freshness]" = ()
    max_age: float | None = None

    def json(self) -> Document:
        """Return the status for programs."""
        return {
            "mirror": self.mirror,
            "remotes": [_remote_json(remote) for remote in self.status.remotes],
            "pending": pending_json(self.status.plan),
            "conflicts": [conflicted_json(each) for each in self.status.plan.conflicts],
            "in_doubt": [_intent_json(intent) for intent in self.status.in_doubt],
            "unreadable": [unreadable_json(each) for each in self.unreadable],
            "max_age": self._ages_json(),
        }

    def _ages_json(self) -> Document | None:
        if self.max_age is None:
            return None
        return {
            "seconds": self.max_age,
            "passed": not any(each.flaw for each in self.fresh),
            "remotes": [asdict(each) for each in self.fresh],
        }

    def draw(self, screen: Screen) -> None:
        """Print the status for people."""
        screen.data(self._lines(screen.width))

    def _lines(self, width: int) -> Iterator[Line]:
        yield Line(f"mirror: {self.mirror}")
        if not self.status.remotes:
            yield Line("no remote was pulled yet; pull one: dssync pull")
        for remote in self.status.remotes:
            yield from _remote_lines(remote, self.now)
        yield from self._ages(width)
        yield from self._in_the_way()
        yield from pending_lines(self.status.plan)

    def _ages(self, width: int) -> Iterator[Line]:
        """Say which newest snapshots are too old; one line where none is."""
        if self.max_age is None:
            return
        flawed = [each for each in self.fresh if each.flaw]
        for each in flawed:
            yield from sentence(_flaw(each, self.max_age), width, tone="error")
        if flawed:
            yield Line("  make a new snapshot: dssync backup", "error")
        else:
            oldest = max((each.seconds or 0 for each in self.fresh), default=0)
            text = f"every newest snapshot is young enough; the oldest is {length(oldest)} old"
            yield from sentence(text, width)

    def _in_the_way(self) -> Iterator[Line]:
        """Draw what keeps records from being pushed or read, each with what to type."""
        yield from _some(_conflict_line(each) for each in self.status.plan.conflicts)
        doubts = self.status.in_doubt
        yield from _some(_doubt_line(each) for each in doubts)
        if doubts:
            yield Line("  find out what became of them: dssync pull")
        yield from _some(_unreadable_line(each) for each in self.unreadable)
        if self.unreadable:
            yield Line("  repair them, or end their warning: dssync doctor")


def _flaw(each: "Freshness", most: float) -> str:
    if each.flaw == "missing":
        return f"too old: {each.remote} has no complete snapshot at all"
    told = f"the newest snapshot, of run {each.run}"
    if each.seconds is None:
        return f"too old: {each.remote}: {told}, has no time that can be read"
    if each.flaw == "from the future":
        ahead = length(-each.seconds)
        return f"clock wrong: {each.remote}: {told}, is from {ahead} in the future"
    return f"too old: {each.remote}: {told}, is {length(each.seconds)} old, {length(most)} allowed"


def _some(lines: Iterable[Line]) -> Iterator[Line]:
    """Draw so many lines that the rest of the status stays on the screen."""
    found = list(lines)
    yield from found[:SHOWN]
    if len(found) > SHOWN:
        yield Line(f"  and {len(found) - SHOWN:,} more", found[0].tone)


def _conflict_line(each: Conflicted) -> Line:
    fields = ", ".join(conflict.field for conflict in each.conflicts)
    name = title(each.kind, each.label, each.key)
    return Line(f"conflict: {name}, {fields}", "conflict")


def _unreadable_line(each: "Unreadable") -> Line:
    known = " (acknowledged)" if each.acknowledged_at else ""
    return Line(f"unreadable: {each.kind} {each.label}, {each.remote}{known}", "error")


def _remote_lines(status: "RemoteStatus", now: datetime) -> Iterator[Line]:
    remote = status.remote
    yield Line(f"{remote.name}: {remote.host}, {remote.scope} {remote.project}", "head")
    yield Line(f"  {counted(status.datasets, 'dataset')}, {counted(status.items, 'item')}")
    if status.pulled_at is None:
        yield Line("  never pulled completely")
    else:
        age = ago(status.pulled_at, now)
        yield Line(f"  last complete pull {moment(status.pulled_at)} ({age}), run {status.run}")


def _doubt_line(intent: "Intent") -> Line:
    name = title(intent.kind, intent.key, intent.key)
    return Line(f"in doubt: {intent.action} {name}, run {intent.run}", "error")


def _remote_json(status: "RemoteStatus") -> Document:
    remote = status.remote
    return {
        "name": remote.name,
        "host": remote.host,
        "scope": remote.scope,
        "id": remote.project,
        "contract": remote.contract,
        "team": remote.team,
        "datasets": status.datasets,
        "items": status.items,
        "run": status.run,
        "pulled_at": status.pulled_at,
    }


def _intent_json(intent: "Intent") -> Document:
    return {
        "remote": intent.remote,
        "kind": intent.kind,
        "key": intent.key,
        "action": intent.action,
        "run": intent.run,
        "opened_at": intent.opened_at,
    }


def unreadable_json(each: "Unreadable") -> Document:
    """Return an unreadable record for programs."""
    return {
        "remote": each.remote,
        "kind": each.kind,
        "key": each.key,
        "offset": each.hole.offset,
        "first_run": each.first_run,
        "checked_at": each.checked_at,
        "acknowledged_at": each.acknowledged_at,
    }
