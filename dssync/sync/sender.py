"""Send one change: intent first, then the request, then what came of it."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from dssync.clock import stamp
from dssync.core.differ import difference
from dssync.core.fields import Stored
from dssync.core.plan import Change
from dssync.core.receipt import Entry
from dssync.errors import (
    ApiError,
    DssyncError,
    Interrupted,
    KeyRejected,
    ServerTrouble,
    TemporaryError,
    UsageError,
)
from dssync.mirror import Transaction, doubts, journal, records, touched
from dssync.mirror.incoming import Inbox
from dssync.mirror.journal import Intent
from dssync.posthog import Written
from dssync.sync import settler
from dssync.sync.preparation import entry_of
from dssync.sync.recreation import refusal
from dssync.sync.session import Link, Run

RESENDS = 3
"""How often a change is sent in one run, when reading shows each time that it was not applied."""

LATE = timedelta(seconds=1)
"""A request that leaves so long after its intent was written changes the intent."""

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

    def send(self, change: Change) -> Sent:
        """Send a change, unless it is no longer what was planned. Raises Interrupted."""
        self.run.session.stop.check()
        with self.run.mirror.database.read() as tx:
            held_back = _held_back(tx, change)
            body = None if held_back else _body(tx, change)
        if body is None:
            return Sent(held_back or entry_of(change, "skipped", "its dataset was not created"))
        for attempt in range(1, RESENDS + 1):
            sent = self._attempt(change, body, attempt)
            if sent is not None:
                return sent
        return Sent(entry_of(change, "failed", f"sent {RESENDS} times and never applied"))

    def _attempt(self, change: Change, body: Body, attempt: int) -> Sent | None:
        """Send once; None when it surely was not applied and may be sent again."""
        intent = self._open(change)
        try:
            return self._send(change, body, intent, attempt)
        except DssyncError as error:
            # What came of the request could not be kept: its intent stays open for the next run.
            return Sent(entry_of(change, "in doubt", error.message, attempts=attempt), error)

    def _send(self, change: Change, body: Body, intent: Intent, attempt: int) -> Sent | None:
        try:
            written = self._request(change, body, intent)
        except DssyncError as error:
            if surely_not_applied(error):
                return self._failed(change, intent, error, attempt)
            return self._find_out(change, intent, error, attempt)
        return self._applied(change, intent, written, attempt)

    def _request(self, change: Change, body: Body, intent: Intent) -> Written:
        if change.id is not None:
            return self.link.contract.update(change.kind, change.id, body)
        with self.link.departures.noticed(lambda: self._leaves(intent)):
            return self.link.contract.create(change.kind, body)

    def _open(self, change: Change) -> Intent:
        """Put the intent on the disk; from here on the request may have happened."""
        run, date = self.run, self._server_date(change)
        return run.write(
            lambda tx: journal.open_intent(tx, run.number, change, run.session.clock, date),
            durable=True,
        )

    def _server_date(self, change: Change) -> str | None:
        """Return the time there, by which a create that gets no answer will be looked for."""
        if change.id is None and self.link.clock.doubtful:
            with suppress(ServerTrouble):  # whatever answers, it tells the time
                self.link.contract.page(change.kind, 0, 1)
        return journal.date_of(self.link.clock.now())

    def _leaves(self, intent: Intent) -> None:
        """Note when a request leaves, if it had to wait: then it cannot have come any earlier."""
        now, noted = self.link.clock.now(), intent.sent_at
        if now is not None and (noted is None or now - noted > LATE):
            date = journal.date_of(now)
            self.run.write(lambda tx: journal.leaves_now(tx, intent, date), durable=True)

    def _applied(self, change: Change, intent: Intent, written: Written, attempt: int) -> Sent:
        """Keep what was sent as theirs, until a read shows what the server made of it."""
        entry = entry_of(change, "applied", status=written.status, attempts=attempt)
        clock = self.run.session.clock
        inbox = Inbox(change.remote, change.kind, self.run.number, stamp(clock.now()))

        def close(tx: Transaction) -> None:
            if change.id is None:
                inbox.adopt(tx, change.key, change.after, written.echo)
            else:
                inbox.note_sent(tx, change.key, change.after)
            journal.close(tx, intent, entry, clock)

        self.run.write(close, durable=True)
        return Sent(entry)

    def _failed(self, change: Change, intent: Intent, error: DssyncError, attempt: int) -> Sent:
        """Close the intent of a request that surely had no effect."""
        status = error.status if isinstance(error, ApiError | ServerTrouble) else None
        entry = entry_of(change, "failed", refusal(change, error), status=status, attempts=attempt)
        if isinstance(error, Interrupted):
            entry = entry_of(change, "skipped", f"not sent: {error.message}")
        clock = self.run.session.clock
        self.run.write(lambda tx: journal.close(tx, intent, entry, clock), durable=True)
        return Sent(entry, None if isinstance(error, ApiError | UsageError) else error)

    def _find_out(
        self, change: Change, intent: Intent, error: DssyncError, attempt: int
    ) -> Sent | None:
        """Read what became of a request without a usable answer; None when it was not applied."""
        doubt = entry_of(change, "in doubt", error.message, attempts=attempt)
        with self.run.mirror.database.read() as tx:
            intent = journal.again(tx, intent)  # it may have left later than it was written
        try:
            found = settler.settle_one(intent, self.link, self.run)
        except DssyncError as unread:  # the intent stays open, and the next run settles it
            return Sent(doubt, unread)
        if found.outcome == "failed":
            return None
        if found.outcome == "in doubt":
            entry = replace(doubt, reason=f"{error.message}; {found.reason}")
            return Sent(entry, None if isinstance(error, TemporaryError) else error)
        return Sent(entry_of(change, found.outcome, found.reason, attempts=attempt))


def surely_not_applied(error: DssyncError) -> bool:
    """Tell whether a write that ended in this error surely changed nothing.

    A UsageError is a value that could not even be written down, an Interrupted held the request
    back before it left.
    """
    if isinstance(error, TemporaryError):
        return not error.perhaps_applied
    return isinstance(error, ApiError | KeyRejected | UsageError | Interrupted)


def _held_back(tx: Transaction, change: Change) -> Entry | None:
    """Return the outcome of a change that must not be sent now."""
    if any(intent.spot == change.spot for intent in journal.open_intents(tx)):
        reason = "an earlier request may have been applied; nothing is sent until that is known"
        return entry_of(change, "in doubt", reason)
    if not still_meant(tx, change):
        return entry_of(change, "skipped", "it was edited after the plan was made")
    if change.id is not None:
        return None
    twin = doubts.equal_in_doubt(tx, change.remote, change.kind, change.key, change.after)
    if twin is not None:
        reason = f"an equal one, {twin.key}, is in doubt; it goes once that is settled"
        return entry_of(change, "skipped", reason)
    return None


def still_meant(tx: Transaction, change: Change) -> bool:
    """Tell whether the mirror still says what the plan says, now that both sides were read."""
    triple = touched.triple(tx, change.kind, change.key)
    now = difference(triple) if triple else None
    return isinstance(now, Change) and now.digest == change.digest


def _body(tx: Transaction, change: Change) -> Body | None:
    """Return the fields to send, or None while an item's new dataset has no id yet."""
    body: Body = dict(change.after)
    if "dataset" in body:
        parent = records.get(tx, "dataset", str(body["dataset"])).id
        if parent is None:
            return None
        body["dataset"] = parent
    return body
