"""Which plans were applied, so that one that was used is known again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dssync.core.fields import Spot
from dssync.core.plan import Action, Change, Delta
from dssync.core.receipt import Outcome
from dssync.mirror import records, runs
from dssync.mirror.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Row:
    """What a run had to do with one record, and what came of it."""

    action: Action
    deltas: tuple[Delta, ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Use:
    """One run that applied a plan, or part of it."""

    run: int
    started_at: str
    rows: Mapping[Spot, Row]

    @property
    def applied(self) -> int:
        """Count the changes that were applied."""
        return sum(row.outcome == "applied" for row in self.rows.values())

    def did(self, change: Change) -> bool:
        """Tell whether this run applied a change."""
        row = self.rows.get(change.spot)
        return row is not None and row.outcome == "applied"

    def had(self, change: Change) -> bool:
        """Tell whether a change was one of this run's, value for value."""
        row = self.rows.get(change.spot)
        return row is not None and (row.action, _after(row.deltas)) == (
            change.action,
            _after(change.deltas),
        )


def _after(deltas: tuple[Delta, ...]) -> dict[str, object]:
    return {delta.field: (delta.before, delta.after) for delta in deltas}


def note(tx: Transaction, run: int, digest: str | None) -> None:
    """Keep which plan a run is about to apply."""
    tx.exec_driver_sql("UPDATE runs SET plan = ? WHERE id = ?", (digest, run))


def uses(tx: Transaction, digest: str) -> list[Use]:
    """Return the runs that applied the plan with this digest, oldest first."""
    found = tx.exec_driver_sql(
        "SELECT id, started_at FROM runs WHERE plan = ? ORDER BY id", (digest,)
    ).fetchall()
    return [Use(run, started_at, dict(_rows(tx, run))) for run, started_at in found]


def changes(tx: Transaction, use: Use) -> Iterator[tuple[Row, Change]]:
    """Yield what a run had to do with each record that is still here, as the plan said it."""
    for (kind, key), row in use.rows.items():
        for record in records.select(tx, kind, "key = ?", [key]):
            label, where = records.describe(tx, kind, key, record.values)
            id = None if row.action == "create" else record.id
            yield row, Change(record.remote, kind, key, id, row.action, row.deltas, label, where)


def _rows(tx: Transaction, run: int) -> Iterator[tuple[Spot, Row]]:
    found = tx.exec_driver_sql(
        "SELECT kind, key, action, deltas, outcome FROM receipts"
        " WHERE run = ? AND action <> 'read'",
        (run,),
    )
    for kind, key, action, deltas, outcome in found:
        yield (kind, key), Row(action, runs.load_deltas(deltas), outcome)
