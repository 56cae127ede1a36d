"""A copy as it lies off-site: find it, fetch it, and take it apart again, proving every step.

What is wrong is collected, not raised, so that one report tells all of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from dssync.backup import age, manifest
from dssync.backup.manifest import Manifest, Part
from dssync.backup.packing import part_of
from dssync.backup.store import Store
from dssync.core.copies import CopyName, listed, newest
from dssync.errors import AccessError, CopyDamaged, NoMirror, TemporaryError, UsageError
from dssync.files.frames import zstd

PIECE = 1 << 20
SLACK = 1 << 26
"""So many bytes more than its manifest says a mirror may have before unpacking it is given up."""

SHOWN = 5


@dataclass(slots=True)
class Fetched:
    """A copy that was fetched: its manifest, its file as it was stored, and what is wrong."""

    name: CopyName
    manifest: Manifest
    file: Path
    faults: list[str] = field(default_factory=list)


def choose(store: Store, text: str | None) -> CopyName:
    """Return the copy of this name, the newest of the mirror of this name, or the newest of all.

    Raises NoMirror where there is none at all, UsageError for a name that none has, CopyDamaged for
    one without a manifest.
    """
    files = store.names()
    there = listed(files)
    if (found := newest(there, text)) is not None:
        return found
    if text is None:
        raise NoMirror(
            f"{store.place} holds no copy", hint="`dssync backup` makes one; see [offsite]"
        )
    wanted = CopyName.parse(text)
    if wanted in there:
        return wanted
    if wanted and any(CopyName.parse(file) == wanted for file in files):
        raise CopyDamaged(
            f"{wanted} has no manifest: the run that made it did not come to its end",
            hint="name another, or none for the newest",
        )
    latest = ", ".join(str(each) for each in there[: -SHOWN - 1 : -1])
    raise UsageError(f"no copy is called {text!r}", hint=f"the newest are: {latest or 'none'}")


def fetch(store: Store, name: CopyName, folder: Path) -> Fetched:
    """Fetch a copy into a folder. Raises CopyDamaged where nothing is to be had of it."""
    found = manifest.read(name, b"".join(_short(store, name.manifest)))
    file = folder / found.file
    size, digest = 0, sha256()
    try:
        with file.open("wb") as target:
            for piece in store.read(found.file):
                size += len(piece)
                digest.update(piece)
                target.write(piece)
    except OSError as error:
        raise _no_room(file, error) from None
    fetched = Fetched(name, found, file)
    fetched.faults += _compared(found.file, Part(size, digest.hexdigest()), found.stored)
    return fetched


def _short(store: Store, file: str) -> Iterator[bytes]:
    size = 0
    for piece in store.read(file):
        size += len(piece)
        if size > manifest.LARGEST:
            raise CopyDamaged(f"{file} is too long to be a manifest")
        yield piece


def unpack(fetched: Fetched, identities: Sequence[Any], folder: Path) -> Path | None:
    """Decrypt and decompress a copy, and return the mirror that was in it; None where that fails.

    Raises AccessError where it is as it was made, and none of the keys opens it.
    """
    told, compressed = fetched.manifest, fetched.file
    try:
        if told.recipients:
            compressed = folder / fetched.name.data(encrypted=False)
            age.decrypt(fetched.file, compressed, identities)
        found = _compared(compressed.name, part_of(compressed), told.compressed)
        fetched.faults += [each for each in found if each not in fetched.faults]
        database = folder / "mirror.db"
        _decompress(compressed, database, told.database.bytes + SLACK)
        fetched.faults += _compared("the mirror in it", part_of(database), told.database)
    except AccessError as refused:
        if not fetched.faults:
            raise
        fetched.faults.append(refused.message)  # who it was encrypted to is damaged as well
        return None
    except CopyDamaged as damage:
        fetched.faults.append(damage.message)
        return None
    except OSError as error:
        raise _no_room(folder, error) from None
    return database


def _compared(what: str, found: Part, told: Part) -> list[str]:
    """Say where a part is not what the manifest tells of it."""
    if found.bytes != told.bytes:
        return [f"{what} has {found.bytes:,} bytes, and had {told.bytes:,} when it was made"]
    if found.sha256 != told.sha256:
        return [f"{what} is not as it was made: its SHA-256 is another"]
    return []


def _decompress(compressed: Path, database: Path, most: int) -> None:
    """Unpack a stream of Zstandard, however it is framed. Raises CopyDamaged."""
    size = 0
    try:
        with zstd.ZstdFile(compressed, "rb") as source, database.open("wb") as target:
            while piece := source.read(PIECE):
                size += len(piece)
                if size > most:
                    raise CopyDamaged(f"{compressed.name} unpacks to more than a mirror had")
                target.write(piece)
    except (zstd.ZstdError, EOFError) as error:
        raise CopyDamaged(f"{compressed.name} cannot be decompressed: {error}") from None


def _no_room(path: Path, error: OSError) -> TemporaryError:
    return TemporaryError(
        f"{error.filename or path} cannot be written: {error.strerror or error}",
        hint="a copy is unpacked where temporary files go; set TMPDIR to a place with room",
    )
