"""Where a restore reads the past from, and the proof that it is still what the server sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dssync.core.fields import KindName
from dssync.core.snapshot import Snapshot, Unread
from dssync.mirror import Mirror, past
from dssync.mirror.past import Past
from dssync.sync.verifier import prove


@dataclass(frozen=True, slots=True)
class Source:
    """The records of one remote as they were once.

    `remote` is whose they are, in this mirror's words; `title` says it to people. `run` is the
    snapshot in this mirror, None where they come from elsewhere. `unread` could not be read then.
    `read` yields the records of a kind, the deleted and the absent among them.
    """

    remote: str
    run: int | None
    title: str
    unread: tuple[Unread, ...]
    read: Callable[[KindName], Iterator[Past]]


@contextmanager
def open_snapshot(mirror: Mirror, snapshot: Snapshot) -> Iterator[Source]:
    """Give what a snapshot holds, once it is proved. Raises MirrorDamaged."""
    remote, run = snapshot.remote, snapshot.run
    prove(mirror, snapshot)
    with mirror.database.read() as tx:
        yield Source(
            remote,
            run,
            f"snapshot {run} of {remote}, taken at {snapshot.taken_at[:19]}Z",
            snapshot.unread,
            lambda kind: past.held(tx, remote, run, kind),
        )
