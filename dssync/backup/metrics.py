"""A file of metrics for Prometheus's node_exporter: what a backup did, what the mirror holds."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dssync.backup.offsite import Copied
from dssync.core.metrics import Family, each, exposition, one
from dssync.mirror import Mirror, kept
from dssync.sync.status import Status, read_status, unreadable_records
from dssync.sync.verifier import read_snapshots

HEAD = "# HELP dssync_"
"""How every file begins that was written here."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run of backup, as far as it can be told without the mirror; `seconds` is how long."""

    started: datetime
    seconds: float
    exit_code: int
    warnings: int

    def families(self) -> Iterator[Family]:
        """Return its numbers."""
        at = self.started.timestamp()
        yield one("dssync_backup_last_attempt_timestamp_seconds", "When the last one began.", at)
        yield one("dssync_backup_exit_code", "How the last one ended; 0 is well.", self.exit_code)
        yield one("dssync_backup_duration_seconds", "How long the last one took.", self.seconds)
        yield one("dssync_backup_warnings", "How many warnings it had.", self.warnings)


def of_copy(copied: Copied, seconds: float, now: datetime) -> Iterator[Family]:
    """Return the numbers of a copy that was just made."""
    at = now.timestamp()
    yield one("dssync_copy_timestamp_seconds", "When the last copy was proved off-site.", at)
    yield one("dssync_copy_bytes", "How large the last copy is, as it is stored.", copied.bytes)
    yield one("dssync_copy_duration_seconds", "How long it took to make and prove.", seconds)


def of_mirror(mirror: Mirror, names: Sequence[str]) -> Iterator[Family]:
    """Return the numbers of what a mirror holds, and 0 for what never was of a named remote."""
    status = read_status(mirror)
    there = sorted({*names, *(each.remote.name for each in status.remotes)})
    with mirror.database.read() as tx:
        success = kept.last_success(tx, "backup")
    taken = {snapshot.remote: _seconds(snapshot.taken_at) for snapshot in read_snapshots(mirror)}
    yield one(
        "dssync_backup_last_success_timestamp_seconds",
        "When the last backup ended that ended with 0; 0 before the first.",
        _seconds(success) if success else 0,
    )
    yield each(
        "dssync_snapshot_timestamp_seconds",
        "When the newest complete snapshot was taken; 0 before the first.",
        [({"remote": name}, taken.get(name, 0)) for name in there],
    )
    yield each(
        "dssync_records",
        "Live records on the server, as of the last pull.",
        [
            ({"remote": each.remote.name, "kind": kind}, number)
            for each in status.remotes
            for kind, number in (("dataset", each.datasets), ("item", each.items))
        ],
    )
    yield from _counts(mirror, status, there)


def _counts(mirror: Mirror, status: Status, names: Sequence[str]) -> Iterator[Family]:
    """Count what waits or is in the way, remote by remote."""
    counted: Mapping[str, tuple[str, list[str]]] = {
        "dssync_unreadable_records": (
            "Records that the server could not show and nobody acknowledged.",
            [u.remote for u in unreadable_records(mirror) if not u.acknowledged_at],
        ),
        "dssync_pending_changes": (
            "Edits that wait for a push.",
            [change.remote for change in status.plan.changes],
        ),
        "dssync_conflicts": (
            "Records in conflict.",
            [conflict.remote for conflict in status.plan.conflicts],
        ),
        "dssync_in_doubt": (
            "Requests whose outcome nobody knows.",
            [intent.remote for intent in status.in_doubt],
        ),
    }
    for name, (text, found) in counted.items():
        yield each(name, text, [({"remote": remote}, found.count(remote)) for remote in names])


def _seconds(text: str) -> float:
    with suppress(ValueError):
        return datetime.fromisoformat(text).timestamp()
    return 0  # damage made it no time


def write(path: Path, families: Sequence[Family]) -> list[str]:
    """Put the file in place of the one before, whole or not at all; return a warning on failure.

    What is not known now stays as the file before says. A file that holds anything else is left
    alone: a slip of the configuration must not cost the mirror, or a key.
    """
    try:
        before = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        if before and not before.startswith(HEAD):
            return [f"no metrics were written: {path} holds something else"]
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(exposition(families, before))
            Path(name).chmod(0o644)  # another user's exporter reads it
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        return [f"the metrics could not be written to {path}: {error.strerror or error}"]
    return []
