"""Which record of one remote became which record of another, for ever.

A link leads from `source_key` of the remote `source` to `key` of the remote `remote`. `run` is the
snapshot of the source whose content was copied last: what both sides had in common then.
"""

import json
from collections.abc import Collection, Mapping

from dssync.core.fields import KINDS, KindName
from dssync.mirror.transaction import Transaction


def find(
    tx: Transaction, remote: str, kind: KindName, source: str, keys: Collection[str]
) -> Mapping[str, str]:
    """Return what records of `source` became on `remote`, as far as it is still there, by key."""
    rows = tx.exec_driver_sql(
        f"SELECT source_key, key FROM links JOIN {KINDS[kind].table} AS r USING (key)"
        " WHERE links.remote = ? AND links.kind = ? AND links.source = ?"
        " AND source_key IN (SELECT value FROM json_each(?))",
        (remote, kind, source, json.dumps(list(keys))),
    )
    return dict(map(tuple, rows))


def remember(
    tx: Transaction,
    remote: str,
    kind: KindName,
    source: str,
    pairs: Mapping[str, str],
    run: int | None,
) -> None:
    """Keep what records of `source` became, or that they were copied once more."""
    if pairs:
        tx.exec_driver_sql(
            "INSERT INTO links (remote, kind, source, source_key, key, run)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (remote, kind, source, source_key)"
            " DO UPDATE SET key = excluded.key, run = excluded.run",
            [(remote, kind, source, old, new, run) for old, new in pairs.items()],
        )


def rename(tx: Transaction, kind: KindName, old: str, new: str) -> None:
    """Put one key in the place of another, on either end of its links."""
    for column in ("key", "source_key"):
        tx.exec_driver_sql(
            f"UPDATE OR REPLACE links SET {column} = ? WHERE kind = ? AND {column} = ?",
            (new, kind, old),
        )
