"""Replace what the server held by what it holds now; the past moves to history.

Theirs of an untouched record is its own row; of a touched one it is the row in `pending`. Either
way the server's columns in the record's row describe theirs.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from dssync.core import pushed
from dssync.core.fields import KINDS, KindName, Stored
from dssync.core.merge import Conflict, merge
from dssync.core.pushed import settle
from dssync.core.records import PARENT, Row, Triple
from dssync.core.values import canonical, differing
from dssync.errors import MirrorDamaged
from dssync.mirror import history, snapshots, touched
from dssync.mirror.columns import COLUMNS, SERVER
from dssync.mirror.transaction import Transaction

_PLAIN = ("id", "created_at", "updated_at", "created_by", "absent_since")

SQLValue = Stored | bytes

AT_ONCE = 1_000
"""Rows of one INSERT: 1,000 of 21 columns stay below the 32,766 parameters that SQLite takes."""

Columns = Mapping[str, Stored | bytes]
"""One record's row without its key, by column name."""


def columns_of(row: Row, remote: str, run: int, dataset: str | None) -> Columns:
    """Lay a record out as columns; `dataset` is the key of an item's parent."""
    names = COLUMNS[row.kind]
    return dict(zip(names[1:], laid_out("", row, remote, run, dataset)[1:], strict=True))


def laid_out(
    key: str, row: Row, remote: str, run: int, dataset: str | None
) -> tuple[SQLValue, ...]:
    """Lay a record out as one row of its table, key first."""
    return (
        key,
        row.id,
        remote,
        *(row.fields if dataset is None else _moved_to(dataset, row.fields)),
        row.created_at,
        row.updated_at,
        row.created_by.id if row.created_by else None,
        row.rest,
        None,
        run,
        row.digest,
    )


def _moved_to(dataset: str, fields: tuple[Stored, ...]) -> tuple[Stored, ...]:
    return (*fields[:PARENT], dataset, *fields[PARENT + 1 :])


def insert(tx: Transaction, kind: KindName, rows: Sequence[tuple[SQLValue, ...]]) -> None:
    """Store records the mirror has never seen, as `laid_out` does.

    Many rows go in one statement: the driver gives other threads a turn after every statement, so
    one statement a row would wait for the threads that fetch, again and again.
    """
    names = COLUMNS[kind]
    for at in range(0, len(rows), AT_ONCE):
        chunk = rows[at : at + AT_ONCE]
        marks = ", ".join([f"({', '.join('?' * len(names))})"] * len(chunk))
        tx.exec_driver_sql(
            f"INSERT INTO {KINDS[kind].table} ({', '.join(names)}) VALUES {marks}",
            tuple(chain.from_iterable(chunk)),
        )


def replace_rows(tx: Transaction, kind: KindName, rows: Mapping[str, Columns], run: int) -> int:
    """Store what the server now holds of known records, by key; return how many changed.

    A record whose values are the same although they are written differently is no change: its
    row is renewed in place, unless a snapshot holds it as it was. Touched records are merged.
    """
    edited = touched.pending_keys(tx, kind, list(rows))
    old = _read(tx, kind, [key for key in rows if key not in edited])
    changed = [key for key in old if not _alike(kind, old[key], rows[key])]
    held = _held(tx, old.values())
    begun = [
        key for key in old if key in set(changed) or _held_as_it_was(old[key], rows[key], held)
    ]
    renewed = {
        key: {**rows[key], "run": row["run"]}
        for key, row in old.items()
        if row["digest"] != rows[key]["digest"]
    }
    _move_to_history(tx, kind, KINDS[kind].table, begun, run)
    _overwrite(tx, KINDS[kind].table, {**renewed, **{key: rows[key] for key in begun}})
    return len(changed) + sum(_merge_in(tx, kind, key, rows[key], run) for key in sorted(edited))


def _held(tx: Transaction, rows: Collection[Columns]) -> int:
    """Return the newest snapshot's run of the one remote that these rows belong to."""
    return next((snapshots.newest_run(tx, str(row["remote"])) for row in rows), 0)


def _held_as_it_was(old: Columns, new: Columns, held: int) -> bool:
    """Tell whether a row says the same in other words, and a snapshot was made of the old ones."""
    begun = old["run"]
    written = old["digest"] != new["digest"] and not history.broken(old["digest"])
    return written and isinstance(begun, int) and begun <= held


