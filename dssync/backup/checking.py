"""Prove a copy as it lies off-site: its bytes, and, with the key, every row of the mirror in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dssync.backup.manifest import Manifest
from dssync.backup.opening import Fetched, choose, fetch, unpack
from dssync.backup.packing import contents
from dssync.backup.store import Store, open_store
from dssync.core.damage import Damage
from dssync.core.fields import KindName
from dssync.errors import CopyDamaged, MirrorDamaged, MirrorTooNew, NoMirror
from dssync.mirror import Mirror, Transaction, records
from dssync.policy import Offsite
from dssync.sync.verifier import Verified, verify

NAMED = 50
"""So many edited records are named."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at of a copy, and what is wrong with it.

    `opened` tells whether the mirror in it was read: without the key only the stored bytes are
    proved. `faults` are of the copy, `verified` is what is in the mirror.
    """

    name: str
    place: str
    manifest: Manifest | None
    opened: bool
    faults: tuple[str, ...]
    verified: Verified | None = None

    @property
    def damages(self) -> tuple[Damage, ...]:
        """Return what is damaged in the mirror, the first of it."""
        return self.verified.damages if self.verified else ()

    @property
    def exit_code(self) -> int:
        """Return 0 for a copy that is as it was made."""
        wrong = self.faults or (self.verified and self.verified.damaged)
        return CopyDamaged.exit_code if wrong else 0


def check_copy(
    offsite: Offsite, env: Mapping[str, str], text: str | None, identities: Sequence[Any] = ()
) -> Checked:
    """Prove the copy of this name, the newest without one.

    Raises what the place raises, and AccessError where none of the keys opens it.
    """
    store = open_store(offsite, env)
    with TemporaryDirectory(prefix="dssync-copy-") as folder:
        checked, _ = take(store, text, identities, Path(folder))
        return checked


def take(
    store: Store, text: str | None, identities: Sequence[Any], folder: Path
) -> tuple[Checked, Path | None]:
    """Fetch a copy into a folder and prove it; return the mirror that is in it, if it opens."""
    name = choose(store, text)
    try:
        fetched = fetch(store, name, folder)
    except CopyDamaged as damage:
        return Checked(str(name), store.place, None, False, (damage.message,)), None
    told = fetched.manifest
    if told.recipients and not identities:
        return Checked(str(name), store.place, told, False, tuple(fetched.faults)), None
    database = unpack(fetched, identities, folder)
    verified = _verified(fetched, database) if database else None
    faults = tuple(fetched.faults)
    opened = verified is not None
    return Checked(str(name), store.place, told, opened, faults, verified), (
        database if opened else None
    )


def _verified(fetched: Fetched, database: Path) -> Verified | None:
    """Read the mirror in a copy, and hold it against the manifest; None where it does not open."""
    changed = bool(fetched.faults)
    try:
        with Mirror.open(database) as mirror:
            found = verify(mirror)
            if found.damaged and not found.rows:
                return found
            there = contents(mirror)
            if there.remotes != fetched.manifest.remotes:
                fetched.faults.append(
                    "its manifest tells of other snapshots or records than it has"
                )
            if changed:
                told = {(each.kind, each.key): each.digest for each in fetched.manifest.edits}
                now = {(each.kind, each.key): each.digest for each in there.edits}
                spots = [spot for spot in now if now[spot] != told.get(spot)]
                with mirror.database.read() as tx:
                    fetched.faults += _named(tx, spots)
            return found
    except MirrorTooNew:
        raise
    except (MirrorDamaged, NoMirror) as error:
        fetched.faults.append(f"the mirror in it does not open: {error.message}")
        return None


def _named(tx: Transaction, spots: Sequence[tuple[KindName, str]]) -> Iterator[str]:
    """Name the records that were edited in the copy after it was made."""
    for kind, key in spots[:NAMED]:
        label = records.get(tx, kind, key).label
        shown = f"{kind} {key}" if label == key else f"{kind} {label} ({key})"
        yield f"{shown} was edited in the copy after it was made"
    if len(spots) > NAMED:
        yield f"and {len(spots) - NAMED:,} more records"
