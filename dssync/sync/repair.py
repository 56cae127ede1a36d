"""Repair an unreadable record: patch the offending field back to its last readable value.

Nobody can see which field is at fault, so the JSON fields, which alone can hold what a server
stores but cannot show, are sent one after another until the record can be read again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from dssync.clock import stamp
from dssync.config import Remote
from dssync.core.fields import KINDS
from dssync.core.plan import Change, Delta
from dssync.core.receipt import Entry, Receipt, Trouble
from dssync.core.records import Reading, Triple
from dssync.errors import DssyncError, ServerTrouble, UsageError
from dssync.mirror import Mirror, Transaction, journal, records, touched, unreadable
from dssync.mirror.incoming import Inbox
from dssync.mirror.unreadable import Unreadable
from dssync.posthog import Contract
from dssync.sync import settler
from dssync.sync.preparation import NOT_REACHED, entry_of
from dssync.sync.session import Link, Run, Session, link, meet, run


@dataclass(frozen=True, slots=True)
class Repair:
    """What would be sent to make a record readable: each of these fields in turn, until it is."""

    target: Unreadable
    steps: tuple[Change, ...]


def acknowledge(mirror: Mirror, session: Session, remotes: Sequence[str] = ()) -> int:
    """Note that somebody knows of the unreadable records, so that pulls end with 0 again."""
    with mirror.database.edit() as tx:
        return unreadable.acknowledge(tx, remotes, session.clock.now())


def prepare_repair(mirror: Mirror, key: str) -> Repair:
    """Say what would be sent for an unreadable record; nothing is sent.

    Raises UsageError when the record is not unreadable, or nothing readable of it is known.
    """
    with mirror.database.read() as tx:
        found = [each for each in unreadable.known(tx) if each.key == key]
        if not found:
            raise UsageError(
                f"{key} is not known to be unreadable", hint="`dssync doctor` lists what is"
            )
        return Repair(found[0], tuple(_steps(tx, found[0], key)))


def _steps(tx: Transaction, target: Unreadable, key: str) -> Iterator[Change]:
    record = records.get(tx, target.kind, key)
    triple = touched.triple(tx, target.kind, key)
    theirs = triple.theirs if isinstance(triple, Triple) and triple.theirs else record.values
    for field in KINDS[target.kind].fields:
        if field.type == "json" and field.classic is not None:
            deltas = (Delta(field.name, None, theirs[field.name]),)
            yield Change(record.remote, record.kind, key, record.id, "update", deltas, record.label)


def apply_repair(mirror: Mirror, repair: Repair, remote: Remote, session: Session) -> Receipt:
    """Send the steps one after another until the record can be read. Raises Locked."""
    entries: list[Entry] = []
    troubles: list[Trouble] = []
    with run(mirror, "doctor", session) as current:
        current.keep([entry_of(repair.steps[0], "skipped", NOT_REACHED)])
        try:
            with link(remote, session) as reached:
                meet(reached, current)
                settler.settle(reached, current)
                entries.append(_repair(reached, repair, current))
        except DssyncError as error:  # the outcome of the repair
            troubles.append(Trouble.of(remote.name, error))
        return current.finish(
            Receipt(
                "doctor",
                current.number,
                planned=1,
                entries=tuple(entries),
                troubles=tuple(troubles),
            )
        )


def _repair(reached: Link, repair: Repair, current: Run) -> Entry:
    for step in repair.steps:
        _send(reached.contract, step, current)
        seen = _look(reached.contract, step)
        if seen is not None:
            inbox = Inbox(
                step.remote, step.kind, current.number, stamp(current.session.clock.now())
            )
            current.write(partial(inbox.store, readings=[seen]))
            current.write(partial(unreadable.forget, each=repair.target))
            return entry_of(step, "applied", "it can be read again")
    return entry_of(repair.steps[-1], "failed", "it is still unreadable")


def _send(contract: Contract, step: Change, current: Run) -> None:
    """Send one field; an unreadable row may answer 500 although the write was done."""
    clock = current.session.clock
    intent = current.write(
        lambda tx: journal.open_intent(tx, current.number, step, clock, None), durable=True
    )
    try:
        contract.update(step.kind, str(step.id), step.after)
    except ServerTrouble:
        outcome = entry_of(step, "in doubt", "the server could not show the record")
    else:
        outcome = entry_of(step, "applied")
    current.write(lambda tx: journal.close(tx, intent, outcome, clock))


def _look(contract: Contract, step: Change) -> Reading | None:
    try:
        return contract.read(step.kind, str(step.id))
    except ServerTrouble:
        return None
