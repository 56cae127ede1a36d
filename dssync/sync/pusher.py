"""Push: apply a prepared plan, then look after it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from dssync.clock import stamp
from dssync.config import Remote
from dssync.core.fields import KINDS, KindName, Spot
from dssync.core.merge import Reason
from dssync.core.receipt import Entry, Receipt, Trouble
from dssync.core.records import Reading
from dssync.errors import DssyncError
from dssync.events import ChangeSent
from dssync.mirror import Mirror, Transaction, plans, records, theirs
from dssync.mirror.incoming import Inbox
from dssync.sync import settler
from dssync.sync.preparation import NOT_REACHED, STALE, Prepared, entries_of
from dssync.sync.renewal import renew
from dssync.sync.reread import Wanted, reread
from dssync.sync.sender import Sender
from dssync.sync.session import Link, Run, Session, link, meet, run

REVERTED = "reverted after push: somebody else's change took it back"


def apply_push(
    mirror: Mirror,
    prepared: Prepared,
    remotes: Sequence[Remote],
    session: Session,
    *,
    command: str = "push",
    undoes: int | None = None,
    ending: Callable[[Receipt], Receipt] = lambda receipt: receipt,
) -> Receipt:
    """Send exactly the prepared changes, in their order, and read every record once more.

    What was read too long ago is read again first. Planned edits are made next; should the run die
    before they are sent, they are pending like any other. `undoes` is the run that this one takes
    back, `ending` has a last word on the receipt. Raises Locked. What went wrong stands in it.
    """
    prepared = renew(mirror, prepared, remotes, session)
    with run(mirror, command, session, undoes=undoes) as current:
        unsent = entries_of(prepared.plan.changes, "skipped", NOT_REACHED)
        current.keep([*prepared.dropped, *unsent])
        current.write(lambda tx: plans.note(tx, current.number, prepared.approved or None))
        unreached = {t.remote for t in prepared.troubles if t.code != STALE}
        pushes = [_RemotePush(current, prepared, remote) for remote in remotes]
        open_there = settler.unsettled(mirror) - unreached
        for push in pushes:
            read = prepared.readings.get(push.remote.name)
            if push.changes or read or push.remote.name in open_there:
                push.go()
        names = {remote.name for remote in remotes}
        left_out = [entry for entry in prepared.dropped if entry.remote not in names]
        entries = [entry for push in pushes for entry in push.entries()]
        unplanned = [entry for push in pushes for entry in push.unplanned()]
        receipt = Receipt(
            command,
            current.number,
            planned=prepared.planned + len(unplanned),
            entries=(*left_out, *entries, *unplanned),
            troubles=(*prepared.troubles, *(t for push in pushes for t in push.troubles)),
            notes=tuple(note for push in pushes for note in push.notes),
        )
        return current.finish(ending(receipt))


class _RemotePush:
    """One remote's part of a push."""

    def __init__(self, current: Run, prepared: Prepared, remote: Remote) -> None:
        self.run = current
        self.remote = remote
        self.prepared = prepared
        self.changes = [c for c in prepared.plan.changes if c.remote == remote.name]
        self.troubles: list[Trouble] = []
        self.notes: list[str] = []
        self._dropped = [e for e in prepared.dropped if e.remote == remote.name]
        self._settled: dict[Spot, Entry] = {}
        self._done: list[Entry] = []
        self._stopped = ""

    def go(self) -> None:
        """Settle, send and look after; what stops it becomes a trouble of this remote."""
        try:
            with link(self.remote, self.run.session) as reached:
                meet(reached, self.run)
                self._settle(reached)
                self._store_readings(self.remote.name)
                if self.prepared.edits:
                    self.run.edit(partial(self.prepared.edits.make, changes=self.changes))
                self._send_all(Sender(reached, self.run))
                self._look_after(reached)
        except DssyncError as error:  # the remote's outcome; what was not sent is told apart
            self.troubles.append(Trouble.of(self.remote.name, error))
            self._stopped = error.message

    def entries(self) -> list[Entry]:
        """Return one row for every change that was planned, whatever happened."""
        unsent = self.changes[len(self._done) :]
        return [
            *map(self._as_settled, self._dropped),
            *self._done,
            *entries_of(unsent, "skipped", f"not sent: {self._stopped}"),
        ]

    def unplanned(self) -> list[Entry]:
        """Return what is still in doubt of records that have no change in the plan."""
        planned = {entry.spot for entry in self._dropped}
        planned |= {change.spot for change in self.changes}
        return [
            entry
            for spot, entry in self._settled.items()
            if entry.outcome == "in doubt" and spot not in planned
        ]

    def _settle(self, reached: Link) -> None:
        found = settler.settle(reached, self.run)
        self._settled = {entry.spot: entry for entry in found}
        self.notes += settler.sentences(found)

    def _as_settled(self, entry: Entry) -> Entry:
        """Replace what `prepare` had to leave open by what settling found since."""
        found = self._settled.get(entry.spot)
        if found is None or entry.outcome not in ("in doubt", "skipped"):
            return entry
        if found.outcome == "failed":
            return replace(entry, outcome="skipped", reason=found.reason)
        return replace(entry, outcome=found.outcome, reason=found.reason)

    def _store_readings(self, remote: str) -> None:
        """Keep what `prepare` read as theirs, so that the plan and the mirror agree."""
        readings = self.prepared.readings.get(remote, {})
        for kind in KINDS:
            mine = {key: r for (of, key), r in readings.items() if of == kind}
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
            self._done.append(self._as_settled(sent.entry))
            self._report(self._done[-1])
            if sent.stop is not None:
                raise sent.stop

    def _look_after(self, reached: Link) -> None:
        """Read what was applied once more; what the writes answered was only an echo."""
        with self.run.mirror.database.read() as tx:
            family = cache(partial(records.family, tx))
            wanted = {
                at: _wanted(tx, entry, family)
                for at, entry in enumerate(self._done)
                if entry.outcome == "applied"
            }
        found = reread(reached.contract, list(wanted.values()))
        for at, want in wanted.items():
            self._done[at] = self._judge(self._done[at], found.get((want.kind, want.id)))

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
