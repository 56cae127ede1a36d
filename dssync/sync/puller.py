"""Pull: mirror what the remotes hold, without touching what was edited here."""

from collections.abc import Callable, Sequence

from dssync.clock import stamp
from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.fields import KINDS, KindName
from dssync.core.receipt import Exit, Receipt, ScanCount, ScanOutcome, Trouble
from dssync.core.records import Reading
from dssync.core.scan import CompleteWithHoles, Partial
from dssync.core.sizing import Sizing
from dssync.core.walk import Walk
from dssync.errors import DssyncError, TemporaryError
from dssync.events import ScanEnded, ScanStarted
from dssync.mirror import Mirror, runs
from dssync.mirror.incoming import Inbox
from dssync.sync import settler
from dssync.sync.absence import conclude
from dssync.sync.scanner import Progress, scan
from dssync.sync.session import Link, Run, Session, link, meet, run


def pull(mirror: Mirror, remotes: Sequence[Remote], session: Session) -> Receipt:
    """Mirror these remotes; one that fails does not stop the others.

    Raises Locked. What went wrong with a remote stands in the receipt's troubles.
    """
    pulls: list[_RemotePull] = []
    with run(mirror, "pull", session) as current:
        for remote in remotes:
            pulls.append(_RemotePull(current, remote))
            pulls[-1].go()
        return current.finish(
            Receipt(
                "pull",
                current.number,
                scans=tuple(scan for pull in pulls for scan in pull.scans),
                troubles=tuple(trouble for pull in pulls for trouble in pull.troubles),
                notes=tuple(note for pull in pulls for note in pull.notes),
            )
        )


class _RemotePull:
    """One remote's part of a pull."""

    def __init__(self, current: Run, remote: Remote) -> None:
        self.run = current
        self.remote = remote
        self.scans: list[ScanCount] = []
        self.troubles: list[Trouble] = []
        self.notes: list[str] = []

    def go(self) -> None:
        """Settle, then scan every kind; what stops it becomes a trouble of this remote."""
        try:
            with link(self.remote, self.run.session) as reached:
                meet(reached, self.run)
                self.notes += settler.sentences(settler.settle(reached, self.run))
                for kind in KINDS:
                    self._scan(reached, kind)
        except DssyncError as error:  # the outcome of this remote; the others still go
            self.troubles.append(Trouble.of(self.remote.name, error))

    def _scan(self, reached: Link, kind: KindName) -> None:
        session = self.run.session
        session.report(ScanStarted(self.remote.name, kind))
        inbox = Inbox(self.remote.name, kind, self.run.number, stamp(session.clock.now()))
        walk = Walk(Sizing())
        try:
            progress = scan(
                walk, reached.contract, self.remote.name, kind, self._store(inbox), session
            )
            count = self._conclude(reached, inbox, walk, progress)
        except DssyncError as error:
            self._keep(_count(inbox, "partial", reason=error.message))
            raise
        self._keep(count)

    def _store(self, inbox: Inbox) -> Callable[[Sequence[Reading]], None]:
        def store(readings: Sequence[Reading]) -> None:
            with self.run.mirror.database.unit(self.run.number) as tx:
                inbox.store(tx, readings)

        return store

    def _conclude(self, reached: Link, inbox: Inbox, walk: Walk, progress: Progress) -> ScanCount:
        """Tombstone what is proved gone, unless the walk could not prove anything."""
        outcome = walk.outcome
        if isinstance(outcome, Partial):
            self.troubles.append(self._unfinished(inbox, outcome, progress))
            return _count(inbox, "partial", progress, reason=outcome.reason)
        absent = conclude(inbox, progress.rows, reached.contract, self.run, Limit())
        if isinstance(outcome, CompleteWithHoles):
            self.troubles.append(self._unreadable(inbox, outcome))
            return _count(inbox, "complete with holes", progress, absent)
        return _count(inbox, "complete", progress, absent)

    def _unfinished(self, inbox: Inbox, outcome: Partial, progress: Progress) -> Trouble:
        message = f"the list of {inbox.kind}s was not read to its end: {outcome.reason}"
        error = progress.trouble or TemporaryError(message)
        return Trouble(self.remote.name, message, error.exit_code, error.hint, error.code)

    def _unreadable(self, inbox: Inbox, outcome: CompleteWithHoles) -> Trouble:
        places = ", ".join(str(hole.offset + 1) for hole in outcome.holes)
        return Trouble(
            self.remote.name,
            f"the server cannot show {len(outcome.holes)} {inbox.kind}s (number {places} of the"
            " list); everything else was mirrored",
            Exit.PARTIAL,
            "open them in PostHog and shorten numbers beyond 64 bits or very deep JSON",
            "unreadable",
        )

    def _keep(self, count: ScanCount) -> None:
        self.scans.append(count)
        with self.run.mirror.database.edit() as tx:
            runs.keep_scan(tx, self.run.number, count, self.run.session.clock)
        self.run.session.report(ScanEnded(count.remote, count.kind, count.outcome, count.listed))


def _count(
    inbox: Inbox,
    outcome: ScanOutcome,
    progress: Progress | None = None,
    absent: int = 0,
    reason: str = "",
) -> ScanCount:
    counts = inbox.counts
    return ScanCount(
        inbox.remote,
        inbox.kind,
        outcome,
        listed=counts.new + counts.changed + counts.unchanged,
        new=counts.new,
        changed=counts.changed,
        unchanged=counts.unchanged,
        absent=absent,
        pages=progress.pages if progress else 0,
        reason=reason,
    )
