"""Find records by an SQL expression of a person's, which can read the mirror and nothing else."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dssync.core.fields import KINDS, KindName
from dssync.errors import UsageError
from dssync.mirror import place

ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
NO_FUNCTIONS = {"load_extension", "readfile", "writefile", "fts3_tokenizer"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are meant: of a kind, for which `expression` holds, in a dataset by key.

    `touched` means only those that somebody edited or made here; without it, live ones.
    """

    kind: KindName
    expression: str = "1"
    remotes: Sequence[str] = ()
    dataset: str | None = None
    touched: bool = False


def matching(path: Path, selection: Selection) -> list[str]:
    """Return the keys of the records that are meant. Raises UsageError for what is no expression.

    The connection only reads, and an authorizer refuses all but reading the mirror's own tables.
    """
    query, arguments = _query(selection)
    with closing(place.connect(path)) as connection:
        connection.execute("PRAGMA query_only = 1")
        connection.set_authorizer(_authorize)
        try:
            return [str(row[0]) for row in connection.execute(query, arguments)]
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise _refusal(error, selection.kind) from None


def _query(selection: Selection) -> tuple[str, list[str]]:
    """Write the query. A CASE takes one expression; what goes on after it is no SQL."""
    table = KINDS[selection.kind].table
    source = f"{table} AS record"
    if selection.kind == "item":
        source += (
            " LEFT JOIN (SELECT key AS dataset_key, name AS dataset_name FROM datasets)"
            " ON dataset_key = record.dataset"
        )
    conditions = [f"CASE WHEN (\n{selection.expression}\n) THEN 1 ELSE 0 END"]
    arguments = []
    if selection.touched:
        pending = f"SELECT p.key FROM {table}_pending AS p WHERE p.side = 'base'"
        conditions.append(f"(record.id IS NULL OR record.key IN ({pending}))")
    else:
        conditions.append("record.deleted IS NOT 1")
    if selection.remotes:
        conditions.append("record.remote IN (SELECT value FROM json_each(?))")
        arguments.append(json.dumps(list(selection.remotes)))
    if selection.dataset is not None:
        conditions.append("record.dataset = ?")
        arguments.append(selection.dataset)
    # the expression stands last, so that no comment in it can hide another condition
    own, *others = conditions
    return f"SELECT record.key FROM {source} WHERE {' AND '.join([*others, own])}", arguments


def _authorize(
    action: int, first: str | None, second: str | None, database: str | None, inner: str | None
) -> int:
    if action in ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second not in NO_FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _refusal(error: Exception, kind: KindName) -> UsageError:
    said = str(error)
    if "one statement" in said:
        said = "give one expression, without a semicolon"
    elif "not authorized" in said or "prohibited" in said:
        said = "it may only read the mirror"
    extra = ", and dataset_name" if kind == "item" else ""
    return UsageError(
        f"--where cannot be used: {said}",
        hint=f"it is SQL over the columns of {KINDS[kind].table}{extra}",
    )
