"""Runs and receipts, as they were kept."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from dssync.core.fields import KindName
from dssync.core.plan import referred
from dssync.core.receipt import Entry, KeptRun, Outcome, ScanCount, Trouble
from dssync.mirror import records, runs, schema

UNANSWERED = "sent, and no answer was seen; the next pull or push finds out"
"""The reason of a row whose intent is still open."""

_SCAN = [field.name for field in fields(ScanCount)]

_OUTCOME = (
    "CASE WHEN EXISTS (SELECT 1 FROM journal AS j WHERE j.run = r.run AND j.kind = r.kind"
    " AND j.key = r.key AND j.closed_at IS NULL) THEN 'in doubt' ELSE r.outcome END"
)
"""What became of a record, in the words of a receipt, while its intent may still be open."""


def last(tx: Connection) -> int:
    """Return the number of the newest run there ever was, 0 before the first."""
    row = tx.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'runs'").first()
    return int(row[0]) if row else 0


def recent(
    tx: Connection, limit: int, command: str | None = None, remotes: Sequence[str] = ()
) -> list[KeptRun]:
    """Return the newest runs, newest first: of one command, or that met any of these remotes."""
    query = select(schema.runs).order_by(schema.runs.c.id.desc())
    if command is not None:
        query = query.where(schema.runs.c.command == command)
    if remotes:
        query = query.where(schema.runs.c.id.in_(_met(tx, remotes)))
    return [_run(tx, row) for row in tx.execute(query.limit(limit)).mappings().all()]


def one(tx: Connection, number: int) -> KeptRun | None:
    """Return a run, or None when the mirror does not keep it."""
    query = select(schema.runs).where(schema.runs.c.id == number)
    row = tx.execute(query).mappings().first()
    return _run(tx, row) if row else None


def begun(tx: Connection, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return the command and the start of those of the runs that the mirror keeps."""
    rows = tx.exec_driver_sql(
        "SELECT id, command, started_at FROM runs WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    return {int(run): (command, started_at) for run, command, started_at in rows}


def undone_by(tx: Connection, number: int) -> list[int]:
    """Return the runs that took this one back, or a part of it, oldest first."""
    query = select(schema.runs.c.id).where(schema.runs.c.undoes == number)
    return [int(run) for run in tx.execute(query.order_by(schema.runs.c.id)).scalars()]


def entries(tx: Connection, run: int) -> list[Entry]:
    """Return the rows of a run's receipt in the order of a plan, named as of now.

    A record whose intent is still open is in doubt, whatever was noted before it was sent.
    """
    found = _entries(tx, "run = ?", (run,))
    return sorted((entry for _, entry in found), key=lambda entry: entry.order)


def entries_of(tx: Connection, kind: KindName, key: str) -> list[tuple[int, Entry]]:
    """Return what every run had to say of a record, with the runs, oldest first."""
    return list(_entries(tx, "kind = ? AND key = ?", (kind, key)))


def _entries(
    tx: Connection, condition: str, arguments: tuple[str | int, ...]
) -> Iterator[tuple[int, Entry]]:
    intents = {
        (run, kind, key): (int(count), bool(unanswered))
        for run, kind, key, count, unanswered in tx.exec_driver_sql(
            "SELECT run, kind, key, count(*), max(closed_at IS NULL) FROM journal"
            f" WHERE {condition} GROUP BY run, kind, key",
            arguments,
        )
    }
    rows = tx.exec_driver_sql(f"SELECT * FROM receipts WHERE {condition} ORDER BY run", arguments)
    for row in rows.mappings().all():
        spot = (row["run"], row["kind"], row["key"])
        yield int(row["run"]), _named(tx, _entry(row, *intents.get(spot, (0, False))))


def _entry(row: RowMapping, intents: int, unanswered: bool) -> Entry:
    return Entry(
        remote=row["remote"],
        kind=row["kind"],
        key=row["key"],
        action=row["action"],
        outcome="in doubt" if unanswered else row["outcome"],
        deltas=runs.load_deltas(row["deltas"]),
        reason=UNANSWERED if unanswered else row["reason"],
        status=row["status"],
        updated_at=row["updated_at"],
        attempts=max(row["attempts"], intents),
    )


def _named(tx: Connection, entry: Entry) -> Entry:
    """Say how people know the record; one that is not here any more is known by what was sent."""
    held = next(records.select(tx, entry.kind, "key = ?", [entry.key]), None)
    values = held.values if held else {d.field: d.after for d in entry.deltas}
    label, where = records.describe(tx, entry.kind, entry.key, values)
    names = records.names(tx, referred(entry.deltas))
    return replace(entry, label=label, where=where if where != "None" else "", names=names)


def _run(tx: Connection, row: RowMapping) -> KeptRun:
    number = int(row["id"])
    troubles = tuple(Trouble(**trouble) for trouble in _load(row["troubles"]))
    return KeptRun(
        number=number,
        command=row["command"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        exit_code=row["exit_code"],
        version=row["version"],
        undoes=row["undoes"],
        remotes=_remotes(tx, number, troubles),
        counts=_counts(tx, number),
        scans=tuple(_scans(tx, number)),
        troubles=troubles,
        notes=tuple(_load(row["notes"])),
    )


def _load(text: str | None) -> list[Any]:
    found: list[Any] = json.loads(text) if text else []
    return found


def _counts(tx: Connection, run: int) -> Mapping[Outcome, int]:
    rows = tx.exec_driver_sql(
        f"SELECT {_OUTCOME} AS now, count(*) FROM receipts AS r WHERE r.run = ? GROUP BY now",
        (run,),
    )
    return {outcome: int(count) for outcome, count in rows}


def _scans(tx: Connection, run: int) -> Iterator[ScanCount]:
    table = schema.scans
    query = select(table).where(table.c.run == run).order_by(table.c.remote, table.c.kind)
    for row in tx.execute(query).mappings():
        yield ScanCount(**{name: row[name] for name in _SCAN})


def _remotes(tx: Connection, run: int, troubles: Iterable[Trouble]) -> tuple[str, ...]:
    found = {trouble.remote for trouble in troubles}
    for table in (schema.scans, schema.receipts):
        found |= set(tx.execute(select(table.c.remote).where(table.c.run == run)).scalars())
    return tuple(sorted(found))


def _met(tx: Connection, remotes: Sequence[str]) -> set[int]:
    """Return the runs that had anything to do with these remotes."""
    met: set[int] = set()
    for table in (schema.scans, schema.receipts):
        query = select(table.c.run).where(table.c.remote.in_(remotes)).distinct()
        met |= set(tx.execute(query).scalars())
    troubled = tx.exec_driver_sql(
        "SELECT runs.id FROM runs, json_each(runs.troubles) AS t"
        " WHERE json_extract(t.value, '$.remote') IN (SELECT value FROM json_each(?))",
        (json.dumps(list(remotes)),),
    )
    return met | set(troubled.scalars())
