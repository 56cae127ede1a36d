"""Which snapshots are forgotten, and which rules keep the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.ages import moment
from dssync.cli.render.screen import Screen
from dssync.cli.render.table import Table
from dssync.cli.render.text import Line, counted
from dssync.cli.render.view import Document

if TYPE_CHECKING:
    from dssync.sync.forgetter import Forgetting, Verdict

COLUMNS = ("snapshot", "remote", "taken", "items", "kept by")

SHOWN = 10
"""So many of those that go are shown before the question."""


@dataclass(frozen=True, slots=True)
class ForgetView:
    """Shows every snapshot with the rules that keep it; after the deed, to programs only."""

    forgetting: "Forgetting"
    dry: bool

    def json(self) -> Document:
        """Return the verdicts for programs."""
        return {
            "dry_run": self.dry,
            "snapshots": [
                {
                    "run": each.snapshot.run,
                    "remote": each.snapshot.remote,
                    "taken_at": each.snapshot.taken_at,
                    "datasets": each.snapshot.datasets,
                    "items": each.snapshot.items,
                    "kept_by": list(each.rules),
                    "forgotten": not each.rules,
                }
                for each in self.forgetting.verdicts
            ],
        }

    def draw(self, screen: Screen) -> None:
        """Print the table, and what it comes to."""
        if not self.dry:
            return
        rows = map(_cells, self.forgetting.verdicts)
        screen.table(Table(COLUMNS, rows, whole=COLUMNS[:-1]))
        gone = self.forgetting.count
        kept = len(self.forgetting.verdicts) - gone
        screen.tell([Line(f"{counted(gone, 'snapshot')} to forget, {kept:,} to keep", "head")])


def _cells(verdict: "Verdict") -> tuple[str, ...]:
    each = verdict.snapshot
    kept = ", ".join(verdict.rules) or "- forgotten"
    return str(each.run), each.remote, moment(each.taken_at), f"{each.items:,}", kept


def forgetting_lines(forgetting: "Forgetting") -> Iterator[Line]:
    """Draw the first of those that are to go, and say how many there are and how many stay."""
    gone = [each.snapshot for each in forgetting.verdicts if not each.rules]
    for each in gone[:SHOWN]:
        yield Line(f"  - snapshot {each.run} of {each.remote}, {moment(each.taken_at)}", "remove")
    if len(gone) > SHOWN:
        yield Line(f"  … and {len(gone) - SHOWN:,} more; -n shows all of them")
    stay = len(forgetting.verdicts) - len(gone)
    yield Line(f"{counted(len(gone), 'snapshot')} to forget, {stay:,} to keep.", "head")
