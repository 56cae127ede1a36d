"""Look for a record whose creation got no answer, among the newest of its list."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from dssync.core.adoption import Adopt, Adoption, Undecided, decide, same_content
from dssync.core.records import Position, Reading
from dssync.errors import ServerTrouble
from dssync.mirror import Transaction, aliases, incoming, records
from dssync.mirror.journal import Intent
from dssync.sync.session import Link, Run

PAGE = 100

MARGIN = timedelta(seconds=5)
"""The Date of an answer has whole seconds, and several machines may stand behind a host."""

RESTARTS = 5
"""How often a list that moves under the search is begun anew."""


def look_for(intent: Intent, link: Link, run: Run) -> tuple[Adoption, Reading | None]:
    """Judge a create in doubt, by reading only; an adopted record comes with its reading."""
    with run.mirror.database.read() as tx:
        parent = _parent_id(tx, intent)
    try:
        made_since, server_now = _newest(intent, parent, link, run)
    except ServerTrouble as trouble:
        return Undecided(f"the newest records could not be read: {trouble.message}"), None
    with run.mirror.database.read() as tx:
        equals = {r.id: r for r in made_since if _is_it(tx, intent, r)}
    verdict = decide(equals, server_now - _sent_at(intent))
    return verdict, equals[verdict.id] if isinstance(verdict, Adopt) else None


def _parent_id(tx: Transaction, intent: Intent) -> str | None:
    if intent.kind == "dataset":
        return None
    sent = {delta.field: delta.after for delta in intent.deltas}
    return records.get(tx, "dataset", str(sent["dataset"])).id


def _sent_at(intent: Intent) -> datetime:
    """Return when the request left: by the server's clock as last seen before, else by ours."""
    if intent.server_date is not None:
        return parsedate_to_datetime(intent.server_date)
    return datetime.fromisoformat(intent.opened_at)


def _newest(
    intent: Intent, parent: str | None, link: Link, run: Run
) -> tuple[list[Reading], datetime]:
    """Return the records made since the request, and what time it is on the server now.

    Pages overlap by one row; where they do not meet, the list moved, and the search begins anew.
    """
    horizon = Position.of((_sent_at(intent) - MARGIN).astimezone(UTC).isoformat(), "")
    for _ in range(RESTARTS):
        now = run.session.clock.now()
        found: list[Reading] = []
        for page, at in _pages(intent, parent, link):
            now = at or now
            if found and page and found[-1].position < page[0].position:
                break
            found += page
            if not page or page[-1].position > horizon or page[-1] is page[0]:
                return [r for r in found if r.position < horizon], now
    raise ServerTrouble("the list moves too fast", status=0, perhaps_applied=False)


def _pages(
    intent: Intent, parent: str | None, link: Link
) -> Iterator[tuple[list[Reading], datetime | None]]:
    offset = 0
    while True:
        page = link.contract.page(intent.kind, offset, PAGE, parent)
        date = page.server_date
        yield page.readings, parsedate_to_datetime(date) if date else None
        offset += max(1, len(page.readings) - 1)


def _is_it(tx: Transaction, intent: Intent, reading: Reading) -> bool:
    known, _ = aliases.find(tx, intent.remote, intent.kind, [reading.id])
    sent = {delta.field: delta.after for delta in intent.deltas}
    seen = incoming.values_of(tx, intent.remote, intent.kind, reading)
    return not known and same_content(intent.kind, sent, seen)
