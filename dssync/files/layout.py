"""What lies where in an export, and how it is put there.

DIR/prod/support-triage-3f2a91bc.json     a dataset's fields
DIR/prod/support-triage-3f2a91bc.jsonl    its items (or .csv, or .xlsx)
DIR/.dssync/export.json                   which files the export wrote
DIR/.dssync/prod/support-triage-….ids     which records it wrote: what is gone from the files
                                          was taken out by somebody
"""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from filecmp import cmp
from pathlib import Path
from shutil import rmtree

from filelock import FileLock, Timeout

from dssync.errors import Locked, Refused, TemporaryError, UsageError

FORMATS = ("jsonl", "csv", "xlsx")

STATE = ".dssync"
MANIFEST = "export.json"
VERSION = 1
IGNORED = "# What an export needs while it runs.\n/lock\n/partial/\n"

_WRITTEN = re.compile(r"[a-z0-9_-]{1,80}/[a-z0-9-]{1,80}\.(?:json|jsonl|csv|xlsx)\Z")
"""What an export may have written, and therefore may remove; a manifest can come from anybody."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that holds an export, or may hold one."""

    path: Path

    @property
    def state(self) -> Path:
        """Where the export keeps what is not for people."""
        return self.path / STATE

    @property
    def partial(self) -> Path:
        """Where files are written before they are put in their places."""
        return self.state / "partial"

    def written(self) -> list[str] | None:
        """Name the files that an export wrote; None where there is none. Raises UsageError."""
        path = self.state / MANIFEST
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _no_manifest(path, str(error)) from None
        files = found.get("files") if isinstance(found, dict) else None
        if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
            raise _no_manifest(path, "it lists no files")
        if found.get("version") != VERSION:
            raise Refused(
                f"{path} was written by another dssync (version {found.get('version')})",
                hint="upgrade dssync, or export into another folder",
            )
        if strange := [name for name in files if not _WRITTEN.match(name)]:
            raise _no_manifest(path, f"it names {strange[0]!r}, which no export writes")
        return files

    def ids_of(self, file: str) -> Path:
        """Return where the ids of a dataset's records are, given its file."""
        return (self.state / file).with_suffix(".ids")

    def dataset_of(self, file: str) -> str | None:
        """Return the id of the dataset that a file was written for, None where nobody knows."""
        return next(self.listed(file), None)

    def listed(self, file: str) -> Iterator[str]:
        """Yield the ids that were written for a file: the dataset's, then its items'."""
        path = self.ids_of(file)
        if path.is_file():
            with path.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    try:
                        yield str(json.loads(line))
                    except ValueError:
                        raise _no_manifest(path, f"line {number} is no id") from None

    def check_target(self) -> list[str]:
        """Return what an earlier export wrote here. Raises Refused for somebody else's folder."""
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is no folder")
        written = self.written()
        if written is None and self.path.exists():
            others = sorted(p.name for p in self.path.iterdir() if not p.name.startswith("."))
            if others:
                raise Refused(
                    f"{self.path} holds {others[0]!r} and is no export of dssync",
                    hint="name a new or empty folder",
                )
        return written or []

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Hold the folder for one export, and give the place to write in. Raises Locked."""
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / ".gitignore").write_text(IGNORED, encoding="utf-8", newline="\n")
        lock = FileLock(self.state / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise Locked(
                f"another export writes to {self.path}", hint="try again when it has ended"
            ) from None
        try:
            rmtree(self.partial, ignore_errors=True)  # what a killed export left
            self.partial.mkdir()
            yield self.partial
        finally:
            rmtree(self.partial, ignore_errors=True)
            lock.release()

    def differing(self, new: Collection[str], old: Collection[str]) -> list[str]:
        """Name the files that putting `new` in place would change or remove."""
        return [
            name
            for name in sorted({*new, *old})
            if (self.path / name).exists()
            and not (name in new and cmp(self.partial / name, self.path / name, shallow=False))
        ]

    def put(
        self, new: Sequence[str], old: Sequence[str], kept: Sequence[str] = ()
    ) -> tuple[int, int]:
        """Put what was written in place of `old` and remove what is stale; count both.

        Each file appears whole. The manifest first names the files of before and after, so that
        an export killed in between can be finished by the next. What is stale goes first, its
        list of ids before it, its items before their dataset: then no record stands in two files,
        none without its dataset, and none counts as missing.
        """
        self._name_files({*new, *old, *kept})
        stale = sorted({*old} - {*new}, key=lambda name: (name.endswith(".json"), name))
        for name in stale:
            self._remove(self.ids_of(name))
        removed = sum(self._remove(self.path / name) for name in stale)
        written = sum(self._move(name) for name in new)
        for name in new:
            if name.endswith(".json"):
                self._move(str(self.ids_of(name).relative_to(self.path)))
        self._name_files({*new, *kept})
        return written, removed

    def _remove(self, path: Path) -> bool:
        if not path.exists():
            return False
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
        return True

    def _move(self, name: str) -> bool:
        source, target = self.partial / name, self.path / name
        if target.is_file() and cmp(source, target, shallow=False):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        return True

    def _name_files(self, names: Collection[str]) -> None:
        text = json.dumps({"version": VERSION, "files": sorted(names)}, indent=1) + "\n"
        path, target = self.partial / MANIFEST, self.state / MANIFEST
        path.write_text(text, encoding="utf-8", newline="\n")
        path.replace(target)


def line_of(id: str) -> str:
    """Write an id as a line of a list of ids."""
    return f"{json.dumps(id)}\n"


def _no_manifest(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is not as an export wrote it: {why}",
        hint="bring it back from Git, or export into a new folder",
    )


@contextmanager
def told(path: Path, verb: str) -> Iterator[None]:
    """Turn the file system's refusals into sentences."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        message = f"{where} cannot be {verb}: {error.strerror or error}"
        if error.errno in (ENOSPC, EDQUOT):
            raise TemporaryError(message, hint="free some space, then try again") from None
        raise UsageError(message) from None
