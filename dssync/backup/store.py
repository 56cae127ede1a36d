"""Where copies lie: a folder, or storage behind S3's API. Both hold files by name, and no folders.

Every method raises DssyncError: TemporaryError where the place does not answer, Refused or
AccessError where it is not what was meant.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from dssync.policy import Offsite


class Store(Protocol):
    """A place for files. A file appears under its name whole, or not at all."""

    @property
    def place(self) -> str:
        """Say where it is, for people."""
        ...

    def gone(self) -> bool:
        """Tell whether a first file would have to make the place."""
        ...

    def names(self) -> list[str]:
        """Return the names of all files, those that are still being written included."""
        ...

    def put(self, file: Path, name: str) -> None:
        """Store a file; it is safe there then."""
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """Yield what the place has of a file. Raises CopyDamaged where it has none."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone already is no error."""
        ...


def open_store(offsite: Offsite, env: Mapping[str, str]) -> Store:
    """Return the place that the settings mean; keys for it are taken from `env`."""
    if offsite.folder is not None:
        from dssync.backup.folder import Folder

        return Folder(offsite.folder)
    from dssync.backup.s3 import S3

    return S3.of(offsite, env)
