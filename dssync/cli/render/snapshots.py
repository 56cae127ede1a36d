"""The snapshots in a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dssync.cli.render.ages import ago, moment, seconds_since
from dssync.cli.render.screen import Screen
from dssync.cli.render.table import Table
from dssync.cli.render.text import Line, counted, sentence
from dssync.cli.render.view import Document

if TYPE_CHECKING:
    from dssync.core.snapshot import Snapshot, Unread

COLUMNS = ("run", "remote", "taken", "age", "datasets", "items", "unread")


@dataclass(frozen=True, slots=True)
class SnapshotsView:
    """Shows snapshots in the order given, oldest first, as they are seen at `now`."""

    snapshots: "Sequence[Snapshot]"
    now: datetime

    def json(self) -> Document:
        """Return the snapshots for programs."""
        return {"snapshots": [self._json(each) for each in self.snapshots]}

    def draw(self, screen: Screen) -> None:
        """Print the table, and what of it stands in for something else."""
        if not self.snapshots:
            screen.tell([Line("no snapshot yet: a pull that reads both lists whole takes one")])
            return
        rows = (self._cells(each) for each in self.snapshots)
        screen.table(Table(COLUMNS, rows, whole=[name for name in COLUMNS if name != "remote"]))
        for remote in dict.fromkeys(each.remote for each in self.snapshots):
            screen.tell(_unread_lines(self._newest(remote), screen.width))

    def _newest(self, remote: str) -> "Snapshot":
        return max((s for s in self.snapshots if s.remote == remote), key=lambda s: s.run)

    def _cells(self, each: "Snapshot") -> tuple[str, ...]:
        return (
            str(each.run),
            each.remote,
            moment(each.taken_at),
            ago(each.taken_at, self.now),
            str(each.datasets),
            str(each.items),
            str(len(each.unread)),
        )

    def _json(self, each: "Snapshot") -> Document:
        return {
            "run": each.run,
            "remote": each.remote,
            "taken_at": each.taken_at,
            "age_seconds": seconds_since(each.taken_at, self.now),
            "datasets": each.datasets,
            "items": each.items,
            "unread": [
                {"kind": u.kind, "key": u.key, "place": u.place, "carried": u.key is not None}
                for u in each.unread
            ],
            "newest": each == self._newest(each.remote),
            "seal": each.seal.hex(),
        }


def _unread_lines(each: "Snapshot", width: int) -> Iterator[Line]:
    """Say of a snapshot which records in it are older than it, and which are missing."""
    carried = [u for u in each.unread if u.key is not None]
    never = [u for u in each.unread if u.key is None]
    if carried:
        which = f"{counted(len(carried), 'record')} could not be read"
        stand = "stands in as it was" if len(carried) == 1 else "stand in as they were"
        text = f"{each.remote}, run {each.run}: {which}, and {stand} when last read:"
        yield from sentence(f"{text} {_some(u.key or '' for u in carried)}", width)
    if never:
        which = f"{counted(len(never), 'record')} could never be read, and"
        lacks = "is not in it" if len(never) == 1 else "are not in it"
        places = _some(_place(u) for u in never)
        yield from sentence(f"{each.remote}, run {each.run}: {which} {lacks}: {places}", width)


def _place(each: "Unread") -> str:
    return f"{each.kind} number {each.place} of the list"


SHOWN = 5
"""So many are named; `dssync doctor` lists all."""


def _some(names: Iterator[str]) -> str:
    found = list(names)
    more = [f"and {len(found) - SHOWN:,} more"] if len(found) > SHOWN else []
    return ", ".join([*found[:SHOWN], *more])
