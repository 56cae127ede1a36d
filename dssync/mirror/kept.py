"""Runs and receipts, as they were kept."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from dssync.core.fields import KindName
from dssync.core.plan import referred
from dssync.core.receipt import Entry, KeptRun, Outcome, ScanCount, Trouble
from dssync.mirror import records, runs
from dssync.mirror.transaction import Transaction

UNANSWERED = "sent, and no answer was seen; the next pull or push finds out"
"""The reason of a row whose intent is still open."""

_SCAN = [field.name for field in fields(ScanCount)]

_OUTCOME = (
    "CASE WHEN EXISTS (SELECT 1 FROM journal AS j WHERE j.run = r.run AND j.kind = r.kind"
    " AND j.key = r.key AND j.closed_at IS NULL) THEN 'in doubt' ELSE r.outcome END"
)
"""What became of a record, in the words of a receipt, while its intent may still be open."""


def last(tx: Transaction) -> int:
    """Return the number of the newest run there ever was, 0 before the first."""
    row = tx.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'runs'").first()
    return int(row[0]) if row else 0


def recent(
    tx: Transaction, limit: int, command: str | None = None, remotes: Sequence[str] = ()
) -> list[KeptRun]:
    """Return the newest runs, newest first: of one command, or that met any of these remotes."""
    conditions, arguments = ["1"], []
    if command is not None:
        conditions.append("command = ?")
        arguments.append(command)
    if remotes:
        conditions.append(f"id IN ({_MET})")
        arguments += [json.dumps(list(remotes))] * _MET.count("?")
    query = f"{_RUN} WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT {limit}"
    return [_run(tx, *row) for row in tx.exec_driver_sql(query, tuple(arguments)).fetchall()]


_RUN = (
    "SELECT id, command, started_at, ended_at, exit_code, version, undoes, troubles, notes"
    " FROM runs"
)

_NAMED = "IN (SELECT value FROM json_each(?))"
_MET = (
    f"SELECT run FROM scans WHERE remote {_NAMED}"
    f" UNION SELECT run FROM receipts WHERE remote {_NAMED}"
    " UNION SELECT runs.id FROM runs, json_each(runs.troubles) AS t"
    f" WHERE json_extract(t.value, '$.remote') {_NAMED}"
)
"""The runs that had anything to do with some remotes."""


def one(tx: Transaction, number: int) -> KeptRun | None:
    """Return a run, or None when the mirror does not keep it."""
    row = tx.exec_driver_sql(f"{_RUN} WHERE id = ?", (number,)).first()
    return _run(tx, *row) if row else None


def last_success(tx: Transaction, command: str) -> str | None:
    """Return when the newest run of a command ended that ended with 0, if there is one."""
    query = "SELECT ended_at FROM runs WHERE command = ? AND exit_code = 0 ORDER BY id DESC LIMIT 1"
    row = tx.exec_driver_sql(query, (command,)).first()
    return str(row[0]) if row else None


def begun(tx: Transaction, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return the command and the start of those of the runs that the mirror keeps."""
    rows = tx.exec_driver_sql(
        "SELECT id, command, started_at FROM runs WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    return {int(run): (command, started_at) for run, command, started_at in rows}


def undone_by(tx: Transaction, number: int) -> list[int]:
    """Return the runs that took this one back, or a part of it, oldest first."""
    rows = tx.exec_driver_sql("SELECT id FROM runs WHERE undoes = ? ORDER BY id", (number,))
    return [int(run) for (run,) in rows]


def entries(tx: Transaction, run: int) -> list[Entry]:
    """Return the rows of a run's receipt in the order of a plan, named as of now.

    A record whose intent is still open is in doubt, whatever was noted before it was sent.
    """
    found = _entries(tx, "run = ?", (run,))
    return sorted((entry for _, entry in found), key=lambda entry: entry.order)


def entries_of(tx: Transaction, kind: KindName, key: str) -> list[tuple[int, Entry]]:
    """Return what every run had to say of a record, with the runs, oldest first."""
    return list(_entries(tx, "kind = ? AND key = ?", (kind, key)))


def _entries(
    tx: Transaction, condition: str, arguments: tuple[str | int, ...]
) -> Iterator[tuple[int, Entry]]:
    intents = {
        (run, kind, key): (int(count), bool(unanswered))
        for run, kind, key, count, unanswered in tx.exec_driver_sql(
            "SELECT run, kind, key, count(*), max(closed_at IS NULL) FROM journal"
            f" WHERE {condition} GROUP BY run, kind, key",
            arguments,
        )
    }
    rows = tx.exec_driver_sql(
        "SELECT run, remote, kind, key, action, outcome, reason, deltas, status, updated_at,"
        f" attempts FROM receipts WHERE {condition} ORDER BY run",
        arguments,
    ).fetchall()
    for run, remote, kind, key, action, outcome, reason, deltas, *answer, attempts in rows:
        status, updated_at = answer
        sent, unanswered = intents.get((run, kind, key), (0, False))
        entry = Entry(
            remote=remote,
            kind=kind,
            key=key,
            action=action,
            outcome="in doubt" if unanswered else outcome,
            deltas=runs.load_deltas(deltas),
            reason=UNANSWERED if unanswered else reason,
            status=status,
            updated_at=updated_at,
            attempts=max(attempts, sent),
        )
        yield int(run), _named(tx, entry)


def _named(tx: Transaction, entry: Entry) -> Entry:
    """Say how people know the record; one that is not here any more is known by what was sent."""
    held = next(records.select(tx, entry.kind, "key = ?", [entry.key]), None)
    values = held.values if held else {d.field: d.after for d in entry.deltas}
    label, where = records.describe(tx, entry.kind, entry.key, values)
    names = records.names(tx, referred(entry.deltas))
    return replace(entry, label=label, where=where if where != "None" else "", names=names)


def _run(
    tx: Transaction,
    number: int,
    command: str,
    started_at: str,
    ended_at: str | None,
    exit_code: int | None,
    version: str,
    undoes: int | None,
    troubles: str | None,
    notes: str | None,
) -> KeptRun:
    met = tuple(Trouble(**trouble) for trouble in _load(troubles))
    return KeptRun(
        number=number,
        command=command,
        started_at=started_at,
        ended_at=ended_at,
        exit_code=exit_code,
        version=version,
        undoes=undoes,
        remotes=_remotes(tx, number, met),
        counts=_counts(tx, number),
        scans=tuple(_scans(tx, number)),
        troubles=met,
        notes=tuple(_load(notes)),
    )


def _load(text: str | None) -> list[Any]:
    try:
        found: list[Any] = json.loads(text) if text else []
    except ValueError:
        raise runs.unreadable() from None
    return found


def _counts(tx: Transaction, run: int) -> Mapping[Outcome, int]:
    rows = tx.exec_driver_sql(
        f"SELECT {_OUTCOME} AS now, count(*) FROM receipts AS r WHERE r.run = ? GROUP BY now",
        (run,),
    )
    return {outcome: int(count) for outcome, count in rows}


def _scans(tx: Transaction, run: int) -> Iterator[ScanCount]:
    rows = tx.exec_driver_sql(
        f"SELECT {', '.join(_SCAN)} FROM scans WHERE run = ? ORDER BY remote, kind", (run,)
    )
    yield from (ScanCount(*row) for row in rows)


def _remotes(tx: Transaction, run: int, troubles: Iterable[Trouble]) -> tuple[str, ...]:
    rows = tx.exec_driver_sql(
        "SELECT remote FROM scans WHERE run = ? UNION SELECT remote FROM receipts WHERE run = ?",
        (run, run),
    )
    named = (trouble.remote for trouble in troubles if trouble.remote)
    return tuple(sorted({*named, *(name for (name,) in rows)}))
