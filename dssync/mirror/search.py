"""Full-text search: an index in a file beside the mirror, caught up by each search.

A pull never writes it, and it can be deleted at any time. Each record is one row of an FTS5 table
without content, whose number `docs` gives its key; a record that changed gets a new number, and the
old one, which no key leads to, is dropped when a fifth of the index is such. Only few records can
have changed since the last search: those that somebody touched, now or then, and those of newer
runs. What is shown is read from the mirror itself.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dssync.core.fields import KINDS, Kind, KindName, Stored
from dssync.core.query import Term, indexed, readable, snippet
from dssync.mirror import place

FIELDS = ("name", "description", "metadata", "input", "expected_output", "source_output")
"""What is searched, the most telling first."""

VERSION = 1
"""An index of another form is made anew."""

RANKED = 2_000
"""More hits than this are shown newest first: to rank them would read the whole index."""

AT_ONCE = 2_000
Report = Callable[[int, int], None]
"""Is told how many records are indexed, of how many."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for, and where; an empty tuple or None is everywhere."""

    terms: tuple[Term, ...]
    remotes: tuple[str, ...] = ()
    dataset: str | None = None
    kind: KindName | None = None
    deleted: bool = False
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """One record that has all the words, and the first field that shows one."""

    kind: KindName
    key: str
    remote: str
    dataset: str
    field: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Found:
    """The best hits, and how many there are in all."""

    hits: tuple[Hit, ...]
    total: int


def search(path: Path, wanted: Wanted, width: int, report: Report) -> Found:
    """Catch the index up and ask it; where it cannot be written, one is made in memory."""
    with closing(place.connect(path)) as mirror:
        _attach(mirror, path)
        _catch_up(mirror, report)
        numbers, total = _ask(mirror, wanted)
        return Found(tuple(_hits(mirror, numbers, wanted.terms, width)), total)


def index_file(path: Path) -> Path:
    """Return where a mirror's index stands."""
    return path.with_name(f"{path.name}-search")


def _attach(mirror: sqlite3.Connection, path: Path) -> None:
    """Open the index; one that is broken or of another form is made anew."""
    file = index_file(path)
    mirror.execute("PRAGMA temp_store = MEMORY")
    if not place.writable(path):
        _make(mirror, ":memory:")
        return
    try:
        file.touch(mode=0o600)
        mirror.execute("ATTACH ? AS found", (str(file),))
        (version,) = mirror.execute("PRAGMA found.user_version").fetchone()
        mirror.execute("SELECT count(*) FROM found.docs WHERE doc < 0")
        if version == VERSION:
            return
    except sqlite3.DatabaseError:
        pass  # it holds nothing that cannot be made again
    if "found" in {row[1] for row in mirror.execute("PRAGMA database_list")}:
        mirror.execute("DETACH found")
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    _make(mirror, str(file))


def _make(mirror: sqlite3.Connection, name: str) -> None:
    mirror.execute("ATTACH ? AS found", (name,))
    mirror.execute("PRAGMA found.synchronous = OFF")
    mirror.executescript(
        f"""BEGIN;
        CREATE TABLE found.docs (doc INTEGER PRIMARY KEY, kind TEXT, key TEXT, remote TEXT,
          dataset TEXT, deleted INTEGER, touched INTEGER);
        CREATE UNIQUE INDEX found.docs_by_key ON docs (kind, key);
        CREATE INDEX found.docs_touched ON docs (kind, key) WHERE touched;
        CREATE TABLE found.state (one INTEGER PRIMARY KEY, run INTEGER, started TEXT, last INTEGER);
        INSERT INTO found.state VALUES (1, NULL, NULL, 0);
        CREATE VIRTUAL TABLE found.texts USING fts5 ({", ".join(FIELDS)}, content = '',
          detail = full, tokenize = 'unicode61 remove_diacritics 2');
        PRAGMA found.user_version = {VERSION};
        COMMIT"""
    )


