"""The states of one record that the mirror ever saw on the server."""

import json
from collections.abc import Collection

from dssync.core.fields import KINDS, KindName, Values
from dssync.core.story import State
from dssync.mirror import people
from dssync.mirror.history import TOLD
from dssync.mirror.transaction import Transaction


def states(tx: Transaction, kind: KindName, key: str) -> list[State]:
    """Return what the server held of a record, oldest first; the last state is the present one.

    The row that stands for a dataset which no list shows is no state.
    """
    table, fields = KINDS[kind].table, ", ".join(KINDS[kind].names)
    columns = (
        "run, id, created_at, updated_at, absent_since, until_run,"
        f" (SELECT profile FROM people WHERE people.id = created_by), {fields}"
    )
    present = columns.replace("until_run", "NULL")
    rows = tx.exec_driver_sql(
        f"SELECT 0 AS now, {columns} FROM {table}_history"
        f" WHERE key = :key AND {TOLD}"
        f" UNION ALL SELECT 1, {present} FROM {table}_pending WHERE key = :key AND side = 'theirs'"
        f" UNION ALL SELECT 1, {present} FROM {table} WHERE key = :key AND id IS NOT NULL"
        " AND digest IS NOT NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {table}_pending WHERE key = :key)"
        " ORDER BY run, now",
        {"key": key},
    )
    return [
        State(
            run=row[1],
            id=row[2],
            created_at=row[3],
            updated_at=row[4],
            absent_since=row[5],
            until_run=row[6],
            created_by=people.known_as(row[7]),
            values=dict(zip(KINDS[kind].names, row[8:], strict=True)),
        )
        for row in rows
    ]


def left_by(tx: Transaction, kind: KindName, key: str, run: int) -> Values | None:
    """Return what a run left of a record on the server, if it is still kept."""
    return next((s.values for s in states(tx, kind, key) if s.run == run), None)


def knows(tx: Transaction, kind: KindName, key: str, run: int) -> bool:
    """Tell whether it is kept what a run left of a record, or found there."""
    return any(
        s.run == run or (s.run < run and (s.until_run is None or s.until_run > run))
        for s in states(tx, kind, key)
    )


def others_inside(tx: Transaction, dataset: str, besides: Collection[str]) -> int:
    """Count the items that the server shows in a dataset, besides some."""
    return int(
        tx.exec_driver_sql(
            "SELECT count(*) FROM items WHERE dataset = ? AND absent_since IS NULL"
            " AND id IS NOT NULL AND key NOT IN (SELECT value FROM json_each(?))",
            (dataset, json.dumps(list(besides))),
        ).scalar_one()
    )
