"""Read again what was read too long ago to send by: people take their time to consent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.plan import Plan
from dssync.mirror import Mirror
from dssync.sync.preparation import Prepared, Readings, prepare_push
from dssync.sync.session import Session

FRESH = 10.0
"""Seconds for which a plan may be sent by what was read for it."""


def renew(
    mirror: Mirror, prepared: Prepared, remotes: Sequence[Remote], session: Session
) -> Prepared:
    """Hold a plan against what the server holds now, if it was read more than `FRESH` ago.

    A record that moved since drops out; nothing comes in. Raises InvalidRecords.
    """
    age = session.clock.monotonic() - prepared.read_at
    if age <= FRESH or not prepared.plan.changes:
        return prepared
    again = prepare_push(
        mirror,
        remotes,
        session,
        plan=Plan(prepared.plan.changes),
        approved=prepared.approved,
        edits=prepared.edits or None,
        limit=Limit(count=len(prepared.plan.changes)),  # the loss was consented to
    )
    return replace(
        again,
        plan=Plan.of(again.plan.changes, (*prepared.plan.conflicts, *again.plan.conflicts)),
        planned=prepared.planned,
        dropped=(*prepared.dropped, *again.dropped),
        troubles=(*prepared.troubles, *again.troubles),
        moved=(*prepared.moved, *again.moved),
        readings=_newest(prepared.readings, again.readings),
    )


def _newest(before: Mapping[str, Readings], now: Mapping[str, Readings]) -> dict[str, Readings]:
    return {remote: {**before.get(remote, {}), **now.get(remote, {})} for remote in {*before, *now}}