def tombstone(tx: Transaction, kind: KindName, keys: Iterable[str], run: int, now: str) -> None:
    """Note that the server no longer shows these records; they stay, deleted.

    Records that were absent before stay as they are.
    """
    rows = tx.exec_driver_sql(
        f"SELECT key FROM {KINDS[kind].table} WHERE absent_since IS NULL"
        " AND key IN (SELECT value FROM json_each(?))",
        (json.dumps(list(keys)),),
    )
    wanted = [row[0] for row in rows]
    edited = touched.pending_keys(tx, kind, wanted)
    gone = gone_since(now, run)
    plain = [key for key in wanted if key not in edited]
    _move_to_history(tx, kind, KINDS[kind].table, plain, run)
    _overwrite(tx, KINDS[kind].table, dict.fromkeys(plain, gone))
    for key in sorted(edited):
        _merge_in(tx, kind, key, gone, run)


def gone_since(now: str, run: int) -> Columns:
    """Return what changes in a row of theirs when the server shows it no longer."""
    return {"deleted": 1, "absent_since": now, "run": run}


def settle_absent(tx: Transaction, remote: str, kind: KindName) -> None:
    """Settle touched records that a scan did not bring back: pushed deletions, edits taken back."""
    table = KINDS[kind].table
    rows = tx.exec_driver_sql(
        f"SELECT l.key FROM {table} AS l JOIN {table}_pending AS b USING (key)"
        " WHERE b.side = 'base' AND l.remote = ? AND l.absent_since IS NOT NULL",
        (remote,),
    ).fetchall()
    for (key,) in rows:
        triple = touched.triple(tx, kind, key)
        if triple is not None and triple.theirs is not None:
            judged = settle(triple, triple.theirs)
            touched.save(tx, judged, merge(judged))


def note_sent(
    tx: Transaction, kind: KindName, key: str, sent: Mapping[str, Stored], gone: Columns, run: int
) -> None:
    """Note that a write was answered well: until it is looked for, theirs is what was sent.

    What the server held before becomes the base, by which a later read tells a revert. `gone` are
    the columns of a record that was deleted.
    """
    triple = touched.triple(tx, kind, key)
    if triple is not None and triple.theirs is not None:
        _note(tx, triple, sent, run, gone)


def look_after(
    tx: Transaction, kind: KindName, key: str, sent: Mapping[str, Stored], seen: Columns, run: int
) -> "Look":
    """Store what a read after a push of `sent` saw, and tell what came of it.

    What arrived stays marked as pushed until a later run sees it again; what was found back at
    its old value is marked as reverted at once.
    """
    triple = touched.triple(tx, kind, key)
    if triple is None or triple.theirs is None:
        # A record made by this push, or one whose edit was taken back while it was sent.
        replace_rows(tx, kind, {key: {**_read(tx, kind, [key])[key], **seen}}, run)
        return Look()
    believed = triple if triple.pushed_run == run else _note(tx, triple, sent, run, {})
    # What is not shown any more cannot be seen either: then what was sent counts as arrived.
    there = {**(believed.theirs or {}), **_fields_of(kind, seen)}
    kept, merged = pushed.look_after(believed, there)
    others = [f for f in KINDS[kind].fields if f.name not in sent]
    moved = differing(others, believed.theirs or {}, there)
    _store_theirs(tx, kind, key, {**sent, **seen}, run, past=bool(moved))
    touched.save(tx, kept, merged)
    return Look(merged.conflicts, moved)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look after a push found: conflicts, and fields that others changed meanwhile."""

    conflicts: tuple[Conflict, ...] = ()
    moved: tuple[str, ...] = ()


def _note(
    tx: Transaction, triple: Triple, sent: Mapping[str, Stored], run: int, gone: Columns
) -> Triple:
    _, before = triple.sides()
    _store_theirs(tx, triple.kind, triple.key, {**sent, **gone, "run": run}, run)
    noted = replace(triple, base=before, theirs={**before, **sent}, pushed_run=run)
    touched.save(tx, noted, merge(noted))
    return noted


def adopt(tx: Transaction, kind: KindName, key: str, columns: Columns) -> None:
    """Give a record made here the row of theirs it became; what ours says otherwise stays."""
    ours, there = row(tx, kind, key), _fields_of(kind, columns)
    give_row(tx, kind, key, columns)
    if not differing(KINDS[kind].fields, _fields_of(kind, ours), there):
        touched.write_ours(tx, kind, key, there)
    else:
        names = COLUMNS[kind][1:]
        tx.exec_driver_sql(
            f"INSERT INTO {KINDS[kind].table}_pending (key, side, {', '.join(names)})"
            f" VALUES (?, ?, {', '.join('?' * len(names))})",
            [(key, side, *(columns[name] for name in names)) for side in ("base", "theirs")],
        )


def row(tx: Transaction, kind: KindName, key: str) -> Columns:
    """Return the columns of a record's own row."""
    return _read(tx, kind, [key])[key]


