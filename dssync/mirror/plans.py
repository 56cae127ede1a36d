"""Which plans were applied, so that one that was used is known again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from dssync.core.fields import Spot
from dssync.core.plan import Action, Change, Delta
from dssync.core.receipt import Outcome
from dssync.mirror import records, runs, schema


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


def note(tx: Connection, run: int, digest: str | None) -> None:
    """Keep which plan a run is about to apply."""
    tx.execute(update(schema.runs).where(schema.runs.c.id == run).values(plan=digest))


def uses(tx: Connection, digest: str) -> list[Use]:
    """Return the runs that applied the plan with this digest, oldest first."""
    table = schema.runs
    found = tx.execute(
        select(table.c.id, table.c.started_at).where(table.c.plan == digest).order_by(table.c.id)
    ).all()
    return [Use(run, started_at, dict(_rows(tx, run))) for run, started_at in found]


def changes(tx: Connection, use: Use) -> Iterator[tuple[Row, Change]]:
    """Yield what a run had to do with each record that is still here, as the plan said it."""
    for (kind, key), row in use.rows.items():
        for record in records.select(tx, kind, "key = ?", [key]):
            label, where = records.describe(tx, kind, key, record.values)
            id = None if row.action == "create" else record.id
            yield row, Change(record.remote, kind, key, id, row.action, row.deltas, label, where)


def _rows(tx: Connection, run: int) -> Iterator[tuple[Spot, Row]]:
    table = schema.receipts
    found = tx.execute(select(table).where(table.c.run == run, table.c.action != "read"))
    for row in found.mappings():
        deltas = runs.load_deltas(row["deltas"])
        yield (
            (row["kind"], row["key"]),
            Row(row["action"], deltas, row["outcome"]),
        )
