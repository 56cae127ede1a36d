"""The journal: what a push is about to send, on the disk before it is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from dssync.clock import Clock, stamp
from dssync.core.fields import KindName, Spot, Stored
from dssync.core.plan import Action, Change, Delta
from dssync.core.receipt import Entry
from dssync.mirror import runs
from dssync.mirror.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Intent:
    """One request that was about to be sent, and perhaps was.

    `server_date` is the server's time when the request left, as an HTTP date: the last Date that
    it had sent, and what we counted since.
    """

    number: int
    run: int
    remote: str
    kind: KindName
    key: str
    action: Action
    deltas: tuple[Delta, ...]
    opened_at: str
    server_date: str | None

    @property
    def spot(self) -> Spot:
        """Name the record."""
        return self.kind, self.key

    @property
    def sent(self) -> dict[str, Stored]:
        """Return the fields that were sent, with their values."""
        return {delta.field: delta.after for delta in self.deltas}

    @property
    def sent_at(self) -> datetime | None:
        """Return when the request left, by the server's clock; None where it told no time."""
        return parsedate_to_datetime(self.server_date) if self.server_date else None


def date_of(moment: datetime | None) -> str | None:
    """Write a server's time as a Date header does."""
    return format_datetime(moment.astimezone(UTC), usegmt=True) if moment else None


def open_intent(
    tx: Transaction, run: int, change: Change, clock: Clock, server_date: str | None
) -> Intent:
    """Write an intent down; the caller's unit must be durable."""
    opened_at = stamp(clock.now())
    number = tx.exec_driver_sql(
        "INSERT INTO journal (run, remote, kind, key, action, deltas, opened_at, server_date)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING intent",
        (
            run,
            change.remote,
            change.kind,
            change.key,
            change.action,
            runs.dump_deltas(change.deltas),
            opened_at,
            server_date,
        ),
    ).scalar_one()
    return Intent(
        number=int(number),
        run=run,
        remote=change.remote,
        kind=change.kind,
        key=change.key,
        action=change.action,
        deltas=change.deltas,
        opened_at=opened_at,
        server_date=server_date,
    )


def leaves_now(tx: Transaction, intent: Intent, server_date: str | None) -> None:
    """Note that the request leaves only now; what was sent of it before surely had no effect."""
    tx.exec_driver_sql(
        "UPDATE journal SET server_date = ? WHERE intent = ?", (server_date, intent.number)
    )


def close(tx: Transaction, intent: Intent, entry: Entry, clock: Clock) -> None:
    """Note what became of an intent, in the journal and in the receipt of its run."""
    tx.exec_driver_sql(
        "UPDATE journal SET outcome = ?, status = ?, attempts = ?, closed_at = ? WHERE intent = ?",
        (entry.outcome, entry.status, entry.attempts, stamp(clock.now()), intent.number),
    )
    runs.keep_entries(tx, intent.run, [entry])


def again(tx: Transaction, intent: Intent) -> Intent:
    """Return an open intent as it stands by now."""
    return next(each for each in open_intents(tx) if each.number == intent.number)


def open_intents(tx: Transaction) -> Iterator[Intent]:
    """Yield the intents whose outcome nobody knows yet, oldest first.

    The sign keeps SQLite from reading the whole journal in its order: few of it are open.
    """
    rows = tx.exec_driver_sql(
        "SELECT intent, run, remote, kind, key, action, deltas, opened_at, server_date"
        " FROM journal WHERE closed_at IS NULL ORDER BY +intent"
    ).fetchall()
    for number, run, remote, kind, key, action, deltas, opened_at, server_date in rows:
        yield Intent(
            number=number,
            run=run,
            remote=remote,
            kind=kind,
            key=key,
            action=action,
            deltas=runs.load_deltas(deltas),
            opened_at=opened_at,
            server_date=server_date,
        )
