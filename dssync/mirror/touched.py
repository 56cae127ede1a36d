"""Records somebody edited: their three values, read and written."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from dssync.core.fields import KINDS, KindName, Stored, Values
from dssync.core.merge import Merged, Reason, merge
from dssync.core.records import Triple
from dssync.errors import MirrorDamaged
from dssync.mirror import history
from dssync.mirror.transaction import Transaction


def pending_keys(tx: Transaction, kind: KindName, keys: Sequence[str]) -> set[str]:
    """Return those of `keys` that have a base."""
    rows = tx.exec_driver_sql(
        f"SELECT key FROM {KINDS[kind].table}_pending"
        " WHERE side = 'base' AND key IN (SELECT value FROM json_each(?))",
        (json.dumps(keys),),
    )
    return {row[0] for row in rows}


def triples(
    tx: Transaction, kind: KindName, remotes: Sequence[str] = (), dataset: str | None = None
) -> Iterator[Triple]:
    """Yield every touched record, creates included; of all remotes when none is named.

    With `dataset`, a key, only the items that are in it here.
    """
    table = KINDS[kind].table
    conditions = [
        f"l.key IN (SELECT key FROM {table}_pending WHERE side = 'base'"
        f" UNION ALL SELECT key FROM {table} WHERE id IS NULL)"
    ]
    arguments = []
    if remotes:
        conditions.append("l.remote IN (SELECT value FROM json_each(?))")
        arguments.append(json.dumps(list(remotes)))
    if dataset is not None:
        conditions.append("+l.dataset = ?")  # not by its index: few are touched of the many inside
        arguments.append(dataset)
    yield from _load(tx, kind, " AND ".join(conditions), tuple(arguments))


def triple(tx: Transaction, kind: KindName, key: str) -> Triple | None:
    """Return one touched record, or None when nobody touched it."""
    found = next(_load(tx, kind, "l.key = ?", (key,)), None)
    return found if found and (found.base is not None or found.id is None) else None


def among(tx: Transaction, kind: KindName, keys: Collection[str]) -> dict[str, Triple]:
    """Return these records by key; the three values of one that nobody touched are the same."""
    found = _load(tx, kind, "l.key IN (SELECT value FROM json_each(?))", (json.dumps(list(keys)),))
    return {
        each.key: each
        if each.base is not None or each.id is None
        else replace(each, base=each.ours, theirs=each.ours)
        for each in found
    }


def _load(
    tx: Transaction, kind: KindName, condition: str, arguments: tuple[Stored, ...]
) -> Iterator[Triple]:
    names = KINDS[kind].names
    table = KINDS[kind].table
    columns = ", ".join(f"{side}.{name}" for side in "lbt" for name in names)
    rows = tx.exec_driver_sql(
        f"SELECT l.key, l.id, l.remote, l.absent_since, b.key, b.pushed_run, b.reverted, {columns}"
        f" FROM {table} AS l"
        f" LEFT JOIN {table}_pending AS b ON b.key = l.key AND b.side = 'base'"
        f" LEFT JOIN {table}_pending AS t ON t.key = l.key AND t.side = 'theirs'"
        f" WHERE {condition} ORDER BY l.key",
        arguments,
    )
    width = len(names)
    for key, id, remote, absent, base_key, pushed_run, reverted, *values in rows:
        ours, base, theirs = (
            dict(zip(names, values[at : at + width], strict=True))
            for at in range(0, 3 * width, width)
        )
        yield Triple(
            kind=kind,
            key=key,
            id=id,
            remote=remote,
            ours=ours,
            base=base if base_key else None,
            theirs=theirs if base_key else None,
            absent=absent is not None,
            pushed_run=pushed_run,
            reverted=_reverted(key, reverted),
        )


def _reverted(key: str, text: str | None) -> frozenset[str]:
    try:
        return frozenset(json.loads(text)) if text else frozenset()
    except (TypeError, ValueError):
        raise MirrorDamaged(
            f"the base of {key} can no longer be read", hint="dssync verify says what else"
        ) from None


def save(tx: Transaction, triple: Triple, merged: Merged) -> None:
    """Write a merge: ours, and the base; a settled record is touched no longer.

    While a push waits to be seen again, the base is what tells a neighbour's revert, and stays.
    """
    waits = triple.pushed_run is not None
    if merged.settled and not waits:
        # Theirs may be written in another way, and is what the record's digest tells.
        write_ours(tx, triple.kind, triple.key, triple.theirs or merged.ours)
        forget(tx, triple.kind, triple.key)
        return
    write_ours(tx, triple.kind, triple.key, merged.ours)
    base = triple.base if waits and triple.base else merged.base
    reverted = sorted(c.field for c in merged.conflicts if c.reason is Reason.REVERTED)
    noted = json.dumps(reverted) if reverted else None
    _move_base(tx, triple, {**base, "pushed_run": triple.pushed_run, "reverted": noted})


def _move_base(tx: Transaction, triple: Triple, base: Values) -> None:
    """Write the base, sealed anew; one that stays as it is keeps what its digest tells."""
    pending = f"{KINDS[triple.kind].table}_pending"
    found = tx.exec_driver_sql(
        f"SELECT {', '.join(base)} FROM {pending} WHERE key = ? AND side = 'base'", (triple.key,)
    ).first()
    if found is not None and tuple(found) != tuple(base.values()):
        _write(tx, pending, base, "key = ? AND side = 'base'", triple.key)
        history.seal_base(tx, triple.kind, triple.key)


def rebase(tx: Transaction, triple: Triple, ours: Values, fields: Collection[str]) -> None:
    """Set ours, and move the base of `fields` to theirs, so that they conflict no longer."""
    if triple.base is None or triple.theirs is None:
        raise LookupError(f"{triple.key} was made here and has no base to move")
    # What a push sent still waits to be seen; its base is what tells a neighbour's revert.
    decided = set(fields) if triple.pushed_run is None else triple.reverted.intersection(fields)
    base = {n: triple.theirs[n] if n in decided else triple.base[n] for n in triple.base}
    moved = replace(triple, ours=ours, base=base, reverted=triple.reverted - decided)
    save(tx, moved, merge(moved))


def write_ours(tx: Transaction, kind: KindName, key: str, ours: Values) -> None:
    """Set the working copy's fields of one record."""
    _write(tx, KINDS[kind].table, ours, "key = ?", key)


def forget(tx: Transaction, kind: KindName, key: str) -> None:
    """Drop base and theirs of a record whose working copy is theirs."""
    tx.exec_driver_sql(f"DELETE FROM {KINDS[kind].table}_pending WHERE key = ?", (key,))


def _write(tx: Transaction, table: str, values: Values, condition: str, key: str) -> None:
    setters = ", ".join(f"{name} = ?" for name in values)
    tx.exec_driver_sql(f"UPDATE {table} SET {setters} WHERE {condition}", (*values.values(), key))
