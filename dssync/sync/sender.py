"""Send one change: intent first, then the request, then what came of it."""

from dataclasses import dataclass, replace

from dssync.clock import stamp
from dssync.core.differ import difference
from dssync.core.fields import Stored
from dssync.core.plan import Change
from dssync.core.receipt import Entry
from dssync.errors import ApiError, DssyncError, KeyRejected, TemporaryError
from dssync.mirror import Transaction, journal, records, theirs, touched
from dssync.mirror.incoming import Inbox
from dssync.mirror.journal import Intent
from dssync.posthog import Written
from dssync.sync import settler
from dssync.sync.preparation import entry_of
from dssync.sync.session import Link, Run

RESENDS = 3
"""How often a change is sent in one run, when reading shows each time that it was not applied."""

Body = dict[str, Stored]


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one change, and the error that ends this remote's part, if one does."""

    entry: Entry
    stop: DssyncError | None = None


@dataclass(slots=True)
class Sender:
    """Sends the changes of one remote, one after another."""

    link: Link
    run: Run
    server_date: str | None = None

    def send(self, change: Change) -> Sent:
        """Send a change, unless it is no longer what was planned. Raises Interrupted."""
        self.run.session.stop.check()
        with self.run.mirror.database.read() as tx:
            if not _still_meant(tx, change):
                return Sent(entry_of(change, "skipped", "it was edited after the plan was made"))
            body = _body(tx, change)
        if body is None:
            return Sent(entry_of(change, "skipped", "its dataset was not created"))
        for attempt in range(1, RESENDS + 1):
            sent = self._attempt(change, body, attempt)
            if sent is not None:
                return sent
        return Sent(entry_of(change, "failed", f"sent {RESENDS} times and never applied"))

    def _attempt(self, change: Change, body: Body, attempt: int) -> Sent | None:
        """Send once; None when it surely was not applied and may be sent again."""
        intent = self._open(change)
        try:
            written = self._request(change, body)
        except DssyncError as error:
            if surely_not_applied(error):
                return self._failed(change, intent, error, attempt)
            return self._find_out(change, intent, error, attempt)
        return self._applied(change, intent, written, attempt)

    def _request(self, change: Change, body: Body) -> Written:
        if change.id is None:
            return self.link.contract.create(change.kind, body)
        return self.link.contract.update(change.kind, change.id, body)

    def _open(self, change: Change) -> Intent:
        """Put the intent on the disk; from here on the request may have happened."""
        run = self.run
        return run.write(
            lambda tx: journal.open_intent(
                tx, run.number, change, run.session.clock, self.server_date
            ),
            durable=True,
        )

    def _applied(self, change: Change, intent: Intent, written: Written, attempt: int) -> Sent:
        self.server_date = written.server_date
        entry = entry_of(change, "applied", status=written.status, attempts=attempt)
        clock = self.run.session.clock
        inbox = Inbox(change.remote, change.kind, self.run.number, stamp(clock.now()))

        def close(tx: Transaction) -> None:
            if change.action == "create":
                inbox.adopt(tx, change.key, change.after, written.echo)
            else:
                theirs.note_sent(tx, change.kind, change.key, change.after, self.run.number)
            journal.close(tx, intent, entry, clock)

        self.run.write(close, durable=True)
        return Sent(entry)

    def _failed(self, change: Change, intent: Intent, error: DssyncError, attempt: int) -> Sent:
        status = error.status if isinstance(error, ApiError) else None
        entry = entry_of(change, "failed", error.message, status=status, attempts=attempt)
        clock = self.run.session.clock
        self.run.write(lambda tx: journal.close(tx, intent, entry, clock), durable=True)
        return Sent(entry, None if isinstance(error, ApiError) else error)

    def _find_out(
        self, change: Change, intent: Intent, error: DssyncError, attempt: int
    ) -> Sent | None:
        """Read what became of a request without a usable answer; None when it was not applied."""
        doubt = entry_of(change, "in doubt", error.message, attempts=attempt)
        if change.id is None:
            return Sent(doubt, None if isinstance(error, TemporaryError) else error)
        try:
            seen = self.link.contract.read(change.kind, change.id)
        except DssyncError as unread:  # the intent stays open, and the next run settles it
            return Sent(doubt, unread)
        found = settler.store(intent, seen, self.run)
        if found.outcome == "failed":
            return None
        return Sent(replace(found, label=change.label, where=change.where, attempts=attempt))


def surely_not_applied(error: DssyncError) -> bool:
    """Tell whether a write that ended in this error surely changed nothing."""
    if isinstance(error, TemporaryError):
        return not error.perhaps_applied
    return isinstance(error, ApiError | KeyRejected)


def _still_meant(tx: Transaction, change: Change) -> bool:
    """Tell whether the mirror still says what the plan says, now that both sides were read."""
    triple = touched.triple(tx, change.kind, change.key)
    now = difference(triple) if triple else None
    return isinstance(now, Change) and now.deltas == change.deltas


def _body(tx: Transaction, change: Change) -> Body | None:
    """Return the fields to send, or None while an item's new dataset has no id yet."""
    body: Body = dict(change.after)
    if "dataset" in body:
        parent = records.get(tx, "dataset", str(body["dataset"])).id
        if parent is None:
            return None
        body["dataset"] = parent
    return body
