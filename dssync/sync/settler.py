"""Settle open intents: find out, by reading only, what became of requests nobody saw answered."""

from collections.abc import Iterator, Sequence
from enum import Enum

from dssync.clock import stamp
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.plan import Delta
from dssync.core.receipt import Entry, Outcome
from dssync.core.records import Reading
from dssync.core.values import equal
from dssync.mirror import Transaction, incoming, journal, records, theirs
from dssync.mirror.incoming import Inbox
from dssync.mirror.journal import Intent
from dssync.sync.session import Link, Run


class Verdict(Enum):
    """What a read says of a write that was perhaps applied."""

    APPLIED = "applied"
    NOT_APPLIED = "not applied"
    OTHER = "changed by somebody else"


OUTCOMES: dict[Verdict, tuple[Outcome, str]] = {
    Verdict.APPLIED: ("applied", "found on the server by a later run"),
    Verdict.NOT_APPLIED: ("failed", "it never reached the server; it is pending again"),
    Verdict.OTHER: ("conflicted", "somebody else changed the record meanwhile"),
}


def judge(kind: KindName, deltas: Sequence[Delta], seen: Values | None) -> Verdict:
    """Compare what a write would have changed with what is there; `seen` is None for a 404.

    A record that is gone is what a deletion wanted and what an undeletion found, and no proof of
    anything else.
    """
    if seen is None:
        for delta in deltas:
            if delta.field == "deleted":
                return Verdict.APPLIED if delta.after else Verdict.NOT_APPLIED
        return Verdict.OTHER
    fields = KINDS[kind].by_name
    if all(equal(fields[d.field], seen[d.field], d.after) for d in deltas):
        return Verdict.APPLIED
    if all(equal(fields[d.field], seen[d.field], d.before) for d in deltas):
        return Verdict.NOT_APPLIED
    return Verdict.OTHER


def settle(link: Link, run: Run) -> list[Entry]:
    """Settle this remote's open intents and return what became of each.

    A create stays in doubt: that nothing is found does not prove that nothing was made. The
    outcomes are kept in the receipts of the runs that sent the requests.
    """
    with run.mirror.database.read() as tx:
        mine = [i for i in journal.open_intents(tx) if i.remote == link.remote.name]
    return [_settle(intent, link, run) for intent in mine]


def _settle(intent: Intent, link: Link, run: Run) -> Entry:
    if intent.action == "create":
        return _entry(intent, "in doubt", "it may have been created; nothing is sent again")
    with run.mirror.database.read() as tx:
        id = records.get(tx, intent.kind, intent.key).id
    seen = link.contract.read(intent.kind, id) if id else None
    return store(intent, seen, run)


def store(intent: Intent, seen: Reading | None, run: Run) -> Entry:
    """Store what a read saw of a write in doubt, and close its intent with the verdict."""
    clock = run.session.clock
    inbox = Inbox(intent.remote, intent.kind, run.number, stamp(clock.now()))

    def close(tx: Transaction) -> Entry:
        outcome, reason = OUTCOMES[_keep(tx, intent, seen, inbox)]
        entry = _entry(intent, outcome, reason)
        journal.close(tx, intent, entry, clock)
        return entry

    return run.write(close)


def _keep(tx: Transaction, intent: Intent, seen: Reading | None, inbox: Inbox) -> Verdict:
    values = incoming.values_of(tx, intent.remote, intent.kind, seen) if seen else None
    verdict = judge(intent.kind, intent.deltas, values)
    if verdict is Verdict.APPLIED:
        sent = {delta.field: delta.after for delta in intent.deltas}
        inbox.look_after(tx, intent.key, sent, seen)
    elif seen is not None:
        inbox.store(tx, [seen])
    else:
        theirs.tombstone(tx, intent.kind, [intent.key], inbox.run, inbox.now)
    return verdict


def _entry(intent: Intent, outcome: Outcome, reason: str) -> Entry:
    return Entry(
        intent.remote, intent.kind, intent.key, intent.action, outcome, intent.deltas, reason
    )


def sentences(entries: Sequence[Entry]) -> Iterator[str]:
    """Say what was settled, one sentence a record."""
    for entry in entries:
        yield f"earlier {entry.action} of {entry.kind} {entry.key}: {entry.outcome}, {entry.reason}"
