"""A folder as a place for copies: a disk, a mount, whatever else takes files and renames."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dssync.core.copies import PARTIAL
from dssync.errors import CopyDamaged, Refused, TemporaryError

PIECE = 1 << 20

REFUSED = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of copies, for nobody else to read."""

    path: Path

    @property
    def place(self) -> str:
        """Say where it is, for people."""
        return str(self.path)

    def gone(self) -> bool:
        """Tell whether the folder could be made, and is not there; a link that leads nowhere is."""
        return not os.path.lexists(self.path) and self.path.parent.is_dir()

    def names(self) -> list[str]:
        """Return the names of all files; none where the folder could be made, and is not there."""
        with _told(self.path, "read"):
            if self.gone():
                return []
            return [each.name for each in self.path.iterdir() if each.is_file()]

    def put(self, file: Path, name: str) -> None:
        """Copy a file into the folder, to its disk, and only then give it its name.

        The folder is made, but not what it lies in: that may be a disk that is not mounted.
        """
        partial = self.path / f"{name}{PARTIAL}"
        with _told(self.path, "written"):
            self.path.mkdir(mode=0o700, exist_ok=True)
            try:
                with file.open("rb") as source, open(partial, "wb", opener=_private) as target:
                    while piece := source.read(PIECE):
                        target.write(piece)
                    target.flush()
                    os.fsync(target.fileno())
                    _drop_cached(target.fileno())
                partial.replace(self.path / name)
            finally:
                with suppress(OSError):  # the disk's own error is the one to tell
                    partial.unlink(missing_ok=True)
            self._fix_names()

    def read(self, name: str) -> Iterator[bytes]:
        """Yield what the folder has of a file."""
        path = self.path / name
        if not path.is_file():
            raise CopyDamaged(f"{path} is missing")
        with _told(path, "read"), path.open("rb") as stream:
            while piece := stream.read(PIECE):
                yield piece

    def remove(self, name: str) -> None:
        """Remove a file."""
        with _told(self.path / name, "removed"):
            (self.path / name).unlink(missing_ok=True)
            self._fix_names()

    def _fix_names(self) -> None:
        """Have what was named and removed outlast a power cut."""
        if os.name == "posix":
            folder = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _drop_cached(handle: int) -> None:
    """Have it read back from the disk, not from what memory still holds of it."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def _told(path: Path, verb: str) -> Iterator[None]:
    """Turn the file system's refusals into sentences."""
    try:
        yield
    except REFUSED as error:
        where = error.filename or path
        raise Refused(
            f"{where} cannot be {verb}: {error.strerror}",
            hint="see whether it is mounted, and `to` of [offsite]",
        ) from None
    except OSError as error:
        told = f"{error.filename or path} cannot be {verb}: {error.strerror or error}"
        if error.errno == errno.EROFS:
            raise Refused(
                told, hint="see how it is mounted, and whether its disk is well"
            ) from None
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "make room there, or lower `keep` of [offsite]" if full else ""
        raise TemporaryError(told, hint=hint) from None
