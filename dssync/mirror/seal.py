"""What went past the triggers: a replaced table, a restored dump, a flipped bit.

A record that nobody touched says in its `digest` what the server sent. Where its columns say
something else, something wrote without the triggers. Such a record is not pending, so it is never
pushed; marked, it is replaced by the next pull. Where the server still shows what it showed, the
state is whole again; else it goes to history with its mark, and stays lost.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from dssync.core.fields import KINDS, KindName
from dssync.core.records import Person, Row
from dssync.mirror import place
from dssync.mirror.history import BROKEN
from dssync.mirror.sqlite import derived
from dssync.mirror.transaction import Transaction

Sealed = tuple[str, str, Row]
"""A record's key, its remote, and its row with the digest it came with."""


def contents(tx: Transaction, kind: KindName, remotes: Sequence[str] = ()) -> Iterator[Sealed]:
    """Yield the records of theirs whose content a digest tells: untouched and still shown."""
    table, fields = KINDS[kind].table, KINDS[kind].names
    parent = "(SELECT id FROM datasets AS d WHERE d.key = l.dataset)"
    columns = ", ".join(parent if name == "dataset" else f"l.{name}" for name in fields)
    named = " AND l.remote IN (SELECT value FROM json_each(?))" if remotes else ""
    rows = tx.exec_driver_sql(
        "SELECT l.key, l.remote, l.id, l.created_at, l.updated_at, l.created_by, l.rest, l.digest,"
        f" {columns} FROM {table} AS l WHERE l.id IS NOT NULL AND length(l.digest) = 16"
        f" AND l.absent_since IS NULL AND l.key NOT IN (SELECT key FROM {table}_pending){named}",
        (json.dumps(list(remotes)),) if remotes else (),
    )
    for key, remote, id, created, updated, by, rest, digest, *values in rows:
        person = None if by is None else Person(by, "")
        yield key, remote, Row(kind, id, tuple(values), created, updated, person, rest, digest)


def mark(tx: Transaction, kind: KindName, keys: Sequence[str]) -> None:
    """Let the next pull replace these records; needs the program's unit."""
    tx.exec_driver_sql(
        f"UPDATE {KINDS[kind].table} SET digest = CAST(? || digest AS BLOB)"
        " WHERE length(digest) = 16 AND key IN (SELECT value FROM json_each(?))",
        (BROKEN, json.dumps(list(keys))),
    )


def changed_objects(connection: sqlite3.Connection) -> list[str]:
    """Name the triggers, views and indexes that are missing, or not this program's."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    there = dict(rows.fetchall())
    return [name for _, name, statement in derived() if there.get(name) != statement]


def broken_pages(path: Path) -> list[str]:
    """Return what SQLite itself finds wrong with the file."""
    with closing(place.connect(path)) as connection:
        try:
            found = connection.execute("PRAGMA quick_check(5)").fetchall()
        except sqlite3.DatabaseError as error:
            return [str(error)]
    return [str(text) for (text,) in found if text != "ok"]
