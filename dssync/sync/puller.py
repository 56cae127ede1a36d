"""Pull: mirror what the remotes hold, without touching what was edited here."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from dssync.clock import stamp
from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.fields import KINDS, KindName
from dssync.core.plan import Conflicted
from dssync.core.receipt import Entry, Receipt, ScanCount, ScanOutcome, Trouble
from dssync.core.scan import CompleteWithHoles, Hole, Outcome, Partial
from dssync.core.sizing import Sizing
from dssync.core.snapshot import Snapshot
from dssync.core.walk import Walk
from dssync.errors import DssyncError, MirrorDamaged, TemporaryError
from dssync.events import ScanEnded, ScanStarted
from dssync.mirror import Mirror, runs, snapshots, unreadable
from dssync.mirror.incoming import Inbox
from dssync.sync import settler
from dssync.sync.absence import Absence
from dssync.sync.planner import make_plan
from dssync.sync.preparation import conflicted_entry
from dssync.sync.scanner import Progress, Scanner
from dssync.sync.session import Link, Run, Session, link, meet, run

REMOTES_AT_ONCE = 4


def pull(
    mirror: Mirror, remotes: Sequence[Remote], session: Session, *, limit: Limit | None = None
) -> Receipt:
    """Mirror these remotes; one that fails does not stop the others.

    `limit` is how many records of a kind may vanish; it beats a remote's own. Raises Locked. What
    went wrong with a remote stands in the receipt's troubles.
    """
    with run(mirror, "pull", session) as current:
        return current.finish(pull_within(current, remotes, limit))


def pull_within(current: Run, remotes: Sequence[Remote], limit: Limit | None = None) -> Receipt:
    """Pull as a part of a run, and return the receipt of that part; the run goes on."""
    pulls = [
        _RemotePull(current, remote, limit or remote.max_delete or Limit()) for remote in remotes
    ]
    with ThreadPoolExecutor(REMOTES_AT_ONCE, thread_name_prefix="dssync-remote") as pool:
        for done in [pool.submit(each.go) for each in pulls]:
            done.result()
    entries = tuple(entry for pull in pulls for entry in pull.entries)
    return Receipt(
        "pull",
        current.number,
        planned=sum(entry.outcome == "in doubt" for entry in entries),
        entries=entries,
        scans=tuple(scan for pull in pulls for scan in pull.scans),
        troubles=tuple(trouble for pull in pulls for trouble in pull.troubles),
        notes=tuple(note for pull in pulls for note in pull.notes),
    )


class _RemotePull:
    """One remote's part of a pull."""

    def __init__(self, current: Run, remote: Remote, limit: Limit) -> None:
        self.run = current
        self.remote = remote
        self.limit = limit
        self.scans: list[ScanCount] = []
        self.troubles: list[Trouble] = []
        self.notes: list[str] = []
        self.entries: list[Entry] = []

    def go(self) -> None:
        """Settle, then scan every kind; what stops it becomes a trouble of this remote."""
        try:
            with link(self.remote, self.run.session) as reached:
                meet(reached, self.run)
                before = self._conflicts()
                self._settle(reached)
                for kind in KINDS:
                    self._scan(reached, kind)
                self._note_conflicts(before)
                self._take_snapshot()
        except DssyncError as error:  # the outcome of this remote; the others still go
            self.troubles.append(Trouble.of(self.remote.name, error))

    def _settle(self, reached: Link) -> None:
        found = settler.settle(reached, self.run)
        self.notes += settler.sentences(found)
        self.entries += [entry for entry in found if entry.outcome == "in doubt"]

    def _conflicts(self) -> tuple[Conflicted, ...]:
        return make_plan(self.run.mirror, [self.remote.name]).conflicts

    def _note_conflicts(self, before: Collection[Conflicted]) -> None:
        """Keep what is in conflict since this pull; what was before is no news."""
        self.entries += [
            replace(conflicted_entry(conflict), action="read")
            for conflict in self._conflicts()
            if conflict not in before
        ]

    def _take_snapshot(self) -> None:
        """Sum the remote up, if both of its lists were read whole."""
        if any(scan.outcome == "partial" for scan in self.scans):
            return
        now = stamp(self.run.session.clock.now())
        taken = self.run.write(
            lambda tx: snapshots.take(tx, self.remote.name, self.run.number, now), durable=True
        )
        if taken.broken:
            self.troubles.append(Trouble.of(self.remote.name, _broken(taken.broken)))

    def _scan(self, reached: Link, kind: KindName) -> None:
        clock = self.run.session.clock
        self.run.session.report(ScanStarted(self.remote.name, kind))
        inbox = Inbox(self.remote.name, kind, self.run.number, stamp(clock.now()))
        try:
            outcome, progress = self._walk(reached, inbox)
            count = self._conclude(reached, inbox, outcome, progress)
        except DssyncError as error:
            self._keep(_count(inbox, "partial", reason=error.message))
            raise
        self._keep(count)

    def _walk(
        self, reached: Link, inbox: Inbox, dataset_id: str | None = None
    ) -> tuple[Outcome, Progress]:
        """Walk a list into an inbox, knowing the holes that the last pull found."""
        run, session, kind = self.run, self.run.session, inbox.kind
        with run.mirror.database.read() as tx:
            hints = unreadable.hints(tx, inbox.remote, kind, session.clock.now())
        sizing = Sizing(session.page)
        walk = Walk(sizing, session.ahead, () if dataset_id else hints)
        scanner = Scanner(
            walk=walk,
            sizing=sizing,
            link=reached,
            kind=kind,
            store=lambda readings: run.submit(lambda tx: inbox.store(tx, readings)),
            session=session,
            eager=lambda: inbox.mostly_new,
            dataset_id=dataset_id,
        )
        progress = scanner.run()
        return walk.outcome or Partial("the walk has no end"), progress

    def _conclude(
        self, reached: Link, inbox: Inbox, outcome: Outcome, progress: Progress
    ) -> ScanCount:
        """Tombstone what is proved gone, unless the walk could not prove anything."""
        if isinstance(outcome, Partial):
            self.troubles.append(self._unfinished(inbox, outcome, progress))
            return _count(inbox, "partial", progress, reason=outcome.reason)
        again = Inbox(inbox.remote, inbox.kind, inbox.run, inbox.now, inbox.seen)
        absence = Absence(
            inbox=again,
            contract=reached.contract,
            run=self.run,
            limit=self.limit,
            again=lambda dataset_id: self._walk(reached, again, dataset_id)[0],
            believed=self._believed(inbox.kind),
        )
        concluded = absence.conclude(progress.rows, outcome)
        holes = outcome.holes if isinstance(outcome, CompleteWithHoles) else ()
        self._keep_holes(inbox, [(hole, concluded.named.get(hole)) for hole in holes])
        how: ScanOutcome = "complete with holes" if holes else "complete"
        return _count(inbox, how, progress, concluded.absent)

    def _believed(self, kind: KindName) -> frozenset[str]:
        with self.run.mirror.database.read() as tx:
            now = self.run.session.clock.now()
            return unreadable.believed(tx, self.remote.name, kind, now)

    def _keep_holes(self, inbox: Inbox, found: Sequence[tuple[Hole, str | None]]) -> None:
        now = self.run.session.clock.now()
        kept = self.run.write(
            lambda tx: unreadable.keep(tx, inbox.remote, inbox.kind, found, inbox.run, now)
        )
        for each in kept:
            reason = f"the server cannot show it (number {each.hole.offset + 1} of the list)"
            if each.acknowledged_at:
                self.notes.append(f"{each.kind} {each.label} is still unreadable")
            else:
                self.entries.append(
                    Entry(each.remote, each.kind, each.label, "read", "unreadable", reason=reason)
                )

    def _unfinished(self, inbox: Inbox, outcome: Partial, progress: Progress) -> Trouble:
        message = f"the list of {inbox.kind}s was not read to its end: {outcome.reason}"
        error = progress.trouble or TemporaryError(message)
        return Trouble(self.remote.name, message, error.exit_code, error.hint, error.code)

    def _keep(self, count: ScanCount) -> None:
        self.scans.append(count)
        clock = self.run.session.clock
        self.run.write(lambda tx: runs.keep_scan(tx, self.run.number, count, clock))
        self.run.session.report(ScanEnded(count.remote, count.kind, count.outcome, count.listed))


def _broken(snapshot: Snapshot) -> MirrorDamaged:
    return MirrorDamaged(
        f"the mirror no longer has what {snapshot.remote} held at run {snapshot.run}",
        hint="dssync verify says where",
    )


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
