"""Creates in doubt: what the mirror knows of the records that they may have become.

A pull that comes before a create in doubt is settled stores the new record, if it was made, like
any other: under its own id, as a second record. So a record that the mirror first saw after the
intent was opened is a candidate still, and once it is found to be the one, the two become one,
under the key that the record was made with.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from dssync.clock import Clock
from dssync.core.adoption import Candidate, Sought, fitting, same_content
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.receipt import Entry
from dssync.core.records import Triple
from dssync.core.values import differing
from dssync.errors import UsageError
from dssync.mirror import (
    aliases,
    history,
    journal,
    links,
    records,
    recreation,
    runs,
    theirs,
    touched,
)
from dssync.mirror.history import TOLD
from dssync.mirror.journal import Intent
from dssync.mirror.transaction import Transaction


def open_create(tx: Transaction, kind: KindName, key: str) -> Intent | None:
    """Return the open create of a record, if there is one."""
    mine = (i for i in journal.open_intents(tx) if i.spot == (kind, key))
    return next((intent for intent in mine if intent.action == "create"), None)


def equal_in_doubt(
    tx: Transaction, remote: str, kind: KindName, key: str, sent: Values
) -> Intent | None:
    """Return an open create of another record with the same content, if there is one."""
    for intent in journal.open_intents(tx):
        other = (intent.remote, intent.kind, intent.action) == (remote, kind, "create")
        if other and intent.key != key and same_content(kind, intent.sent, sent):
            return intent
    return None


def edited_since(tx: Transaction, intent: Intent) -> bool:
    """Tell whether a record made here is no longer what was sent of it."""
    ours = records.get(tx, intent.kind, intent.key).values
    return not same_content(intent.kind, intent.sent, ours)


def unaccounted(tx: Transaction, intent: Intent, ids: Iterable[str]) -> Mapping[str, str | None]:
    """Return those ids that may be what a create became, with the key of a row that has it.

    An id that the mirror had before the intent, or that another create was given, is none.
    """
    wanted = list(ids)
    known, fresh = aliases.find(tx, intent.remote, intent.kind, wanted)
    found: dict[str, str | None] = dict.fromkeys(fresh)
    for id, row in known.items():
        own = row.key in (id, f"{intent.remote}/{id}")
        if own and _first_seen(tx, intent.kind, row.key) >= intent.run:
            found[id] = row.key
    return {id: found[id] for id in wanted if id in found}


def _first_seen(tx: Transaction, kind: KindName, key: str) -> int:
    """Return the run that first saw a record."""
    table = KINDS[kind].table
    rows = " UNION ALL ".join(
        f"SELECT run FROM {name} WHERE key = :key AND run IS NOT NULL"
        for name in (table, f"{table}_pending", f"{table}_history")
    )
    return int(
        tx.exec_driver_sql(f"SELECT coalesce(min(run), 0) FROM ({rows})", {"key": key}).scalar_one()
    )


def candidate(tx: Transaction, kind: KindName, key: str) -> Candidate:
    """Return a record of the mirror as it was first read: what has been edited since, is known."""
    table = KINDS[kind].table
    names = ("id", "created_at", "updated_at", *KINDS[kind].names)
    columns = ", ".join(names)
    triple = touched.triple(tx, kind, key)
    now = f"{table} WHERE" if triple is None else f"{table}_pending WHERE side = 'theirs' AND"
    row = tx.exec_driver_sql(
        f"SELECT {columns}, run FROM {table}_history WHERE key = :key AND {TOLD}"
        f" UNION ALL SELECT {columns}, run FROM {now} key = :key"
        f" ORDER BY {len(names) + 1} LIMIT 1",
        {"key": key},
    ).one()
    id, created, updated, *values = row[: len(names)]
    return Candidate(
        id,
        dict(zip(KINDS[kind].names, values, strict=True)),
        datetime.fromisoformat(created),
        datetime.fromisoformat(updated),
        edited=triple is not None and _edited(triple),
    )


def candidates(tx: Transaction, sought: Sought, intent: Intent) -> list[Candidate]:
    """Return the mirror's own records that may be what a create became."""
    table = KINDS[intent.kind].table
    rows = tx.exec_driver_sql(
        f"SELECT id FROM {table} WHERE remote = ? AND id IS NOT NULL AND created_at >= ?",
        # without a fraction, so that it sorts before every time of its second
        (intent.remote, sought.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")),
    ).fetchall()
    keys = unaccounted(tx, intent, [row[0] for row in rows])
    made = [candidate(tx, intent.kind, key) for key in keys.values() if key is not None]
    return list(fitting(sought, made))


def _edited(triple: Triple) -> bool:
    """Tell whether anything of ours is not theirs, as it is once an edit was pushed."""
    fields = KINDS[triple.kind].fields
    return triple.theirs is None or bool(differing(fields, triple.ours, triple.theirs))


def unite(tx: Transaction, intent: Intent, other: str) -> None:
    """Make one record of a create and the row that its result was stored as, under the first's key.

    Of the two working copies at most one may be edited; that one stays.
    """
    kind, key, table = intent.kind, intent.key, KINDS[intent.kind].table
    pending = touched.triple(tx, kind, other)
    columns = theirs.row(tx, kind, other)
    if pending is not None and not edited_since(tx, intent):
        touched.write_ours(tx, kind, key, pending.ours)
        theirs.give_row(tx, kind, key, columns)
        tx.exec_driver_sql(f"UPDATE {table}_pending SET key = ? WHERE key = ?", (key, other))
    else:
        touched.forget(tx, kind, other)
        theirs.adopt(tx, kind, key, columns)
    recreation.finish(tx, kind, key, int(columns["run"] or 0))
    tx.exec_driver_sql(f"DELETE FROM {table} WHERE key = ?", (other,))
    _rename(tx, kind, other, key)
    aliases.remember(tx, intent.remote, kind, {str(columns["id"]): key})


def _rename(tx: Transaction, kind: KindName, old: str, new: str) -> None:
    """Put one key in the place of another wherever it stands, but in the record's own row."""
    history.rename(tx, kind, "key", old, new)
    links.rename(tx, kind, old, new)
    for table in ("aliases", "journal", "unreadable"):
        tx.exec_driver_sql(
            f"UPDATE {table} SET key = ? WHERE kind = ? AND key = ?", (new, kind, old)
        )
    tx.exec_driver_sql(
        # a run that spoke of both keeps its two rows: one record would have two outcomes in it
        "UPDATE receipts SET key = ? WHERE kind = ? AND key = ? AND NOT EXISTS"
        " (SELECT 1 FROM receipts AS o WHERE o.run = receipts.run AND o.kind = receipts.kind"
        " AND o.remote = receipts.remote AND o.key = ?)",
        (new, kind, old, new),
    )
    for field in _references(kind):
        _rename_parent(tx, *field, old, new)


def _references(kind: KindName) -> Iterator[tuple[KindName, str]]:
    """Yield the fields that hold keys of this kind: an item's dataset."""
    if kind == "dataset":
        for child in KINDS.values():
            yield from ((child.name, f.name) for f in child.fields if f.type == "reference")


def _rename_parent(tx: Transaction, child: KindName, field: str, old: str, new: str) -> None:
    table = KINDS[child].table
    for name in (table, f"{table}_pending"):
        tx.exec_driver_sql(f"UPDATE {name} SET {field} = ? WHERE {field} = ?", (new, old))
    history.rename(tx, child, field, old, new)
    for name, identity in (("journal", "intent"), ("receipts", "rowid")):
        rows = tx.exec_driver_sql(
            f"SELECT {identity}, deltas FROM {name} WHERE kind = ? AND instr(deltas, ?)",
            (child, json.dumps(old, ensure_ascii=False)),
        ).fetchall()
        for number, text in rows:
            deltas = runs.rename_in_deltas(text, field, old, new)
            tx.exec_driver_sql(
                f"UPDATE {name} SET deltas = ? WHERE {identity} = ?", (deltas, number)
            )


def drop_unmade(tx: Transaction, intent: Intent) -> None:
    """Let a record go that was deleted here while in doubt, and turned out never to be made."""
    record = records.get(tx, intent.kind, intent.key)
    held = intent.kind == "dataset" and records.family(tx, intent.key).items
    if record.deleted and record.id is None and not held:
        table = KINDS[intent.kind].table
        tx.exec_driver_sql(f"DELETE FROM {table} WHERE key = ?", (intent.key,))


def give_up(tx: Transaction, kind: KindName, key: str, clock: Clock) -> None:
    """Close a create in doubt whose record here is about to be dropped.

    Raises UsageError while the mirror holds nothing that it may have become: then a pull may yet
    find out, and what is dropped would come back.
    """
    intent = open_create(tx, kind, key)
    if intent is None:
        return
    sought = sought_of(tx, intent)
    if sought is None or not candidates(tx, sought, intent):
        raise UsageError(
            f"{kind} {key} may already exist on the server, so it cannot simply be dropped",
            hint="settle it first: dssync pull",
        )
    reason = "given up: it may be one of the records that the server holds anyway"
    outcome = Entry(intent.remote, kind, key, "create", "in doubt", intent.deltas, reason)
    journal.close(tx, intent, outcome, clock)


def sought_of(tx: Transaction, intent: Intent) -> Sought | None:
    """Return what to look for; None for a server that never told its time."""
    if intent.sent_at is None:
        return None
    return Sought(intent.kind, intent.sent, intent.sent_at, edited_since(tx, intent))
