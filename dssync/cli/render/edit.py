"""What a command edited in the working copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.pending import pending_json
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line
from dssync.cli.render.view import Document
from dssync.core.plan import Plan

if TYPE_CHECKING:
    from dssync.mirror import Record


@dataclass(frozen=True, slots=True)
class EditView:
    """Shows the edited records; with `keys`, their keys are data, for the next command."""

    records: "Sequence[Record]"
    pending: Plan
    keys: bool = False

    def json(self) -> Document:
        """Return the records, and what is pending now, for programs."""
        return {
            "records": [
                {"kind": record.kind, "key": record.key, "remote": record.remote}
                for record in self.records
            ],
            "pending": pending_json(self.pending),
        }

    def draw(self, screen: Screen) -> None:
        """Print the keys, where a next command needs them."""
        if self.keys:
            screen.data(Line(record.key) for record in self.records)
