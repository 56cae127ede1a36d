"""Lasting keys for ids that come and go.

A record's key is the server's id at first sight, so nearly every id is its own key and needs no
row here. An alias is kept only where the two differ: for a record made offline, for one that was
made again under another id, and for an id that another remote's record has as its key.
"""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dssync.core.fields import KINDS, KindName
from dssync.mirror.transaction import Transaction


class Known(NamedTuple):
    """A record the mirror has: where it stands, and what theirs was when last read."""

    key: str
    rowid: int
    digest: bytes | None
    absent: bool
    remote: str


def find(
    tx: Transaction, remote: str, kind: KindName, ids: Iterable[str]
) -> tuple[dict[str, Known], dict[str, str]]:
    """Look server ids up; return what is known by id, and a fresh key for each unknown id."""
    wanted = list(ids)
    renamed = aliases(tx, remote, kind, wanted)
    keys = [renamed.get(id, id) for id in wanted] if renamed else wanted
    rows = tx.exec_driver_sql(
        f"SELECT key, rowid, digest, absent_since IS NOT NULL, remote FROM {KINDS[kind].table}"
        " WHERE key IN (SELECT value FROM json_each(?))",
        (json.dumps(keys),),
    )
    found = {row[0]: Known(*row) for row in rows}
    known: dict[str, Known] = {}
    fresh: dict[str, str] = {}
    for id, key in zip(wanted, keys, strict=True):
        row = found.get(key)
        if row is None:
            fresh[id] = key
        elif row.remote == remote:
            known[id] = row
        else:
            fresh[id] = f"{remote}/{id}"
    return known, fresh


def aliases(tx: Transaction, remote: str, kind: KindName, ids: Iterable[str]) -> Mapping[str, str]:
    """Return the keys of those ids that are not their own key."""
    rows = tx.exec_driver_sql(
        "SELECT id, key FROM aliases WHERE remote = ? AND kind = ?"
        " AND id IN (SELECT value FROM json_each(?))",
        (remote, kind, json.dumps(list(ids))),
    )
    return {found: key for found, key in rows}  # noqa: C416 - rows are no pairs to mypy


def remember(tx: Transaction, remote: str, kind: KindName, pairs: Mapping[str, str]) -> None:
    """Keep (id, key) wherever the two differ."""
    rows = [(remote, kind, id, key) for id, key in pairs.items() if id != key]
    if rows:
        tx.exec_driver_sql(
            "INSERT INTO aliases (remote, kind, id, key) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (remote, kind, id) DO UPDATE SET key = excluded.key",
            rows,
        )
