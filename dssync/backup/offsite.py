"""Copy the mirror off-site, prove what arrived, and prune what is too old.

The file that holds the mirror is stored, read back and compared first; then the manifest, which
makes it a copy. So whatever has a manifest has passed, and a run that is killed leaves no half one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from dssync.backup import age
from dssync.backup.manifest import Part
from dssync.backup.packing import Packed, pack, part_of, workplace
from dssync.backup.store import Store, open_store
from dssync.clock import Clock
from dssync.core.copies import CopyName, ahead, leftovers, surplus, whole
from dssync.core.snapshot import Snapshot
from dssync.errors import CopyDamaged, DssyncError, WrongTarget
from dssync.mirror import Mirror, copying
from dssync.mirror.mirror import LOCAL
from dssync.policy import Offsite

LONE_KEY = (
    "copies are encrypted to one key only: if its secret half is lost, none of them can be opened,"
    " by nobody; keep it in two places, or add a second recipient"
)
LOST_KEYS = (
    "copies are encrypted: they can be opened with the secret half of one of the recipients' keys"
    " only, and where all are lost, by nobody; keep them apart from this machine"
)


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that was made, read back and found right.

    `snapshots` has the newest of each remote; `pruned` names the copies that were removed, and
    `warnings` are sentences about what is no failure.
    """

    name: str
    place: str
    bytes: int
    snapshots: Mapping[str, Snapshot]
    pruned: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def copy_off(mirror: Mirror, offsite: Offsite, clock: Clock, env: Mapping[str, str]) -> Copied:
    """Make a copy of the mirror where the settings say, and prune older ones of it.

    Raises TemporaryError where the place does not answer, Refused, AccessError and UsageError where
    it cannot be used, MirrorDamaged where the mirror is not sound, and CopyDamaged where the copy
    reads back as something else; then nothing was pruned. A prune that fails is a warning.
    """
    recipients = age.recipients_of(offsite.recipients) if offsite.recipients else []
    store = open_store(offsite, env)
    files = store.names()
    identity, known = _identity(mirror)
    if known and store.gone():
        raise WrongTarget(
            f"{store.place} is not there, and copies of this mirror were made before",
            hint="see whether it is mounted; for a new place, make the folder first",
        )
    everybodys = whole(files)
    there = [name for name in everybodys if name.mirror == identity]
    name = CopyName.new(identity, clock.now(), filter(None, map(CopyName.parse, files)))
    with workplace(mirror.path) as work:
        packed = pack(mirror, name, offsite, recipients, work, clock)
        _store(store, packed, work)
    old = surplus(there, name, offsite.keep)
    pruned, troubles = _prune(store, old, leftovers(files, identity, clock.now()))
    return Copied(
        name=str(name),
        place=store.place,
        bytes=packed.manifest.stored.bytes,
        snapshots={each.remote: each for each in packed.snapshots},
        pruned=tuple(pruned),
        warnings=(
            *_doubts(offsite, there, everybodys, expected=known),
            *_early(there, clock.now()),
            *_keys(offsite, first=not there),
            *troubles,
        ),
    )


def _identity(mirror: Mirror) -> tuple[str, bool]:
    """Return the name of a mirror among copies, and whether it had one before."""
    with mirror.database.read() as tx:
        found = copying.identity(tx)
    if found is not None:
        return found, True
    with mirror.database.unit(LOCAL) as tx:
        copying.give_identity(tx)
        return copying.identity(tx) or "", False


def _store(store: Store, packed: Packed, work: Path) -> None:
    """Store both files, the manifest last, each read back and compared."""
    manifest = work / packed.name.manifest
    manifest.write_bytes(packed.manifest.text())
    try:
        for file, part in ((packed.file, packed.manifest.stored), (manifest, part_of(manifest))):
            store.put(file, file.name)
            if part_in(store, file.name) != part:
                raise CopyDamaged(
                    f"{file.name} reads back from {store.place} as something else than was"
                    " written, so it was removed",
                    hint="the copies before it stand; look after the storage, then run it again",
                )
    except CopyDamaged:
        with suppress(DssyncError):  # what went wrong first is the one to tell
            _remove(store, packed.name)
        raise


def part_in(store: Store, file: str) -> Part:
    """Read a file as it lies there, and sum it up. Raises CopyDamaged where there is none."""
    size, digest = 0, sha256()
    for piece in store.read(file):
        size += len(piece)
        digest.update(piece)
    return Part(size, digest.hexdigest())


def _prune(
    store: Store, copies: Sequence[CopyName], stale: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Remove old copies and what killed runs left; return the copies' names, and warnings."""
    pruned: list[str] = []
    try:
        for each in copies:
            _remove(store, each)
            pruned.append(str(each))
        for file in stale:
            store.remove(file)
    except DssyncError as error:  # the new copy stands all the same
        return pruned, [f"the copy was made, but older ones were not pruned: {error.message}"]
    return pruned, []


def _remove(store: Store, name: CopyName) -> None:
    """Remove a copy, its manifest first: what is left of it then is none."""
    for file in (name.manifest, name.data(encrypted=True), name.data(encrypted=False)):
        store.remove(file)


def _doubts(
    offsite: Offsite, own: Sequence[CopyName], others: Sequence[CopyName], *, expected: bool
) -> Iterator[str]:
    """Doubt the place, or the mirror; `expected` tells that copies were made before."""
    if own:
        return
    if expected:
        yield (
            f"{offsite.to} held no earlier copy of this mirror: is it the place that was meant,"
            " and is it mounted?"
        )
    elif others:
        yield (
            f"this mirror is new, and {offsite.to} holds copies of another: if that was lost, it is"
            " got back by `dssync drill COPY --keep FILE`, with its past and its edits; the newest"
            f" is {others[-1]}"
        )


def _early(own: Sequence[CopyName], now: datetime) -> Iterator[str]:
    """Warn of copies that `verify --copy` and `drill` would take for the newest for long."""
    if early := ahead(own, now):
        yield (
            f"{early[-1]} is from the future, so a clock is or was wrong; `dssync drill` and"
            " `dssync verify --copy` take it for the newest until its two files are removed"
        )


def _keys(offsite: Offsite, *, first: bool) -> Iterator[str]:
    """Speak of keys that can be lost."""
    if len(offsite.recipients) == 1:
        yield LONE_KEY
    elif first and offsite.recipients:
        yield LOST_KEYS
