"""A server, a mirror of it, and everybody who changes either: what these tests are made of."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from dssync.config import KeySource, Remote
from dssync.core.brakes import Limit
from dssync.core.fields import KINDS, KindName
from dssync.core.plan import Plan
from dssync.core.receipt import Receipt
from dssync.events import Report, ignore
from dssync.mirror import Mirror
from dssync.net.transport import Network
from dssync.posthog import Pace
from dssync.sandbox import SANDBOX_KEY, Entry, Sandbox
from dssync.sync import Prepared, Session, apply_push, make_plan, prepare_push, pull
from tests.clock import FakeClock

PROD = Remote("prod", "https://posthog.test", "environment", "1", KeySource("key_env", "PROD_KEY"))

Row = tuple[Any, ...]
Meddle = Callable[[httpx.Request], object]


class Meddler(httpx.BaseTransport):
    """Let somebody act just before a request arrives, or just after its effect."""

    def __init__(
        self, inner: httpx.BaseTransport, before: Meddle | None = None, after: Meddle | None = None
    ) -> None:
        self._inner, self._before, self._after = inner, before, after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if self._before:
            self._before(request)
        response = self._inner.handle_request(request)
        if self._after:
            self._after(request)
        return response

    def close(self) -> None:
        self._inner.close()


@dataclass
class World:
    """One remote (more where a test names them), one mirror of it, one clock for all."""

    sandbox: Sandbox
    clock: FakeClock
    mirror: Mirror
    remotes: list[Remote] = field(default_factory=lambda: [PROD])
    env: dict[str, str] = field(default_factory=lambda: {"PROD_KEY": SANDBOX_KEY})
    network: Callable[[Remote], Network | None] | None = None
    report: Report = ignore
    page: int | None = None
    ahead: int = 4

    @property
    def session(self) -> Session:
        return Session(
            clock=self.clock,
            env=self.env,
            report=self.report,
            network=self.network or (lambda remote: httpx.WSGITransport(app=self.sandbox)),
            pace=Pace(folder=self.mirror.path.with_suffix(".state")),
            page=self.page,
            ahead=self.ahead,
        )

    def meddle(self, before: Meddle | None = None, after: Meddle | None = None) -> None:
        """Let somebody act around every request from now on."""
        inner = httpx.WSGITransport(app=self.sandbox)
        self.network = lambda remote: Meddler(inner, before, after)

    # What dssync does.

    def pull(self, *, limit: Limit | None = None) -> Receipt:
        return pull(self.mirror, self.remotes, self.session, limit=limit)

    def plan(self) -> Plan:
        return make_plan(self.mirror)

    def nothing_planned(self) -> bool:
        plan = self.plan()
        return not plan.changes and not plan.conflicts

    def prepare(self, *, plan: Plan | None = None, limit: Limit | None = None) -> Prepared:
        return prepare_push(self.mirror, self.remotes, self.session, plan=plan, limit=limit)

    def apply(self, prepared: Prepared) -> Receipt:
        receipt = apply_push(self.mirror, prepared, self.remotes, self.session)
        assert receipt.balanced
        return receipt

    def push(self) -> Receipt:
        return self.apply(self.prepare())

    def another_mirror(self, path: Path) -> "World":
        """Return the same server with a second mirror, as a colleague has one."""
        return replace(self, mirror=Mirror.open(path, create=True))

    # What people do to the mirror, with any SQLite tool.

    def sql(self, statement: str, *arguments: object) -> list[Row]:
        return sql(self.mirror.path, statement, *arguments)

    def set(self, kind: KindName, key: str, **values: object) -> None:
        """Edit a record by plain SQL."""
        setters = ", ".join(f"{name} = ?" for name in values)
        self.sql(f"UPDATE {KINDS[kind].table} SET {setters} WHERE key = ?", *values.values(), key)

    def ours(self, kind: KindName, key: str, column: str) -> Any:
        [(value,)] = self.sql(f"SELECT {column} FROM {KINDS[kind].table} WHERE key = ?", key)
        return value

    def dump(self, without: Sequence[str] = ()) -> dict[str, list[Row]]:
        return dump(self.mirror.path, without)

    # What the server holds and was asked.

    def raw(self, kind: KindName, id: str) -> dict[str, str]:
        """Return each field of a row as the JSON text that the server shows."""
        text = self.sandbox.state.shown(self.sandbox.state.row(kind, id))
        return slices(text)

    def bodies(self, method: str = "PATCH") -> dict[str, str]:
        """Return the literal bodies that were sent, by the last part of their path."""
        return {
            entry.path.rstrip("/").rsplit("/", 1)[-1]: entry.body.decode()
            for entry in self.asked(method)
        }

    def asked(self, method: str) -> list[Entry]:
        return [entry for entry in self.sandbox.log if entry.method == method]

    @contextmanager
    def watched(self) -> Iterator[list[Entry]]:
        """Collect the requests of a block."""
        before = len(self.sandbox.log)
        seen: list[Entry] = []
        yield seen
        seen += self.sandbox.log[before:]


def sql(path: Path, statement: str, *arguments: object) -> list[Row]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement, arguments).fetchall()


def dump(path: Path, without: Sequence[str] = ()) -> dict[str, list[Row]]:
    """Return every row of every table, but for some tables."""
    with closing(sqlite3.connect(path)) as connection:
        names = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall()
            for name in names
            if name not in without
        }


def slices(text: str) -> dict[str, str]:
    """Cut a JSON object into the texts of its fields, each as it was written."""
    decoder, found, at = json.JSONDecoder(), {}, 1
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        start = at + 1
        _, at = decoder.raw_decode(text, start)
        found[name] = text[start:at]
        at += text[at] == ","
    return found
