"""What went out into files, and what came back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.plan import PlanView, plan_json
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, counted
from dssync.cli.render.view import Document

if TYPE_CHECKING:
    from dssync.files import Exported, Imported


@dataclass(frozen=True, slots=True)
class ExportView:
    """Shows what an export wrote."""

    done: "Exported"

    def json(self) -> Document:
        """Return the counts for programs."""
        return {
            "folder": str(self.done.folder),
            "format": self.done.form,
            "datasets": self.done.datasets,
            "items": self.done.items,
            "files": {
                "written": self.done.written,
                "unchanged": self.done.unchanged,
                "removed": self.done.removed,
            },
        }

    def lines(self) -> Iterator[Line]:
        """Say what was written, and how edits come back."""
        done = self.done
        yield Line(
            f"{counted(done.datasets, 'dataset')} with {counted(done.items, 'item')}"
            f" are in {done.folder} ({done.form})"
        )
        yield Line(
            f"files: {done.written:,} written, {done.unchanged:,} unchanged,"
            f" {done.removed:,} removed"
        )
        yield Line(f"bring edits back: dssync import {done.folder}")

    def draw(self, screen: Screen) -> None:
        """Print nothing: the files are the data."""


@dataclass(frozen=True, slots=True)
class ImportView:
    """Shows what an import changed, or would change."""

    done: "Imported"

    def json(self) -> Document:
        """Return the counts for programs; with -n, the changes as well."""
        done = self.done
        return {
            "folder": str(done.folder),
            "dry_run": done.dry,
            "datasets": done.datasets,
            "items": done.items,
            "counts": dict(done.counts),
            "kept": done.kept,
            "without_base": done.blind,
            "made_before": done.again,
            "plan": plan_json(done.plan) if done.dry else None,
        }

    def lines(self) -> Iterator[Line]:
        """Say what was read and taken."""
        done = self.done
        read = f"{counted(done.datasets, 'dataset')} and {counted(done.items, 'item')} were read"
        what = ", ".join(counted(number, action) for action, number in done.counts.items())
        if done.dry:
            yield Line(f"{read}; {what or 'nothing'} would be imported, nothing was")
        else:
            yield Line(f"{read}; imported: {what or 'nothing'}", "head" if what else "")
        if done.kept:
            yield Line(
                f"{counted(done.kept, 'value')} changed in the mirror since the export and stayed"
            )
        if done.again:
            yield Line(
                f"{counted(done.again, 'row')} without an id had been imported before;"
                " a new export writes their ids"
            )
        elif done.counts.get("create") and not done.dry:
            yield Line(f"new rows get their ids in the files by: dssync export {done.folder}")
        if done.blind:
            yield Line(
                f"{counted(done.blind, 'record')} had no base, so the file won over whatever the"
                " mirror held",
                "conflict",
            )

    def draw(self, screen: Screen) -> None:
        """Print what would change, as a plan."""
        if self.done.dry and self.done.plan:
            PlanView(self.done.plan).draw(screen)
