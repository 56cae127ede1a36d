"""Find records by an SQL expression of a person's, which can read the mirror and nothing else."""

import json
import sqlite3
from array import array
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from dssync.core.fields import KINDS, KindName
from dssync.errors import UsageError
from dssync.mirror import place
from dssync.mirror.records import NEWEST_FIRST
from dssync.mirror.transaction import Transaction

ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}

# SQLite declares these tables at a connection's first use of them, which no authorizer would let it
_JSON_TABLES = "SELECT 1 FROM json_each('[]'), json_tree('[]')"

NO_FUNCTIONS = {"load_extension", "readfile", "writefile", "fts3_tokenizer"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are meant: of a kind, for which `expression` holds, in a dataset by key.

    `touched` means only those that somebody edited or made here; without it live ones, or with
    `deleted` all. `params` are values that the expression names (`:owner`), and `said` is what
    a message calls the expression.
    """

    kind: KindName
    expression: str = "1"
    remotes: Sequence[str] = ()
    dataset: str | None = None
    touched: bool = False
    deleted: bool = False
    params: Mapping[str, object] = field(default_factory=dict)
    said: str = "--where"


def matching(path: Path, selection: Selection) -> list[str]:
    """Return the keys of the records that are meant. Raises UsageError for what is no expression.

    The connection only reads, and an authorizer refuses all but reading the mirror's own tables.
    """
    query, arguments = _query(selection, "key")
    with closing(place.connect(path)) as connection:
        connection.execute("PRAGMA query_only = 1")
        connection.execute(_JSON_TABLES)
        connection.set_authorizer(_authorize)
        try:
            return [str(row[0]) for row in connection.execute(query, arguments)]
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise _refusal(error, selection) from None


def rowids(tx: Transaction, selection: Selection) -> "array[int]":
    """Return the rowids of the records that are meant, newest first, in 8 bytes each.

    Sees what `tx` wrote; the authorizer stands for this one query. Raises UsageError.
    """
    query, arguments = _query(selection, "rowid")
    driver = tx.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute(_JSON_TABLES)
    driver.set_authorizer(_authorize)
    try:
        rows = driver.execute(f"{query} ORDER BY {NEWEST_FIRST}", arguments)
        return array("q", (rowid for (rowid,) in rows))
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise _refusal(error, selection) from None
    finally:
        driver.set_authorizer(None)


def _query(selection: Selection, column: str) -> tuple[str, dict[str, object]]:
    """Write the query. A CASE takes one expression; what goes on after it is no SQL."""
    table = KINDS[selection.kind].table
    source = f"{table} AS record"
    if selection.kind == "item":
        source += (
            " LEFT JOIN (SELECT key AS dataset_key, name AS dataset_name FROM datasets)"
            " ON dataset_key = record.dataset"
        )
    conditions = [f"CASE WHEN (\n{selection.expression}\n) THEN 1 ELSE 0 END"]
    arguments = dict(selection.params)
    if selection.touched:
        pending = f"SELECT p.key FROM {table}_pending AS p WHERE p.side = 'base'"
        conditions.append(f"(record.id IS NULL OR record.key IN ({pending}))")
    elif not selection.deleted:
        conditions.append("record.deleted IS NOT 1")
    if selection.remotes:
        conditions.append("record.remote IN (SELECT value FROM json_each(:remotes_meant))")
        arguments["remotes_meant"] = json.dumps(list(selection.remotes))
    if selection.dataset is not None:
        conditions.append("record.dataset = :dataset_meant")
        arguments["dataset_meant"] = selection.dataset
    # the expression stands last, so that no comment in it can hide another condition
    own, *others = conditions
    condition = " AND ".join([*others, own])
    return f"SELECT record.{column} FROM {source} WHERE {condition}", arguments


def _authorize(
    action: int, first: str | None, second: str | None, database: str | None, inner: str | None
) -> int:
    if action in ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second not in NO_FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _refusal(error: Exception, selection: Selection) -> UsageError:
    kind = selection.kind
    said = str(error)
    if "one statement" in said:
        said = "give one expression, without a semicolon"
    elif "not authorized" in said or "prohibited" in said:
        said = "it may only read the mirror"
    extra = ", and dataset_name" if kind == "item" else ""
    return UsageError(
        f"{selection.said} cannot be used: {said}",
        hint=f"it is SQL over the columns of {KINDS[kind].table}{extra}",
    )
