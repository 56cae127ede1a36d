"""Settle open intents: find out, by reading only, what became of requests nobody saw answered."""

from collections.abc import Iterator, Sequence
from enum import Enum

from dssync.clock import stamp
from dssync.core.adoption import Adopt, Undecided
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.plan import Delta
from dssync.core.receipt import Entry, Outcome
from dssync.core.records import Reading
from dssync.core.values import equal
from dssync.errors import ServerTrouble
from dssync.mirror import Mirror, Transaction, doubts, incoming, journal, records, theirs
from dssync.mirror.incoming import Inbox
from dssync.mirror.journal import Intent
from dssync.sync import adoption
from dssync.sync.session import Link, Run

UNREADABLE = 500
"""How the server answers for a record that it holds but cannot show."""


class Verdict(Enum):
    """What a read says of a write that was perhaps applied."""

    APPLIED = "applied"
    NOT_APPLIED = "not applied"
    OTHER = "changed by somebody else"


OUTCOMES: dict[Verdict, tuple[Outcome, str]] = {
    Verdict.APPLIED: ("applied", "it got no answer, but was found on the server"),
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


def unsettled(mirror: Mirror) -> set[str]:
    """Name the remotes with requests in doubt."""
    with mirror.database.read() as tx:
        return {intent.remote for intent in journal.open_intents(tx)}


def settle(link: Link, run: Run) -> list[Entry]:
    """Settle this remote's open intents and return what became of each.

    What nobody can tell yet stays open, as "in doubt". The outcomes are kept in the receipts of
    the runs that sent the requests.
    """
    with run.mirror.database.read() as tx:
        mine = [i for i in journal.open_intents(tx) if i.remote == link.remote.name]
    # updates first: a record that somebody edited may turn out to be what a create became
    return [_settle_again(i, link, run) for i in sorted(mine, key=lambda i: i.action == "create")]


def _settle_again(intent: Intent, link: Link, run: Run) -> Entry:
    """Settle an intent as it stands now; an adoption may have renamed what it speaks of."""
    with run.mirror.database.read() as tx:
        intent = journal.again(tx, intent)
    return settle_one(intent, link, run)


def settle_one(intent: Intent, link: Link, run: Run) -> Entry:
    """Settle one intent. Raises what reading raises, but for a record that cannot be shown."""
    if intent.action == "create":
        return _settle_create(intent, link, run)
    with run.mirror.database.read() as tx:
        id = records.get(tx, intent.kind, intent.key).id
    try:
        seen = link.contract.read(intent.kind, id) if id else None
    except ServerTrouble as trouble:
        if trouble.status != UNREADABLE:
            raise
        return _entry(intent, "in doubt", f"it cannot be read: {trouble.message}")
    return _close(intent, seen, run)


def _settle_create(intent: Intent, link: Link, run: Run) -> Entry:
    look = adoption.look_for(intent, link, run.mirror, run.session)
    if isinstance(look.verdict, Undecided):
        return _entry(intent, "in doubt", adoption.doubt_about(intent, look.verdict))
    adopted = isinstance(look.verdict, Adopt)
    outcome, reason = OUTCOMES[Verdict.APPLIED if adopted else Verdict.NOT_APPLIED]
    entry = _entry(intent, outcome, reason)
    inbox = _inbox(intent, run)

    def close(tx: Transaction) -> None:
        journal.close(tx, intent, entry, run.session.clock)
        if adopted:
            adoption.adopt(tx, intent, look, inbox)
        else:
            doubts.drop_unmade(tx, intent)

    run.write(close, durable=True)
    return entry


def _close(intent: Intent, seen: Reading | None, run: Run) -> Entry:
    """Store what a read saw of a write in doubt, and close its intent with the verdict."""
    inbox = _inbox(intent, run)

    def close(tx: Transaction) -> Entry:
        outcome, reason = OUTCOMES[_keep(tx, intent, seen, inbox)]
        entry = _entry(intent, outcome, reason)
        journal.close(tx, intent, entry, run.session.clock)
        return entry

    return run.write(close, durable=True)


def _inbox(intent: Intent, run: Run) -> Inbox:
    return Inbox(intent.remote, intent.kind, run.number, stamp(run.session.clock.now()))


def _keep(tx: Transaction, intent: Intent, seen: Reading | None, inbox: Inbox) -> Verdict:
    values = incoming.values_of(tx, intent.remote, intent.kind, seen) if seen else None
    verdict = judge(intent.kind, intent.deltas, values)
    if verdict is Verdict.APPLIED:
        inbox.look_after(tx, intent.key, intent.sent, seen)
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
    """Say what was settled, one sentence a record; what is still in doubt has its own row."""
    for entry in entries:
        if entry.outcome != "in doubt":
            what = f"earlier {entry.action} of {entry.kind} {entry.key}"
            yield f"{what}: {entry.outcome}, {entry.reason}"
