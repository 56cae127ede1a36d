"""Records that the server cannot show, and their repair."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.ages import moment
from dssync.cli.render.difference import readable
from dssync.cli.render.names import title
from dssync.cli.render.screen import Screen
from dssync.cli.render.status import unreadable_json
from dssync.cli.render.text import Line, counted
from dssync.cli.render.view import Document
from dssync.core.fields import KINDS

if TYPE_CHECKING:
    from dssync.mirror.unreadable import Unreadable
    from dssync.sync.repair import Repair
    from dssync.sync.seal import Broken


@dataclass(frozen=True, slots=True)
class UnreadableView:
    """Shows what is unreadable, what went past the triggers, and triggers that were put back."""

    records: "Sequence[Unreadable]"
    broken: "Sequence[Broken]" = ()
    put_back: str = ""

    def json(self) -> Document:
        """Return the records for programs."""
        return {
            "unreadable": [unreadable_json(each) for each in self.records],
            "changed_without_triggers": [asdict(each) for each in self.broken],
            "put_back": self.put_back,
        }

    def draw(self, screen: Screen) -> None:
        """Print the records for people."""
        screen.data(self._lines())

    def _lines(self) -> Iterator[Line]:
        yield from self._broken_lines()
        if not self.records:
            yield Line("every record could be read by the last pulls")
        for each in self.records:
            yield Line(f"unreadable: {each.kind} {each.label}, {each.remote}", "error")
            yield Line(f"  since run {each.first_run}, last asked for {moment(each.checked_at)}")
            if each.key is not None:
                yield Line(f"  repair it: dssync doctor --repair {each.key}")
            else:
                yield Line("  the mirror never read it; shorten its numbers or nesting in PostHog")

    def _broken_lines(self) -> Iterator[Line]:
        if self.put_back:
            count = len(self.put_back.split(", "))
            yield Line(f"triggers or views were missing or changed, {count} were put back", "error")
            yield Line("  edits made meanwhile were not noticed")
        for each in self.broken[:SHOWN]:
            yield Line(f"not as it came: {each.kind} {each.key}, {each.remote}", "error")
        if self.broken:
            yield Line(f"  {counted(len(self.broken), 'record')} changed without the triggers")
            yield Line("  never pushed; replace by the server's: dssync doctor --reread")


SHOWN = 20
"""How many records are named one by one."""


@dataclass(frozen=True, slots=True)
class RepairView:
    """Shows what a repair sends."""

    repair: "Repair"

    def json(self) -> Document:
        """Return the repair for programs."""
        steps = [
            {
                "field": delta.field,
                "value": readable(KINDS[step.kind].by_name[delta.field], delta.after),
            }
            for step in self.repair.steps
            for delta in step.deltas
        ]
        return {"record": unreadable_json(self.repair.target), "steps": steps}

    def draw(self, screen: Screen) -> None:
        """Print the repair for people."""
        screen.data(repair_lines(self.repair))


def repair_lines(repair: "Repair") -> Iterator[Line]:
    """Draw what would be sent, field by field, until the record can be read."""
    target = repair.target
    yield Line(f"to repair {title(target.kind, target.label, target.label)}, {target.remote}:")
    for step in repair.steps:
        for delta in step.deltas:
            yield Line(f"  {delta.field} as last read: {delta.after or 'null'}")
    yield Line("  one after another, until it can be read; what others changed there since is lost")
