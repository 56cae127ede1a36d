"""Mirrors in real files, each a copy of one that was made once."""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dssync.clock import stamp
from dssync.core.fields import KINDS, KindName, Stored
from dssync.core.merge import Conflict
from dssync.core.records import Reading
from dssync.mirror import KnownRemote, Mirror, remotes, runs, theirs
from dssync.mirror.incoming import Inbox
from tests.clock import BEGIN, FakeClock
from tests.mirror.served import D1, D2, I1, I2, I3, dataset, item

MAIN = KnownRemote("main", "https://us.posthog.com", "environment", "1", "classic", 1)
OTHER = KnownRemote("other", "https://eu.posthog.com", "project", "2", "classic", 2)
NEWER = KnownRemote("newer", "https://posthog.example", "project", "3", "versioned", 3)

NOW = stamp(BEGIN)
RUN_TABLES = {"runs", "scans", "receipts"}

Row = dict[str, Any]


@dataclass
class Home:
    """A mirror as the program has it, and the same file as a person has it."""

    mirror: Mirror
    sql: sqlite3.Connection
    clock: FakeClock

    def meet(self, *known: KnownRemote) -> None:
        """Let the mirror meet remotes."""
        with self.mirror.database.unit(0) as tx:
            for remote in known:
                remotes.meet(tx, remote, 1)

    def run(self, command: str = "pull") -> int:
        """Begin a run."""
        with self.mirror.database.unit(0) as tx:
            return runs.start(tx, command, self.clock, "1.0")

    def scan(self, kind: KindName, *shown: Reading, remote: str = "main") -> Inbox:
        """Store a scan in a run of its own, without drawing conclusions."""
        run = self.run()
        inbox = Inbox(remote, kind, run, NOW)
        with self.mirror.database.unit(run) as tx:
            inbox.store(tx, shown)
        return inbox

    def gone(self, kind: KindName, *keys: str) -> int:
        """Conclude in a run of its own that the server no longer shows these records."""
        run = self.run()
        with self.mirror.database.unit(run) as tx:
            theirs.tombstone(tx, kind, keys, run, NOW)
        return run

    def look(
        self, kind: KindName, key: str, sent: Mapping[str, Stored], seen: Reading | None
    ) -> tuple[Conflict, ...]:
        """Look after a push of `sent`, in a run of its own."""
        run = self.run("push")
        with self.mirror.database.unit(run) as tx:
            return Inbox("main", kind, run, NOW).look_after(tx, key, sent, seen).conflicts

    def adopt(self, kind: KindName, key: str, sent: Mapping[str, Stored], reading: Reading) -> None:
        """Take what a create was answered, in a run of its own."""
        run = self.run("push")
        with self.mirror.database.unit(run) as tx:
            Inbox("main", kind, run, NOW).adopt(tx, key, sent, reading)

    def row(self, kind: KindName, key: str) -> Row:
        """Return a record's row as SQL shows it."""
        (found,) = self.rows(f"SELECT * FROM {KINDS[kind].table} WHERE key = ?", key)
        return found

    def pending(self, kind: KindName, key: str) -> dict[str, Row]:
        """Return base and theirs of a touched record, by side."""
        found = self.rows(f"SELECT * FROM {KINDS[kind].table}_pending WHERE key = ?", key)
        return {row["side"]: row for row in found}

    def history(self, kind: KindName, key: str) -> list[Row]:
        """Return what theirs was before, oldest first, without its seal."""
        table = f"{KINDS[kind].table}_history"
        rows = self.rows(f"SELECT * FROM {table} WHERE key = ? ORDER BY until_run", key)
        return [{name: value for name, value in row.items() if name != "seal"} for row in rows]

    def rows(self, query: str, *arguments: object) -> list[Row]:
        """Ask SQL."""
        cursor = self.sql.execute(query, arguments)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Return the content of every table but those that tell of runs."""
        tables = self.sql.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: sorted(self.sql.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for (name,) in tables
            if name not in RUN_TABLES and not name.startswith("sqlite_")
        }


@pytest.fixture(scope="session")
def empty_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror that has met nobody."""
    path = tmp_path_factory.mktemp("empty") / "mirror.db"
    Mirror.open(path, create=True).close()
    return path


@pytest.fixture(scope="session")
def template(empty_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of one remote with two datasets and three items."""
    path = tmp_path_factory.mktemp("template") / "mirror.db"
    shutil.copy(empty_template, path)
    with at_home(path) as home:
        home.meet(MAIN)
        home.scan("dataset", dataset(D1), dataset(D2, "Billing", metadata={"a": 1}))
        home.scan("item", item(I1, input="q"), item(I2, metadata={"split": "test"}), item(I3, D2))
        home.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@contextmanager
def at_home(path: Path) -> Iterator[Home]:
    """Open a file from both sides."""
    with Mirror.open(path) as mirror, closing(sqlite3.connect(path, isolation_level=None)) as sql:
        yield Home(mirror, sql, FakeClock())


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Iterator[Home]:
    path = tmp_path / "mirror.db"
    shutil.copy(template, path)
    with at_home(path) as opened:
        yield opened


@pytest.fixture
def nobody(empty_template: Path, tmp_path: Path) -> Iterator[Home]:
    """A mirror that has met no remote yet."""
    path = tmp_path / "mirror.db"
    shutil.copy(empty_template, path)
    with at_home(path) as opened:
        yield opened


@pytest.fixture
def sql(home: Home) -> sqlite3.Connection:
    """The file as a person has it, in autocommit."""
    return home.sql
