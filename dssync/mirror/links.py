"""Which record of one remote became which record of another, for ever, and what both agree on.

A link leads from `source_key` of the remote `source` to `key` of the remote `remote`, and is used
from either end: what was carried back has two, one in each direction. `run` is the run as of which
the source's record is what both sides agreed on last, their *base*; its state is kept in history,
and never pruned. Of a source that is no remote at a run, but a file, `base` holds the values. At
most one of a pair's two links has either.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dssync.core.fields import KINDS, KindName, Values
from dssync.mirror import past
from dssync.mirror.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Ends:
    """Two remotes between which records of a kind are carried."""

    kind: KindName
    source: str
    remote: str

    @property
    def turned(self) -> "Ends":
        """Return the other direction."""
        return Ends(self.kind, self.remote, self.source)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides agreed on: a record's values, and since which run it was so.

    `own` tells that the values are the source's, with its keys of datasets; else the other end's.
    `run` is None where they came from a file.
    """

    values: Values
    own: bool
    run: int | None


_AMONG = "IN (SELECT value FROM json_each(?))"


def find(
    tx: Transaction, remote: str, kind: KindName, source: str, keys: Collection[str]
) -> Mapping[str, str]:
    """Return what records of `source` became on `remote`, as far as it is still there, by key.

    Which direction they were carried in does not matter.
    """
    ends, wanted = Ends(kind, source, remote), json.dumps(list(keys))
    table = KINDS[kind].table
    found: dict[str, str] = {}
    if source != remote:  # or copies would lead back to their originals
        back = tx.exec_driver_sql(
            f"SELECT links.key, source_key FROM links JOIN {table} AS r ON r.key = source_key"
            f" WHERE links.remote = ? AND kind = ? AND source = ? AND links.key {_AMONG}"
            " ORDER BY source_key",
            (*_bound(ends.turned), wanted),
        )
        found = {str(old): str(new) for old, new in back}
    rows = tx.exec_driver_sql(
        f"SELECT source_key, links.key FROM links JOIN {table} AS r ON r.key = links.key"
        f" WHERE links.remote = ? AND kind = ? AND source = ? AND source_key {_AMONG}",
        (*_bound(ends), wanted),
    )
    return {**found, **{str(old): str(new) for old, new in rows}}


def _bound(ends: Ends) -> tuple[str, str, str]:
    return ends.remote, ends.kind, ends.source


def remember(tx: Transaction, ends: Ends, pairs: Mapping[str, str]) -> None:
    """Keep what records of a source became, by their keys."""
    if pairs:
        tx.exec_driver_sql(
            "INSERT INTO links (remote, kind, source, source_key, key) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (remote, kind, source, source_key) DO UPDATE SET key = excluded.key,"
            " run = CASE key WHEN excluded.key THEN run END,"
            " base = CASE key WHEN excluded.key THEN base END",
            [(*_bound(ends), old, new) for old, new in pairs.items()],
        )


def agree(
    tx: Transaction,
    ends: Ends,
    pairs: Mapping[str, str],
    run: int | None,
    values: Mapping[str, Values] | None = None,
) -> None:
    """Keep that both sides agree on the source's records as of a run, or on these values of them.

    `pairs` are the keys that they have at both ends.
    """
    remember(tx, ends, pairs)
    said = {old: None if run else json.dumps((values or {})[old]) for old in pairs}
    _set(tx, ends, [(run, said[old], old, new) for old, new in pairs.items()])
    _set(tx, ends.turned, [(None, None, new, old) for old, new in pairs.items()])


def _set(
    tx: Transaction, ends: Ends, rows: Sequence[tuple[int | None, str | None, str, str]]
) -> None:
    if rows:
        tx.exec_driver_sql(
            "UPDATE links SET run = ?, base = ? WHERE remote = ? AND kind = ? AND source = ?"
            " AND source_key = ? AND key = ?",
            [(run, base, *_bound(ends), old, new) for run, base, old, new in rows],
        )


def agreed(tx: Transaction, ends: Ends, pairs: Mapping[str, str]) -> dict[str, Agreed]:
    """Return what both sides agreed on of these records, by the source's key.

    Without an entry nothing was agreed on, or nobody knows any more what it was.
    """
    found = dict(_agreed(tx, ends, pairs, own=True))
    if ends.source != ends.remote:
        turned = {new: old for old, new in pairs.items()}
        back = _agreed(tx, ends.turned, turned, own=False)
        found.update((turned[new], each) for new, each in back)
    return found


def _agreed(
    tx: Transaction, ends: Ends, pairs: Mapping[str, str], *, own: bool
) -> Iterator[tuple[str, Agreed]]:
    rows = tx.exec_driver_sql(
        "SELECT source_key, key, run, base FROM links WHERE remote = ? AND kind = ? AND source = ?"
        f" AND source_key {_AMONG} AND (run IS NOT NULL OR base IS NOT NULL)",
        (*_bound(ends), json.dumps(list(pairs))),
    ).fetchall()
    by_run: dict[int, list[str]] = {}
    for old, new, run, base in rows:
        if pairs[old] != new:
            continue
        if base is not None:
            yield old, Agreed(json.loads(base), own, None)
        else:
            by_run.setdefault(run, []).append(old)
    for run, keys in by_run.items():
        for each in past.among(tx, ends.source, run, ends.kind, keys):
            if not each.broken:
                gone = int(not each.live)
                yield each.key, Agreed({**each.values, "deleted": gone}, own, run)


def ends_of(tx: Transaction, kind: KindName, source: str, remote: str) -> set[str]:
    """Return the keys of a remote's records that are linked to any of a source, either way."""
    ends = Ends(kind, source, remote)
    rows = tx.exec_driver_sql(
        "SELECT key FROM links WHERE remote = ? AND kind = ? AND source = ?"
        " UNION SELECT source_key FROM links WHERE remote = ? AND kind = ? AND source = ?",
        (*_bound(ends), *_bound(ends.turned)),
    )
    return {str(key) for (key,) in rows}


def copies(tx: Transaction, kind: KindName, remote: str) -> set[str]:
    """Return the keys of a remote's records that are copies of others of its own."""
    rows = tx.exec_driver_sql(
        "SELECT key FROM links WHERE remote = ? AND kind = ? AND source = ?",
        (remote, kind, remote),
    )
    return {str(key) for (key,) in rows}


def rename(tx: Transaction, kind: KindName, old: str, new: str) -> None:
    """Put one key in the place of another, on either end of its links."""
    for column in ("key", "source_key"):
        tx.exec_driver_sql(
            f"UPDATE OR REPLACE links SET {column} = ? WHERE kind = ? AND {column} = ?",
            (new, kind, old),
        )
