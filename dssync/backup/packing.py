"""Make a copy of the mirror beside it: consistent, proved, compressed, and encrypted if wanted.

What is proved is the copy that is sent, never the file in use, which may change meanwhile.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from filelock import FileLock, Timeout

from dssync import version
from dssync.backup import age
from dssync.backup.manifest import FORMAT, WHAT, Edit, Held, Manifest, Part, Taken
from dssync.clock import Clock, stamp
from dssync.core.copies import CopyName
from dssync.core.fields import KINDS
from dssync.core.snapshot import Snapshot
from dssync.core.values import digest_of
from dssync.errors import Locked, MirrorDamaged
from dssync.files.frames import FrameWriter
from dssync.files.layout import told
from dssync.mirror import Mirror, Transaction, copying, place, records, remotes, snapshots, touched
from dssync.mirror.upgrade import HEAD
from dssync.policy import Offsite
from dssync.sync.verifier import verify

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Packed:
    """A copy that is ready to be sent: its file, its manifest, and the snapshots in it."""

    name: CopyName
    file: Path
    manifest: Manifest
    snapshots: tuple[Snapshot, ...]


@contextmanager
def workplace(mirror: Path) -> Iterator[Path]:
    """Give an empty folder beside the mirror for nobody else to read, and take it away again.

    What a killed run left there goes first. Raises Locked, Refused.
    """
    if not place.writable(mirror):
        raise place.no_room(mirror)
    folder = mirror.with_name(f"{mirror.name}.copying")
    lock = FileLock(f"{folder}.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Locked(
            f"another run copies {mirror.name}", hint="wait for it to end, then try again"
        ) from None
    try:
        with told(folder, "written"):
            rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            yield folder
    finally:
        rmtree(folder, ignore_errors=True)
        lock.release()


def pack(
    mirror: Mirror,
    name: CopyName,
    offsite: Offsite,
    recipients: Sequence[Any],
    work: Path,
    clock: Clock,
) -> Packed:
    """Make the copy of this name in the folder `work`.

    Raises MirrorDamaged where the copy is not sound, for then the mirror is not.
    """
    made_at = stamp(clock.now())
    database = work / "mirror.db"
    copying.copy(mirror.path, database)
    found = _proved(database)
    compressed = work / name.data(encrypted=False)
    _compress(database, compressed)
    file = compressed
    if recipients:
        file = work / name.data(encrypted=True)
        age.encrypt(compressed, file, recipients)
    manifest = Manifest(
        what=WHAT,
        format=FORMAT,
        name=str(name),
        made_at=made_at,
        dssync=version(),
        schema=HEAD,
        file=file.name,
        recipients=offsite.recipients,
        stored=part_of(file),
        compressed=part_of(compressed),
        database=part_of(database),
        remotes=found.remotes,
        edits=found.edits,
    )
    return Packed(name, file, manifest.sealed(), found.snapshots)


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a mirror, as its manifest tells it."""

    remotes: tuple[Held, ...]
    edits: tuple[Edit, ...]
    snapshots: tuple[Snapshot, ...]


def contents(mirror: Mirror) -> Contents:
    """Sum up what is in a mirror."""
    with mirror.database.read() as tx:
        taken = snapshots.known(tx)
        return Contents(tuple(_held(tx, taken)), tuple(_edits(tx)), tuple(taken))


def _proved(database: Path) -> Contents:
    """Read all of a copy, and return what is in it. Raises MirrorDamaged."""
    with Mirror.open(database) as copy:
        found = verify(copy)
        if found.damaged:
            raise MirrorDamaged(
                f"nothing was copied, because the mirror is damaged: {found.damages[0].what}",
                hint="dssync verify names all there is, and what helps",
            )
        return contents(copy)


def _held(tx: Transaction, taken: Sequence[Snapshot]) -> Iterator[Held]:
    for each in remotes.known(tx):
        datasets, items = (
            len(records.keys(tx, kind, "remote = ?", [each.name])) for kind in ("dataset", "item")
        )
        own = tuple(Taken.of(snapshot) for snapshot in taken if snapshot.remote == each.name)
        yield Held(
            each.name, each.host, each.scope, each.project, each.contract, datasets, items, own
        )


def _edits(tx: Transaction) -> Iterator[Edit]:
    for kind in KINDS:
        for each in touched.triples(tx, kind):
            yield Edit(kind, each.key, digest_of(*each.ours.values()).hex())


def _compress(database: Path, compressed: Path) -> None:
    with database.open("rb") as source, compressed.open("wb") as target:
        writer = FrameWriter(target)
        while piece := source.read(PIECE):
            writer.write(piece)
        writer.close()


def part_of(file: Path) -> Part:
    """Sum a file up."""
    with file.open("rb") as stream:
        return Part(file.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest())