def give_row(tx: Transaction, kind: KindName, key: str, columns: Columns) -> None:
    """Give a record made here an id and the server's columns; its fields stay as they are."""
    server = {name: columns[name] for name in ("id", *SERVER)}
    _overwrite(tx, KINDS[kind].table, {key: server})


def _merge_in(tx: Transaction, kind: KindName, key: str, columns: Columns, run: int) -> bool:
    triple = touched.triple(tx, kind, key)
    if triple is None or triple.theirs is None:
        raise _damaged(kind, key)
    judged = settle(triple, {**triple.theirs, **_fields_of(kind, columns)})
    merged = merge(judged)
    changed = _store_theirs(tx, kind, key, columns, run)
    touched.save(tx, judged, merged)
    return changed


def _store_theirs(
    tx: Transaction, kind: KindName, key: str, columns: Columns, run: int, *, past: bool = False
) -> bool:
    """Renew the pending row of theirs, and the server's columns of the record's own row.

    With `past`, what theirs was goes to history even if it began in this very run.
    """
    pending = f"{KINDS[kind].table}_pending"
    found = _read(tx, kind, [key], pending, " AND side = 'theirs'")
    if key not in found:
        raise _damaged(kind, key)
    old = found[key]
    new = {**old, **columns}
    sent = "digest" not in columns and any(name in columns for name in KINDS[kind].names[:-1])
    if sent or history.is_believed(new["digest"]):
        new["digest"] = history.believed(kind, new)
    changed = not _alike(kind, old, new)
    if changed or _held_as_it_was(old, new, _held(tx, [old])):
        _move_to_history(tx, kind, pending, [key], run, " AND side = 'theirs'", past=past)
    else:
        new["run"] = old["run"]
        if history.is_believed(new["digest"]):
            new["digest"] = history.believed(kind, new)
    _overwrite(tx, pending, {key: new}, " AND side = 'theirs'")
    _overwrite(tx, KINDS[kind].table, {key: {n: new[n] for n in ("id", *SERVER)}})
    return changed


def _damaged(kind: KindName, key: str) -> MirrorDamaged:
    return MirrorDamaged(
        f"of {kind} {key} one of base and theirs is missing", hint="dssync verify says what else is"
    )


def _fields_of(kind: KindName, columns: Columns) -> dict[str, Stored]:
    return {
        name: value
        for name in KINDS[kind].names
        if name in columns and not isinstance(value := columns[name], bytes)
    }


def _read(
    tx: Transaction, kind: KindName, keys: Sequence[str], table: str = "", side: str = ""
) -> dict[str, Columns]:
    if not keys:
        return {}
    names = COLUMNS[kind]
    rows = tx.exec_driver_sql(
        f"SELECT {', '.join(names)} FROM {table or KINDS[kind].table}"
        f" WHERE key IN (SELECT value FROM json_each(?)){side}",
        (json.dumps(keys),),
    )
    return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in rows}


def _alike(kind: KindName, old: Columns, new: Columns) -> bool:
    """Tell whether two rows of theirs say the same, however they are written."""
    if old["digest"] is None:
        return False  # a placeholder
    if history.broken(old["digest"]):
        return old["digest"] == history.BROKEN + _digest(new)
    if differing(KINDS[kind].fields, _fields_of(kind, old), _fields_of(kind, new)):
        return False
    if any(old[name] != new[name] for name in _PLAIN):
        return False
    return old["rest"] == new["rest"] or canonical(_text(old)) == canonical(_text(new))


def _digest(columns: Columns) -> bytes:
    digest = columns["digest"]
    return digest if isinstance(digest, bytes) else b""


def _text(columns: Columns) -> str | None:
    rest = columns["rest"]
    return rest if isinstance(rest, str) else None


def _move_to_history(
    tx: Transaction,
    kind: KindName,
    table: str,
    keys: Sequence[str],
    run: int,
    side: str = "",
    *,
    past: bool = False,
) -> None:
    """Keep the rows' content as it was until `run`; what began in `run` is none, but for `past`."""
    chosen = f"{table} WHERE key IN (SELECT value FROM json_each(?)) AND (run <> ? OR ?){side}"
    history.keep(tx, kind, chosen, [json.dumps(keys), run, past], run)


def _overwrite(tx: Transaction, table: str, rows: Mapping[str, Columns], side: str = "") -> None:
    if not rows:
        return
    names = list(next(iter(rows.values())))
    setters = ", ".join(f"{name} = ?" for name in names)
    tx.exec_driver_sql(
        f"UPDATE {table} SET {setters} WHERE key = ?{side}",
        [(*(columns[name] for name in names), key) for key, columns in rows.items()],
    )
