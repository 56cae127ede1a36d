"""Push: apply a prepared plan, then look after it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from dssync.clock import stamp
from dssync.config import Remote
from dssync.core.fields import KINDS, KindName
from dssync.core.merge import Reason
from dssync.core.plan import Change
from dssync.core.receipt import Entry, Receipt, Trouble
from dssync.core.records import Reading
from dssync.errors import DssyncError
from dssync.events import ChangeSent
from dssync.mirror import Mirror, Transaction, journal, records, theirs
from dssync.mirror.incoming import Inbox
from dssync.sync import settler
from dssync.sync.preparation import Prepared, Readings, entries_of
from dssync.sync.reread import Wanted, reread
from dssync.sync.sender import Sender
from dssync.sync.session import Link, Run, Session, link, meet, run

REVERTED = "reverted after push: somebody else's change took it back"


def apply_push(
    mirror: Mirror, prepared: Prepared, remotes: Sequence[Remote], session: Session
) -> Receipt:
    """Send exactly the prepared changes, in their order, and read every record once more.

    Raises Locked. What went wrong stands in the receipt.
    """
    entries = list(prepared.dropped)
    troubles = list(prepared.troubles)
    notes: list[str] = []
    with run(mirror, "push", session) as current:
        unsettled = _unsettled(mirror) - {trouble.remote for trouble in troubles}
        for remote in remotes:
            changes = [c for c in prepared.plan.changes if c.remote == remote.name]
            if changes or remote.name in unsettled:
                push = _RemotePush(current, changes, prepared.readings.get(remote.name, {}))
                entries += push.go(remote)
                troubles += push.troubles
                notes += push.notes
        return current.finish(
            Receipt(
                "push",
                current.number,
                planned=prepared.planned,
                entries=tuple(entries),
                troubles=tuple(troubles),
                notes=tuple(notes),
            )
        )


def _unsettled(mirror: Mirror) -> set[str]:
    """Name the remotes with requests in doubt: they are asked even when nothing is to be sent."""
    with mirror.database.read() as tx:
        return {intent.remote for intent in journal.open_intents(tx)}


class _RemotePush:
    """One remote's part of a push."""

    def __init__(self, current: Run, changes: Sequence[Change], readings: Readings) -> None:
        self.run = current
        self.changes = changes
        self.readings = readings
        self.troubles: list[Trouble] = []
        self.notes: list[str] = []
        self._done: list[Entry] = []

    def go(self, remote: Remote) -> list[Entry]:
        """Send and look after; return one row for every change, whatever happens."""
        try:
            with link(remote, self.run.session) as reached:
                meet(reached, self.run)
                self.notes += settler.sentences(settler.settle(reached, self.run))
                self._store_readings(remote.name)
                self._send_all(Sender(reached, self.run))
                return self._look_after(reached)
        except DssyncError as error:  # the remote's outcome; what was not sent is told apart
            self.troubles.append(Trouble.of(remote.name, error))
            unsent = self.changes[len(self._done) :]
            return [*self._done, *entries_of(unsent, "skipped", f"not sent: {error.message}")]

    def _store_readings(self, remote: str) -> None:
        """Keep what `prepare` read as theirs, so that the plan and the mirror agree."""
        for kind in KINDS:
            mine = {key: r for (of, key), r in self.readings.items() if of == kind}
            shown = [reading for reading in mine.values() if reading is not None]
            gone = [key for key, reading in mine.items() if reading is None]
            inbox = self._inbox(remote, kind)
            self.run.write(partial(inbox.store, readings=shown))
            self.run.write(
                partial(theirs.tombstone, kind=kind, keys=gone, run=inbox.run, now=inbox.now)
            )

    def _send_all(self, sender: Sender) -> None:
        for change in self.changes:
            sent = sender.send(change)
            self._done.append(sent.entry)
            self._report(sent.entry)
            if sent.stop is not None:
                raise sent.stop

    def _look_after(self, reached: Link) -> list[Entry]:
        """Read what was applied once more; what the writes answered was only an echo."""
        with self.run.mirror.database.read() as tx:
            family = cache(partial(records.family, tx))
            wanted = {e: _wanted(tx, e, family) for e in self._done if e.outcome == "applied"}
        found = reread(reached.contract, list(wanted.values()))
        return [
            self._judge(entry, found.get((entry.kind, wanted[entry].id)))
            if entry in wanted
            else entry
            for entry in self._done
        ]

    def _judge(self, entry: Entry, seen: Reading | None) -> Entry:
        inbox = self._inbox(entry.remote, entry.kind)
        sent = {delta.field: delta.after for delta in entry.deltas}
        look = self.run.write(lambda tx: inbox.look_after(tx, entry.key, sent, seen))
        if any(conflict.reason is Reason.REVERTED for conflict in look.conflicts):
            return replace(entry, outcome="conflicted", reason=REVERTED)
        meanwhile = f"somebody changed {', '.join(look.moved)} meanwhile" if look.moved else ""
        return replace(
            entry,
            reason=meanwhile or entry.reason,
            updated_at=seen.row().updated_at if seen else None,
        )

    def _inbox(self, remote: str, kind: KindName) -> Inbox:
        return Inbox(remote, kind, self.run.number, stamp(self.run.session.clock.now()))

    def _report(self, entry: Entry) -> None:
        self.run.session.report(
            ChangeSent(
                entry.remote,
                entry.kind,
                entry.key,
                entry.action,
                entry.outcome,
                len(self._done),
                len(self.changes),
            )
        )


def _wanted(tx: Transaction, entry: Entry, family: Callable[[str], records.Family]) -> Wanted:
    """Say how to read a record again; one that was deleted, or still is, should not be shown."""
    record = records.get(tx, entry.kind, entry.key)
    home = family(str(record.values["dataset"])) if entry.kind == "item" else None
    flag = next((delta.after for delta in entry.deltas if delta.field == "deleted"), None)
    hidden = bool(flag) if flag is not None else record.absent_since is not None
    return Wanted(entry.kind, str(record.id), home, hidden)
