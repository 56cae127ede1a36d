"""Edit many records at once: find what would change, show it, then change just that."""

from collections.abc import Collection, Iterable, Sequence

from dssync.core.fields import KINDS, Stored, Values
from dssync.core.plan import Action, Change, Delta, referred
from dssync.core.pointer import MISSING, REMOVE, Mark, Pointer, get, put
from dssync.core.records import Triple
from dssync.core.values import Json, differing, equal
from dssync.errors import Overtaken, UnknownRecord, UsageError
from dssync.mirror import Mirror, Record, Transaction, edits, records, touched
from dssync.mirror.mirror import LOCAL
from dssync.mirror.where import Selection, matching


def selected(mirror: Mirror, selection: Selection) -> list[Record]:
    """Return the records that an expression means. Raises UsageError for what is none."""
    keys = matching(mirror.path, selection)
    with mirror.database.read() as tx:
        return list(records.chosen(tx, selection.kind, keys))


def setting(
    mirror: Mirror, found: Sequence[Record], at: Pointer, value: Json | Mark
) -> list[Change]:
    """Return what setting one part of these records would change; those that have it stay out.

    Raises UsageError where a record has no such place.
    """
    return _described(mirror, ((r, "update", _set(r, at, value)) for r in found))


def _set(record: Record, at: Pointer, value: Json | Mark) -> list[Delta]:
    if value is REMOVE and at.path and get(record.values, at) is MISSING:
        return []
    before = record.values[at.field.name]
    try:
        after = put(record.values, at, value)
    except UsageError as error:
        raise UsageError(
            f"{record.kind} {record.label}: {error.message}; nothing was changed", hint=error.hint
        ) from None
    return [] if equal(at.field, before, after) else [Delta(at.field.name, before, after)]


def deleting(mirror: Mirror, found: Sequence[Record]) -> list[Change]:
    """Return what deleting these records would change."""
    flag = "deleted"
    return _described(mirror, ((r, "delete", [Delta(flag, r.values[flag], 1)]) for r in found))


def reverting(
    mirror: Mirror, found: Sequence[Record], fields: Collection[str] = ()
) -> list[Change]:
    """Return what dropping local edits would change; a record that was made here is deleted."""
    with mirror.database.read() as tx:
        triples = [touched.triple(tx, record.kind, record.key) for record in found]
    pairs = zip(found, triples, strict=True)
    return _described(mirror, (_reverted(r, t, fields) for r, t in pairs if t is not None))


def _reverted(
    record: Record, triple: Triple, fields: Collection[str]
) -> tuple[Record, Action, list[Delta]]:
    edits.refuse_unknown(record.kind, fields)
    if triple.theirs is None:
        return record, "delete", [Delta("deleted", record.values["deleted"], 1)]
    ours, theirs = triple.ours, triple.theirs
    edited = differing(KINDS[record.kind].fields, ours, theirs)
    chosen = [name for name in edited if not fields or name in fields]
    return record, "update", [Delta(name, ours[name], theirs[name]) for name in chosen]


def _described(mirror: Mirror, found: Iterable[tuple[Record, Action, list[Delta]]]) -> list[Change]:
    with mirror.database.read() as tx:
        return [
            Change(
                record.remote,
                record.kind,
                record.key,
                record.id,
                action,
                tuple(deltas),
                *records.describe(tx, record.kind, record.key, record.values),
                records.names(tx, referred(deltas)),
            )
            for record, action, deltas in found
            if deltas
        ]


def apply_edits(mirror: Mirror, changes: Iterable[Change]) -> None:
    """Make these changes to the working copy, all of them or none.

    Raises Overtaken where a record is no longer what was shown, UsageError for a refused value.
    """
    with mirror.database.edit() as tx:
        for change in changes:
            _refuse_overtaken(tx, change)
            if change.action == "delete":
                edits.remove(tx, change.kind, change.key)
            else:
                edits.change(tx, change.kind, change.key, change.after)


def apply_reverts(mirror: Mirror, changes: Iterable[Change]) -> None:
    """Drop these local edits, all of them or none. Raises Overtaken as above."""
    with mirror.database.unit(LOCAL) as tx:
        for change in changes:
            _refuse_overtaken(tx, change)
            edits.take_back(tx, change.kind, change.key)


def take_back(mirror: Mirror, found: Sequence[Record], fields: Collection[str]) -> list[Record]:
    """Drop local edits of some fields, or of all, and return the records that had any."""
    for record in found:
        edits.refuse_unknown(record.kind, fields)
    with mirror.database.unit(LOCAL) as tx:
        return [r for r in found if edits.take_back(tx, r.kind, r.key, fields)]


def _refuse_overtaken(tx: Transaction, change: Change) -> None:
    try:
        now: Values = records.get(tx, change.kind, change.key).values
    except UnknownRecord:
        now = {}
    if any(_differs(now, delta.field, delta.before) for delta in change.deltas):
        raise Overtaken(
            f"{change.kind} {change.label} changed after it was shown, so nothing was changed",
            hint="run the same command again",
        )


def _differs(now: Values, field: str, shown: Stored) -> bool:
    return field not in now or now[field] != shown
