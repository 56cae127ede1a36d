"""What a bundle holds, and where it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dssync.cli.render.ages import moment
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, counted, sentence
from dssync.cli.render.view import Document

if TYPE_CHECKING:
    from dssync.files.bundle import Bundle


@dataclass(frozen=True, slots=True)
class BundleView:
    """Shows a bundle that was written, or unpacked into `folder`."""

    done: "Bundle"
    folder: Path | None = None

    def json(self) -> Document:
        """Return the manifest for programs."""
        import msgspec

        manifest: Any = msgspec.to_builtins(self.done.manifest)
        return {
            "file": str(self.done.path),
            "folder": None if self.folder is None else str(self.folder),
            "bytes": self.done.bytes,
            "manifest": manifest,
        }

    def lines(self, width: int) -> Iterator[Line]:
        """Say what it holds, what it lacks, and what to do with it."""
        snapshot, file = self.done.manifest.snapshot, self.done.path
        held = f"{counted(snapshot.datasets, 'dataset')} and {counted(snapshot.items, 'item')}"
        others = self.done.records - snapshot.datasets - snapshot.items
        deleted = f", {counted(others, 'deleted record')} as well" if others else ""
        yield from sentence(
            f"{file}: {held} of {self.done.manifest.remote.name}{deleted}", width, tone="head"
        )
        taken = f"  snapshot {snapshot.run}, taken {moment(snapshot.taken_at)}"
        yield Line(f"{taken}; {self.done.bytes:,} bytes")
        if snapshot.unread:
            number = counted(len(snapshot.unread), "record")
            yield Line(f"  {number} could not be read then, and stand as last read", "conflict")
        if self.folder is None:
            yield from sentence(f"  unpack it anywhere: tar --zstd -xf {file}", width, "", "    ")
        else:
            yield from sentence(f"  proved, and unpacked into {self.folder}", width, "", "    ")

    def draw(self, screen: Screen) -> None:
        """Print nothing: the file is the data."""