def _catch_up(mirror: sqlite3.Connection, report: Report) -> None:
    """Index what changed since the last search."""
    run, started, last = mirror.execute("SELECT run, started, last FROM found.state").fetchone()
    newest = mirror.execute("SELECT id, started_at FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    known = mirror.execute("SELECT started_at FROM runs WHERE id = ?", (run,)).fetchone()
    stale = run is not None and known != (started,)
    used = mirror.execute("SELECT count(*) FROM found.docs").fetchone()[0] if last else 0
    mirror.execute("PRAGMA found.synchronous = OFF")
    mirror.execute("BEGIN")
    if stale or last - used > max(10_000, used // 4):
        mirror.execute("INSERT INTO found.texts (texts) VALUES ('delete-all')")
        mirror.execute("DELETE FROM found.docs")
        run, last = None, 0
    changed = {kind: _changed(mirror, kind, run, newest) for kind in KINDS.values()}
    total, done = sum(map(len, changed.values())), 0
    for kind, keys in changed.items():
        for at in range(0, len(keys), AT_ONCE):
            chunk = keys[at : at + AT_ONCE]
            last = _index(mirror, kind, chunk, last)
            done += len(chunk)
            report(done, total)
    if total or newest != (run, started):
        mirror.execute(
            "UPDATE found.state SET run = ?, started = ?, last = ?",
            (*(newest or (None,) * 2), last),
        )
    mirror.execute("COMMIT")


def _changed(
    mirror: sqlite3.Connection, kind: Kind, run: int | None, newest: tuple[int, str] | None
) -> list[str]:
    """Name the records that may have changed, oldest first; those with no number are new."""
    if run is None:
        every = mirror.execute(f"SELECT key FROM {kind.table} ORDER BY created_at")
        return [key for (key,) in every]
    touched = mirror.execute(
        f"SELECT key FROM {kind.table}_pending UNION SELECT key FROM {kind.table} WHERE id IS NULL"
        f" UNION SELECT key FROM found.docs WHERE touched AND kind = '{kind.name}'"
    )
    keys = {key for (key,) in touched}
    if newest and newest[0] != run:
        since = mirror.execute(f"SELECT key FROM {kind.table} WHERE run >= ?", (run,))
        keys.update(key for (key,) in since)
    return sorted(keys)


def _index(mirror: sqlite3.Connection, kind: Kind, keys: Sequence[str], last: int) -> int:
    """Give records new numbers, and index them; return the last number."""
    named = json.dumps(keys)
    mirror.execute(
        "DELETE FROM found.docs WHERE kind = ? AND key IN (SELECT value FROM json_each(?))",
        (kind.name, named),
    )
    parent = "dataset" if kind.name == "item" else "key"
    columns = ", ".join(name if name in kind.by_name else "NULL" for name in FIELDS)
    rows = mirror.execute(
        f"SELECT key, remote, {parent}, coalesce(deleted, 0), id IS NULL OR key IN"
        f" (SELECT key FROM {kind.table}_pending), {columns} FROM {kind.table}"
        " WHERE key IN (SELECT value FROM json_each(?)) ORDER BY created_at",
        (named,),
    ).fetchall()
    docs, texts = [], []
    for number, (key, remote, dataset, deleted, touched, *values) in enumerate(rows, last + 1):
        docs.append((number, kind.name, key, remote, dataset, deleted, touched))
        texts.append(
            (number, *(indexed(_text(kind, n, v)) for n, v in zip(FIELDS, values, strict=True)))
        )
    mirror.executemany("INSERT INTO found.docs VALUES (?, ?, ?, ?, ?, ?, ?)", docs)
    marks = ", ".join("?" * (len(FIELDS) + 1))
    mirror.executemany(
        f"INSERT INTO found.texts (rowid, {', '.join(FIELDS)}) VALUES ({marks})", texts
    )
    return last + len(rows)


def _text(kind: Kind, name: str, value: Stored) -> str:
    field = kind.by_name.get(name)
    if field is None or value is None:
        return ""
    return readable(value) if field.type == "json" else str(value)


def expression(terms: Sequence[Term]) -> str:
    """Write a query as FTS5 reads it; every word is quoted, so none is an operator."""
    return " ".join(f'"{" ".join(t.words)}"{" *" if t.prefix else ""}' for t in terms)


def _ask(mirror: sqlite3.Connection, wanted: Wanted) -> tuple[list[tuple[str, str]], int]:
    conditions, arguments = ["texts MATCH ?"], [expression(wanted.terms)]
    if not wanted.deleted:
        conditions.append("NOT d.deleted")
    for column, value in (("dataset", wanted.dataset), ("kind", wanted.kind)):
        if value is not None:
            conditions.append(f"d.{column} = ?")
            arguments.append(value)
    if wanted.remotes:
        conditions.append("d.remote IN (SELECT value FROM json_each(?))")
        arguments.append(json.dumps(wanted.remotes))
    matching = (
        "FROM found.texts JOIN found.docs AS d ON d.doc = texts.rowid"
        f" WHERE {' AND '.join(conditions)}"
    )
    (total,) = mirror.execute(f"SELECT count(*) {matching}", arguments).fetchone()
    order = "rank, d.doc DESC" if total <= RANKED else "texts.rowid DESC"
    rows = mirror.execute(
        f"SELECT d.kind, d.key {matching} ORDER BY {order} LIMIT ?", (*arguments, wanted.limit)
    )
    return rows.fetchall(), int(total)


def _hits(
    mirror: sqlite3.Connection,
    numbers: Sequence[tuple[str, str]],
    terms: Sequence[Term],
    width: int,
) -> Iterator[Hit]:
    for name, key in numbers:
        kind = next(kind for kind in KINDS.values() if kind.name == name)
        names = [name for name in FIELDS if name in kind.by_name]
        parent = "dataset" if kind.name == "item" else "key"
        row = mirror.execute(
            f"SELECT remote, coalesce((SELECT name FROM datasets WHERE key = l.{parent}),"
            f" l.{parent}), {', '.join(names)} FROM {kind.table} AS l WHERE key = ?",
            (key,),
        ).fetchone()
        if row is not None:
            remote, dataset, *values = row
            texts = [(n, _text(kind, n, v)) for n, v in zip(names, values, strict=True)]
            shown = [(n, *snippet(text, terms, width)) for n, text in texts]
            field, text, _ = max(shown, key=lambda each: min(each[2], 1))
            yield Hit(kind.name, key, remote, str(dataset), field, text)
