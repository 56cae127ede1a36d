"""Runs, their scans and their receipts, as they are written."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from dssync.clock import Clock, stamp
from dssync.core.fields import KINDS
from dssync.core.plan import Delta
from dssync.core.receipt import Entry, ScanCount, Trouble
from dssync.errors import MirrorDamaged
from dssync.mirror.transaction import Transaction


def start(
    tx: Transaction, command: str, clock: Clock, version: str, *, undoes: int | None = None
) -> int:
    """Open a run and return its id; ids only grow. `undoes` is the run it takes back."""
    made = tx.exec_driver_sql(
        "INSERT INTO runs (command, started_at, version, undoes) VALUES (?, ?, ?, ?) RETURNING id",
        (command, stamp(clock.now()), version, undoes),
    )
    return int(made.scalar_one())


def end(
    tx: Transaction,
    run: int,
    exit_code: int,
    clock: Clock,
    troubles: Sequence[Trouble] = (),
    notes: Sequence[str] = (),
) -> None:
    """Close a run, with what went wrong in it and what it had to say."""
    gone_wrong = _dump([asdict(trouble) for trouble in troubles])
    tx.exec_driver_sql(
        "UPDATE runs SET ended_at = ?, exit_code = ?, troubles = ?, notes = ? WHERE id = ?",
        (stamp(clock.now()), exit_code, gone_wrong, _dump(notes), run),
    )


def _dump(values: Sequence[object]) -> str | None:
    return json.dumps(values, ensure_ascii=False) if values else None


def keep_scan(tx: Transaction, run: int, scan: ScanCount, clock: Clock) -> None:
    """Keep the numbers of one scan."""
    values = [getattr(scan, column) for column in _SCAN]
    tx.exec_driver_sql(
        f"INSERT INTO scans (run, ended_at, {', '.join(_SCAN)})"
        f" VALUES ({', '.join('?' * (len(_SCAN) + 2))})",
        (run, stamp(clock.now()), *values),
    )


_SCAN = (
    "remote",
    "kind",
    "outcome",
    "listed",
    "new",
    "changed",
    "unchanged",
    "absent",
    "pages",
    "reason",
)


def keep_entries(tx: Transaction, run: int, entries: Iterable[Entry]) -> None:
    """Keep the receipt's rows; a later word on the same record replaces the earlier one.

    What only the earlier one knew stays: whoever finds out what became of a request has not seen
    its answer.
    """
    rows = [
        (
            run,
            entry.remote,
            entry.kind,
            entry.key,
            entry.action,
            entry.outcome,
            entry.reason,
            dump_deltas(entry.deltas),
            entry.status,
            entry.updated_at,
            entry.attempts,
        )
        for entry in entries
    ]
    if rows:
        tx.exec_driver_sql(
            "INSERT INTO receipts (run, remote, kind, key, action, outcome, reason,"
            " deltas, status, updated_at, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (run, remote, kind, key) DO UPDATE SET action = excluded.action,"
            " outcome = excluded.outcome, reason = excluded.reason, deltas = excluded.deltas,"
            " status = coalesce(excluded.status, status),"
            " updated_at = coalesce(excluded.updated_at, updated_at),"
            " attempts = max(excluded.attempts, attempts)",
            rows,
        )


def dump_deltas(deltas: Iterable[Delta]) -> str:
    """Write deltas as JSON text, for a receipt or an intent."""
    return json.dumps([[d.field, d.before, d.after] for d in deltas], ensure_ascii=False)


def load_deltas(text: str) -> tuple[Delta, ...]:
    """Read deltas back. Raises MirrorDamaged."""
    try:
        return tuple(Delta(*parts) for parts in json.loads(text))
    except (TypeError, ValueError):
        raise unreadable() from None


def unreadable() -> MirrorDamaged:
    """Return the error of a run whose notes or receipt are no longer what was written."""
    return MirrorDamaged(
        "what the mirror keeps of a run can no longer be read",
        hint="restore the mirror's file from a copy, or move it away and pull again",
    )


def rename_in_deltas(text: str, field: str, old: str, new: str) -> str:
    """Put one key in the place of another in the deltas of one field."""
    renamed = {old: new}
    return dump_deltas(
        Delta(d.field, renamed.get(str(d.before), d.before), renamed.get(str(d.after), d.after))
        if d.field == field
        else d
        for d in load_deltas(text)
    )


def last_complete(tx: Transaction, remote: str) -> tuple[int, str] | None:
    """Return run and end of the newest pull whose scans of both kinds were complete, if any."""
    row = tx.exec_driver_sql(
        "SELECT run, max(ended_at) FROM scans WHERE remote = ? AND outcome LIKE 'complete%'"
        " GROUP BY run HAVING count(*) = ? ORDER BY run DESC LIMIT 1",
        (remote, len(KINDS)),
    ).first()
    return (int(row[0]), str(row[1])) if row else None
