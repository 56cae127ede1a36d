"""Edit the working copy as a person would: the triggers guard, and notice."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from dssync.clock import SystemClock
from dssync.core.fields import KINDS, ContractName, KindName, Stored, Values
from dssync.core.merge import Conflict, merge
from dssync.core.resolve import Choice, Edited, decided
from dssync.core.rules import reasons
from dssync.errors import UnknownRecord, UsageError
from dssync.mirror import doubts, recreation, touched
from dssync.mirror.transaction import Transaction


def change(tx: Transaction, kind: KindName, key: str, values: Mapping[str, Stored]) -> None:
    """Set fields of a record. Raises UsageError, also for values the server would refuse."""
    refuse_unknown(kind, values)
    if not values:
        raise UsageError(f"no field of {kind} {key} was named", hint="name a field and its value")
    _refuse_hopeless(tx, kind, key, values)
    setters = ", ".join(f"{name} = ?" for name in values)
    result = tx.exec_driver_sql(
        f"UPDATE {KINDS[kind].table} SET {setters} WHERE key = ?", (*values.values(), key)
    )
    if not result.rowcount:
        raise UnknownRecord(f"there is no {kind} {key}", hint="`dssync list` shows what there is")


def create(
    tx: Transaction,
    kind: KindName,
    remote: str | None,
    values: Mapping[str, Stored],
    *,
    key: str | None = None,
) -> str:
    """Make a record and return its key; without `remote` it joins the only one there is.

    Without a `key`, which is `new-` and 16 hex digits, it gets one of its own.
    """
    refuse_unknown(kind, values)
    given = {**values, "remote": remote, **({"key": key} if key else {})}
    names = tuple(given)
    made = tx.exec_driver_sql(
        f"INSERT INTO {KINDS[kind].table} ({', '.join(names)})"
        f" VALUES ({', '.join('?' * len(names))}) RETURNING key",
        tuple(given.values()),
    ).scalar_one()
    _refuse_hopeless(tx, kind, str(made), values, creating=True)
    return str(made)


def remove(tx: Transaction, kind: KindName, key: str) -> None:
    """Mark a record deleted; one that was made here and never sent really goes."""
    result = tx.exec_driver_sql(f"SELECT 1 FROM {KINDS[kind].table} WHERE key = ?", (key,))
    if result.first() is None:
        raise UnknownRecord(f"there is no {kind} {key}", hint="`dssync list` shows what there is")
    tx.exec_driver_sql(f"DELETE FROM {KINDS[kind].table} WHERE key = ?", (key,))


def take_back(tx: Transaction, kind: KindName, key: str, fields: Collection[str] = ()) -> bool:
    """Drop local edits of some fields, or of all; needs the program's unit.

    Returns False when there was nothing to drop. A conflict of a field is settled by it too.
    """
    found = touched.triple(tx, kind, key)
    if found is None:
        return False
    if found.base is None or found.theirs is None:
        return _drop_create(tx, kind, key, fields)
    chosen = set(fields or KINDS[kind].names)
    theirs = found.theirs
    ours = {n: theirs[n] if n in chosen else found.ours[n] for n in found.ours}
    touched.rebase(tx, found, ours, chosen)
    return any(theirs[name] != found.ours[name] for name in chosen)


def decide(
    tx: Transaction,
    kind: KindName,
    key: str,
    choices: Mapping[str, Choice],
    shown: Mapping[str, Conflict],
) -> None:
    """Settle conflicts of a record; needs the program's unit.

    `shown` are the conflicts, by field, that the decision was made on. Raises UsageError where one
    of them is no longer what it was, or an edited value would be refused.
    """
    found = touched.triple(tx, kind, key)
    open_now = merge(found).conflicts if found and found.base is not None else ()
    if found is None or any(shown[name] not in open_now for name in choices):
        raise UsageError(
            f"{kind} {key} moved while you decided, so nothing was settled",
            hint=f"look again: dssync resolve {key}",
        )
    edited = {n: c.value for n, c in choices.items() if isinstance(c, Edited)}
    _refuse_hopeless(tx, kind, key, edited)
    _refuse_strangers(tx, kind, found.remote, edited)
    ours, moved = decided(found, choices)
    touched.rebase(tx, found, ours, moved)


def dispute(tx: Transaction, kind: KindName, key: str, base: Values) -> None:
    """Say that both sides changed a record since `base`; needs the program's unit.

    Its working copy must be edited already: what stands there is ours, in a conflict like any
    other from then on.
    """
    found = touched.triple(tx, kind, key)
    if found is None or found.theirs is None:
        raise LookupError(f"{key} is not edited, so nothing of it can clash")
    disputed = replace(found, base=base)
    touched.save(tx, disputed, merge(disputed))


def _refuse_strangers(
    tx: Transaction, kind: KindName, remote: str, values: Mapping[str, Stored]
) -> None:
    """Refuse references to what the remote does not have; no trigger looks inside a unit."""
    for name, value in values.items():
        if KINDS[kind].by_name[name].type == "reference":
            known = tx.exec_driver_sql(
                "SELECT 1 FROM datasets WHERE key = ? AND remote = ?", (value, remote)
            ).first()
            if known is None:
                raise UsageError(f"{remote} has no dataset {value}", hint="dssync list --deleted")


def refuse_unknown(kind: KindName, names: Iterable[str]) -> None:
    """Raise UsageError for a name that is no field of the kind."""
    for name in names:
        if name not in KINDS[kind].by_name:
            known = ", ".join(KINDS[kind].names)
            raise UsageError(
                f"{'an' if kind == 'item' else 'a'} {kind} has no field {name}; it has {known}"
            )


def _drop_create(tx: Transaction, kind: KindName, key: str, fields: Collection[str]) -> bool:
    if fields:
        raise UsageError(
            f"{kind} {key} waits to be made, so its fields have no earlier value",
            hint=f"revert all of it: dssync revert {key}",
        )
    table = KINDS[kind].table
    doubts.give_up(tx, kind, key, SystemClock())
    if recreation.waits(tx, kind, key):
        recreation.take_back(tx, kind, key)
        return True
    children = (
        kind == "dataset"
        and tx.exec_driver_sql("SELECT count(*) FROM items WHERE dataset = ?", (key,)).scalar_one()
    )
    if children:
        raise UsageError(
            f"dataset {key} was made here and holds {children} items",
            hint="revert or move its items first",
        )
    tx.exec_driver_sql(f"DELETE FROM {table} WHERE key = ?", (key,))
    return True


def recreate(tx: Transaction, kind: KindName, key: str) -> recreation.Left:
    """Make a record again that the server has lost, under the same key; needs the program's unit.

    Raises UsageError where there is nothing to make again.
    """
    return recreation.begin(tx, kind, key, _contract(tx, kind, key))


def _contract(tx: Transaction, kind: KindName, key: str) -> ContractName:
    row = tx.exec_driver_sql(
        f"SELECT r.contract FROM {KINDS[kind].table} AS l JOIN remotes AS r ON r.name = l.remote"
        " WHERE l.key = ?",
        (key,),
    ).first()
    return "versioned" if row and row[0] == "versioned" else "classic"


def _refuse_hopeless(
    tx: Transaction,
    kind: KindName,
    key: str,
    values: Mapping[str, Stored],
    *,
    creating: bool = False,
) -> None:
    contract = _contract(tx, kind, key)
    for name, value in values.items():
        for reason in reasons(KINDS[kind].by_name[name], value, contract, creating=creating):
            raise UsageError(f"{name} of {kind} {key} was not set: {reason}")
