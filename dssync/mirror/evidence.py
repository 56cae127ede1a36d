"""Every row there is of a record, as `verify` looks at it, whatever damage made of it.

Text that is no UTF-8 any more is read all the same, so that the damage can be named.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

from dssync.core.damage import Span
from dssync.core.fields import KINDS, KindName
from dssync.mirror import seal
from dssync.mirror.columns import COLUMNS
from dssync.mirror.transaction import Transaction

Cells = Mapping[str, Any]
"""A row by column name; damage may have put any type anywhere."""

Place = Literal["untouched", "ours", "base", "theirs", "gone", "history"]
"""Where a row stands: ours of a record that nobody touched is theirs, too."""

PLACES = ("base", "theirs", "gone")
FAULTS = 20
"""So many faults of the file are told."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One row: its columns, and what else its table says of it.

    `more` holds pushed_run and reverted of a pending row, until_run and seal of one of history.
    `beside` is, for a row of ours, its row of theirs or gone, and for one of pending its row of
    ours. `holder` is the key that the mirror's aliases give the row's id.
    """

    kind: KindName
    place: str
    cells: Cells
    more: Cells
    beside: Cells | None = None
    holder: object = None


@contextmanager
def lenient(tx: Transaction) -> Iterator[None]:
    """Read text that is no UTF-8, too, with what cannot be read as halves of surrogate pairs."""
    driver = _driver(tx)
    before = driver.text_factory
    driver.text_factory = _text
    try:
        yield
    finally:
        driver.text_factory = before


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _driver(tx: Transaction) -> sqlite3.Connection:
    driver = tx.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _ask(tx: Transaction, query: str, *arguments: object) -> list[Any]:
    """Return the rows of a query; none where an argument is text that no database can hold."""
    try:
        return _driver(tx).execute(query, arguments).fetchall()
    except UnicodeEncodeError:
        return []


def faults(tx: Transaction) -> list[str]:
    """Return what is wrong with the file itself: its pages, its indexes, its tables."""
    from dssync.mirror.revising import lost_columns  # the tables, and with them SQLAlchemy

    driver = _driver(tx)
    found = [str(text) for (text,) in driver.execute(f"PRAGMA integrity_check({FAULTS})")]
    lacking = [f"it lacks {name}" for name in lost_columns(driver)]
    changed = [f"{name} is not this program's" for name in seal.changed_objects(driver)]
    return [*(text for text in found if text != "ok"), *lacking, *changed]


def rows(tx: Transaction, kind: KindName) -> Iterator[Kept]:
    """Yield every row of a kind, of all remotes, in no order that means anything."""
    yield from _ours(tx, kind)
    yield from _pending(tx, kind)
    yield from _history(tx, kind)


def _ours(tx: Transaction, kind: KindName) -> Iterator[Kept]:
    table, names = KINDS[kind].table, COLUMNS[kind]
    other = ", ".join(f"p.{name}" for name in names)
    rows = _driver(tx).execute(
        f"SELECT (SELECT coalesce(max(side), '') FROM {table}_pending AS s WHERE s.key = l.key),"
        " coalesce((SELECT a.key FROM aliases AS a WHERE a.remote = l.remote AND a.kind = ?"
        f" AND a.id = l.id), l.id), {', '.join(f'l.{name}' for name in names)}, {other}"
        f" FROM {table} AS l LEFT JOIN {table}_pending AS p"
        " ON p.key = l.key AND p.side IN ('theirs', 'gone')",
        (kind,),
    )
    width = len(names)
    for side, holder, *cells in rows:
        ours = dict(zip(names, cells[:width], strict=True))
        beside = dict(zip(names, cells[width:], strict=True)) if cells[width] is not None else None
        touched = side or ours["id"] is None
        yield Kept(kind, "ours" if touched else "untouched", ours, {"side": side}, beside, holder)


def _pending(tx: Transaction, kind: KindName) -> Iterator[Kept]:
    table, names = KINDS[kind].table, COLUMNS[kind]
    rows = _driver(tx).execute(
        f"SELECT p.side, l.key, (SELECT count(*) FROM {table}_pending AS s WHERE s.key = p.key"
        f" AND s.side IN ('base', 'theirs')), {', '.join(f'p.{name}' for name in names)},"
        f" p.pushed_run, p.reverted FROM {table}_pending AS p"
        f" LEFT JOIN {table} AS l ON l.key = p.key"
    )
    for side, ours, sides, *cells, pushed, reverted in rows:
        more = {"pushed_run": pushed, "reverted": reverted, "sides": sides}
        beside = None if ours is None else {"key": ours}
        yield Kept(kind, side, dict(zip(names, cells, strict=True)), more, beside)


def _history(tx: Transaction, kind: KindName) -> Iterator[Kept]:
    table, names = KINDS[kind].table, COLUMNS[kind]
    rows = _driver(tx).execute(f"SELECT {', '.join(names)}, until_run, seal FROM {table}_history")
    for *cells, until, sealed in rows:
        more = {"until_run": until, "seal": sealed}
        yield Kept(kind, "history", dict(zip(names, cells, strict=True)), more)


def pasts(tx: Transaction, kind: KindName) -> Iterator[tuple[object, object, list[Span]]]:
    """Yield key, remote and spans of each record that has a past; the present is among the spans.

    What is no number is left out: the seal of its row tells.
    """
    table = KINDS[kind].table
    past = _driver(tx).execute(
        f"SELECT key, remote, run, until_run FROM {table}_history"
        " WHERE digest IS NOT NULL ORDER BY key"
    )
    for key, group in groupby(past, key=itemgetter(0)):
        kept = list(group)
        now = _ask(
            tx,
            f"SELECT run, NULL FROM {table} WHERE key = ?1 AND digest IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM {table}_pending WHERE key = ?1) UNION ALL"
            f" SELECT run, NULL FROM {table}_pending WHERE key = ?1 AND side IN ('theirs', 'gone')",
            key,
        )
        spans = [(run, until) for _, _, run, until in kept] + now
        yield key, kept[-1][1], [Span(*s) for s in spans if all(_whole(n) for n in s)]


def _whole(number: object) -> bool:
    return number is None or isinstance(number, int)


Ids = Callable[[object], frozenset[Any]]
"""Finds a few values that belong to one."""


def ids_of(tx: Transaction) -> Ids:
    """Return what finds every id that a dataset ever had, by its key; none for no dataset."""

    @lru_cache(maxsize=1024)
    def found(key: object) -> frozenset[Any]:
        rows = _ask(
            tx,
            "SELECT id FROM datasets WHERE key = ?1"
            " UNION SELECT id FROM datasets_pending WHERE key = ?1"
            " UNION SELECT id FROM datasets_history WHERE key = ?1"
            " UNION SELECT id FROM aliases WHERE kind = 'dataset' AND key = ?1",
            key,
        )
        return frozenset(id for (id,) in rows if id is not None)

    return found


def dataset_name(tx: Transaction, key: object) -> str | None:
    """Return what a dataset is called now, None where there is none."""
    found = _ask(tx, "SELECT name FROM datasets WHERE key = ? AND name IS NOT NULL", key)
    return str(found[0][0]) if found else None


def lost_before(tx: Transaction, id: object) -> frozenset[Any]:
    """Return name, absent_since and run of each dataset with this id that went away."""
    rows = " UNION ".join(
        f"SELECT name, absent_since, run FROM {table} WHERE id = ?1 AND digest IS NOT NULL"
        for table in ("datasets", "datasets_pending", "datasets_history")
    )
    return frozenset(tuple(row) for row in _ask(tx, rows, id))


def runs_of(tx: Transaction, kind: KindName, key: object) -> frozenset[Any]:
    """Return the runs in which some content of a record was first seen, as far as it is kept."""
    table = KINDS[kind].table
    rows = (
        f"SELECT run FROM {table}_history WHERE key = ?1"
        f" UNION SELECT run FROM {table}_pending WHERE key = ?1 AND side <> 'base'"
    )
    return frozenset(run for (run,) in _ask(tx, rows, key))


def known_runs(tx: Transaction) -> Mapping[object, tuple[str, str | None]]:
    """Return when each run began and ended, by its number."""
    rows = _driver(tx).execute("SELECT id, started_at, ended_at FROM runs")
    return {run: (str(began), ended) for run, began, ended in rows}


def sealed_remotes(tx: Transaction) -> Sequence[str]:
    """Name the remotes that have snapshots, the mirror's own and any that damage made up."""
    query = "SELECT DISTINCT remote FROM snapshots ORDER BY remote"
    return [str(remote) for (remote,) in _driver(tx).execute(query)]
