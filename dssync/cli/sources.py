"""Bundles as what a restore or a migration reads from."""

from functools import partial
from pathlib import Path

from dssync.core.snapshot import Unread
from dssync.errors import UsageError
from dssync.files import bundle
from dssync.files.bundleform import Origin
from dssync.mirror import Mirror
from dssync.sync.past import Source


def carried(mirror: Mirror, file: Path, to: str | None) -> Source:
    """Prove a bundle, and return what it carries. Raises BundleDamaged, UsageError."""
    manifest = bundle.check(file).manifest
    snapshot = manifest.snapshot
    home = _home(mirror, manifest.remote)
    if to is None and home not in (each.name for each in mirror.remotes()):
        origin = manifest.remote
        raise UsageError(
            f"{file.name} is of {origin.scope} {origin.id} of {origin.host}, which the mirror has"
            " not met yet",
            hint="add that as a remote and pull it once, or say --to REMOTE",
        )
    return Source(
        remote=home,
        run=None,
        title=f"{file.name}, snapshot {snapshot.run} of {manifest.remote.name}",
        unread=tuple(Unread(each.kind, each.key, each.place) for each in snapshot.unread),
        read=partial(bundle.records, file),
    )


def _home(mirror: Mirror, origin: Origin) -> str:
    """Return what this mirror calls the remote that was bundled.

    Another project under the same name is not it.
    """
    remotes = mirror.remotes()
    there = (origin.host, origin.scope, origin.id)
    for each in remotes:
        if (each.host, each.scope, each.project) == there:
            return each.name
    taken = any(each.name == origin.name for each in remotes)
    return f"{origin.scope} {origin.id} of {origin.host}" if taken else origin.name
