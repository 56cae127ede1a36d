"""The journal: what a push is about to send, on the disk before it is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from sqlalchemy import Connection, insert, select, update

from dssync.clock import Clock, stamp
from dssync.core.fields import KindName, Spot, Stored
from dssync.core.plan import Action, Change, Delta
from dssync.core.receipt import Entry
from dssync.mirror import runs, schema


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
    tx: Connection, run: int, change: Change, clock: Clock, server_date: str | None
) -> Intent:
    """Write an intent down; the caller's unit must be durable."""
    opened_at = stamp(clock.now())
    result = tx.execute(
        insert(schema.journal).values(
            run=run,
            remote=change.remote,
            kind=change.kind,
            key=change.key,
            action=change.action,
            deltas=runs.dump_deltas(change.deltas),
            opened_at=opened_at,
            server_date=server_date,
        )
    )
    (number,) = result.inserted_primary_key or (0,)
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


def leaves_now(tx: Connection, intent: Intent, server_date: str | None) -> None:
    """Note that the request leaves only now; what was sent of it before surely had no effect."""
    tx.execute(
        update(schema.journal)
        .where(schema.journal.c.intent == intent.number)
        .values(server_date=server_date)
    )


def close(tx: Connection, intent: Intent, entry: Entry, clock: Clock) -> None:
    """Note what became of an intent, in the journal and in the receipt of its run."""
    tx.execute(
        update(schema.journal)
        .where(schema.journal.c.intent == intent.number)
        .values(
            outcome=entry.outcome,
            status=entry.status,
            attempts=entry.attempts,
            closed_at=stamp(clock.now()),
        )
    )
    runs.keep_entries(tx, intent.run, [entry])


def again(tx: Connection, intent: Intent) -> Intent:
    """Return an open intent as it stands by now."""
    return next(each for each in open_intents(tx) if each.number == intent.number)


def open_intents(tx: Connection) -> Iterator[Intent]:
    """Yield the intents whose outcome nobody knows yet, oldest first."""
    table = schema.journal
    rows = tx.execute(select(table).where(table.c.closed_at.is_(None)).order_by(table.c.intent))
    for row in rows.mappings().all():
        yield Intent(
            number=row["intent"],
            run=row["run"],
            remote=row["remote"],
            kind=row["kind"],
            key=row["key"],
            action=row["action"],
            deltas=runs.load_deltas(row["deltas"]),
            opened_at=row["opened_at"],
            server_date=row["server_date"],
        )
