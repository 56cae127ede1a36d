"""What a backup did: as a report for people, whoever carries it, and as an object for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dssync.cli.exits import MEANINGS
from dssync.cli.render.receipt import last_line, receipt_lines
from dssync.cli.render.screen import PLAIN_WIDTH, Screen
from dssync.cli.render.text import Line, Lines, plain
from dssync.cli.render.view import Document

if TYPE_CHECKING:
    from dssync.backup.nightly import BackedUp
    from dssync.core.receipt import Receipt


@dataclass(frozen=True, slots=True)
class BackupView:
    """Shows a backup to programs; people are told with `report_lines`."""

    done: "BackedUp"

    def json(self) -> Document:
        """Return what came of each step."""
        verified, copied = self.done.verified, self.done.copied
        return {
            "exit_code": self.done.receipt.exit_code,
            "snapshots": [
                {
                    "remote": each.remote,
                    "run": each.run,
                    "taken_at": each.taken_at,
                    "datasets": each.datasets,
                    "items": each.items,
                    "unread": len(each.unread),
                }
                for each in self.done.snapshots
            ],
            "verified": None
            if verified is None
            else {
                "rows": verified.rows,
                "snapshots": verified.snapshots,
                "damaged": verified.damaged,
                "damages": [asdict(each) for each in verified.damages],
            },
            "copy": None
            if copied is None
            else {
                "name": copied.name,
                "place": copied.place,
                "bytes": copied.bytes,
                "snapshots": {name: each.run for name, each in copied.snapshots.items()},
                "pruned": list(copied.pruned),
            },
            "seconds": dict(self.done.seconds),
        }

    def draw(self, screen: Screen) -> None:
        """Print nothing."""


def report_lines(receipt: "Receipt", width: int, *, everything: bool = False) -> Iterator[Line]:
    """Draw the whole report; where the end is no 0, what its code means."""
    yield from receipt_lines(receipt, width, everything=everything)
    yield last_line(receipt)
    if receipt.exit_code:
        yield exit_line(receipt.exit_code)


def exit_line(code: int) -> Line:
    """Say what an exit code means."""
    return Line(f"exit code {code}: {MEANINGS.get(code, MEANINGS[1])}", "error")


def as_text(lines: Lines) -> str:
    """Write lines as plain text, for whoever is told elsewhere."""
    return "".join(f"{plain(line.text).rstrip()}\n" for line in lines)


def report_text(receipt: "Receipt") -> str:
    """Write the whole report as plain text."""
    return as_text(report_lines(receipt, PLAIN_WIDTH))
