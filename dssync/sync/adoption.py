"""Look for a record whose creation got no answer, among the newest of its list, by reading only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dssync.core.adoption import Adopt, Adoption, Candidate, Sought, Undecided, decide
from dssync.core.fields import KindName, Spot
from dssync.core.records import Position, Reading
from dssync.core.scan import Accepted, Ask, Page, Partial, Verdict
from dssync.core.sizing import Sizing
from dssync.core.walk import Walk
from dssync.errors import ApiError, ServerTrouble, TemporaryError
from dssync.mirror import Mirror, Transaction, doubts, incoming, journal, records
from dssync.mirror.incoming import Inbox
from dssync.mirror.journal import Intent
from dssync.net.dates import read_date
from dssync.posthog import Contract
from dssync.sync.session import Link, Session

NAMED = 3
"""So many candidates for a create in doubt are named; a pull shows them all."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the server says of a create in doubt.

    An adopted record comes with its `reading`, and with the key of the row as which a pull has
    stored it meanwhile, if one has.
    """

    verdict: Adoption
    reading: Reading | None = None
    stored_as: str | None = None


def look_for(intent: Intent, link: Link, mirror: Mirror, session: Session) -> Look:
    """Judge a create in doubt. Raises what a GET raises, but for a list that cannot be read."""
    with mirror.database.read() as tx:
        sought = doubts.sought_of(tx, intent)
        parent = _parent_id(tx, intent)
    if sought is None:
        return Look(Undecided("the server does not tell its time, so it cannot be looked for"))
    newest = _Newest(link.contract, intent.kind, parent, session, _horizon(sought))
    try:
        made_since = list(newest)
    except (ApiError, ServerTrouble) as trouble:
        return Look(Undecided(f"the newest records could not be read: {trouble.message}"))
    if newest.read_at is None:
        return Look(Undecided("the server did not tell its time"))
    return _judge(intent, sought, made_since, newest.read_at, mirror)


def foresee(link: Link, mirror: Mirror, session: Session) -> dict[Spot, str]:
    """Say of this remote's creates in doubt why they must not be sent again; nothing is written.

    One that surely was not made is left out. Updates in doubt need no such look: compared with
    what the server holds now, they are done, or still to do, or a conflict, like any other.
    """
    with mirror.database.read() as tx:
        mine = [i for i in journal.open_intents(tx) if i.remote == link.remote.name]
    found: dict[Spot, str] = {}
    for intent in mine:
        if intent.action == "create":
            verdict = look_for(intent, link, mirror, session).verdict
            if isinstance(verdict, Adopt):
                found[intent.spot] = "it was made after all; push adopts it"
            elif isinstance(verdict, Undecided):
                found[intent.spot] = doubt_about(intent, verdict)
    return found


def doubt_about(intent: Intent, verdict: Undecided) -> str:
    """Say why nobody can tell what became of a create, and what to type where it stays so."""
    ids = verdict.candidates
    if not ids:
        return verdict.reason
    more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
    drop = f"to drop the one here: dssync pull, dssync revert {intent.key}"
    return f"{verdict.reason}: {', '.join(ids[:NAMED])}{more}; {drop}"


def _judge(
    intent: Intent, sought: Sought, made_since: Sequence[Reading], now: datetime, mirror: Mirror
) -> Look:
    readings = {reading.id: reading for reading in made_since}
    with mirror.database.read() as tx:
        keys = doubts.unaccounted(tx, intent, readings)
        found = [_candidate(tx, intent, readings[id], key) for id, key in keys.items()]
    verdict = decide(sought, found, now)
    if isinstance(verdict, Adopt):
        return Look(verdict, readings[verdict.id], keys[verdict.id])
    return Look(verdict)


def _parent_id(tx: Transaction, intent: Intent) -> str | None:
    if intent.kind == "dataset":
        return None
    return records.get(tx, "dataset", str(intent.sent["dataset"])).id


def _horizon(sought: Sought) -> Position:
    return Position.of(sought.since.astimezone(UTC).isoformat(), "")


def _candidate(tx: Transaction, intent: Intent, reading: Reading, key: str | None) -> Candidate:
    if key is not None and records.get(tx, intent.kind, key).created_at is not None:
        return doubts.candidate(tx, intent.kind, key)
    row = reading.row()
    return Candidate(
        reading.id,
        incoming.values_of(tx, intent.remote, intent.kind, reading),
        datetime.fromisoformat(row.created_at),
        datetime.fromisoformat(row.updated_at),
    )


def adopt(tx: Transaction, intent: Intent, look: Look, inbox: Inbox) -> None:
    """Give the record that was made here the id, and the row, of the one that was found."""
    if look.reading is None:
        raise LookupError(f"nothing was found for {intent.key}")
    if look.stored_as is None:
        inbox.adopt(tx, intent.key, {}, look.reading)
    else:
        doubts.unite(tx, intent, look.stored_as)
    inbox.store(tx, [look.reading])


@dataclass(slots=True)
class _Newest:
    """The records of a list that were made since a moment, proved as any scan proves its list.

    `read_at` is the server's time when it showed the first of them.
    """

    contract: Contract
    kind: KindName
    parent: str | None
    session: Session
    horizon: Position
    read_at: datetime | None = None

    def __iter__(self) -> Iterator[Reading]:
        """Yield them, newest first. Raises what a GET raises, and ServerTrouble for no proof."""
        walk = Walk(Sizing(self.session.page), ahead=1)
        held: dict[Ask, Sequence[Reading]] = {}
        while not walk.done:
            for ask in walk.asks():
                for verdict in self._answer(walk, ask, held):
                    readings = held.pop(verdict.ask)
                    fresh = readings[verdict.start :] if isinstance(verdict, Accepted) else ()
                    yield from (r for r in fresh if r.position < self.horizon)
                    if any(r.position > self.horizon for r in fresh):
                        return
        if isinstance(walk.outcome, Partial):
            raise ServerTrouble(walk.outcome.reason, status=0, perhaps_applied=False)

    def _answer(self, walk: Walk, ask: Ask, held: dict[Ask, Sequence[Reading]]) -> list[Verdict]:
        started = self.session.clock.monotonic()
        try:
            result = self.contract.page(self.kind, ask.offset, ask.limit, self.parent)
        except TemporaryError as error:
            if not isinstance(error, ServerTrouble) or not error.perhaps_applied:
                raise
            return walk.fail(ask, error.message)
        self.read_at = self.read_at or read_date(result.server_date)
        held[ask] = result.readings
        page = Page([r.position for r in result.readings], result.more, result.count)
        seconds = self.session.clock.monotonic() - started
        return walk.take(ask, page, result.size_bytes, seconds)
