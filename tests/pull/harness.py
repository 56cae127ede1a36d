"""A mirror and a sandbox side by side, in process, with no waiting."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import httpx

from dssync.config import Remote
from dssync.core.fields import KINDS, KindName
from dssync.core.receipt import Receipt
from dssync.core.values import parse
from dssync.mirror import Mirror
from dssync.sandbox import SANDBOX_KEY, ConnectionDropped, Sandbox
from dssync.sync import Session, pull

REMOTE = Remote("here", "http://localhost", "environment", "1")
EPOCH = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class QuickClock:
    """A clock on which waiting takes no time but is counted."""

    moment: datetime = EPOCH
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)

    def wake(self) -> None:
        return None


class InProcess(httpx.WSGITransport):
    """The sandbox as a network; a dropped connection is what httpx makes of one."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except ConnectionDropped as dropped:
            raise httpx.ReadError(str(dropped), request=request) from None


def session(sandbox: Sandbox, *, page: int | None = None, ahead: int = 1) -> Session:
    return Session(
        clock=QuickClock(),
        env={"POSTHOG_PERSONAL_API_KEY": SANDBOX_KEY},
        network=lambda remote: InProcess(app=sandbox),
        ahead=ahead,
        page=page,
    )


@cache
def template() -> Path:
    """An empty mirror, made once: running the revisions is most of what a small test costs."""
    path = Path(tempfile.mkdtemp()) / "template.db"
    Mirror.open(path, create=True).close()
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    return path


@contextmanager
def mirror_in(folder: Path) -> Iterator[Mirror]:
    path = folder / "mirror.db"
    if not path.exists():
        shutil.copy(template(), path)
    with Mirror.open(path) as mirror:
        yield mirror


def pull_all(mirror: Mirror, sandbox: Sandbox, *, page: int = 50, ahead: int = 1) -> Receipt:
    return pull(mirror, [REMOTE], session(sandbox, page=page, ahead=ahead))


WIRE: dict[KindName, dict[str, str]] = {
    "dataset": {"name": "name", "description": "description", "metadata": "metadata"},
    "item": {
        "dataset": "dataset",
        "input": "input",
        "expected_output": "output",
        "metadata": "metadata",
        "trace_id": "ref_trace_id",
        "event_id": "ref_source_id",
        "trace_timestamp": "ref_timestamp",
    },
}


def on_server(sandbox: Sandbox, kind: KindName) -> dict[str, dict[str, object]]:
    """The live rows as the API shows them, under the mirror's names."""
    return {
        row["id"]: {name: row[wire] for name, wire in WIRE[kind].items()}
        for row in sandbox.state.rows(kind)
    }


def in_mirror(mirror: Mirror, kind: KindName) -> dict[str, dict[str, object]]:
    """The live rows of the working copy, JSON parsed."""
    found = {}
    with mirror.database.read() as tx:
        names = ", ".join(WIRE[kind])
        rows = tx.exec_driver_sql(
            f"SELECT id, {names} FROM {KINDS[kind].table} WHERE deleted = 0 AND id IS NOT NULL"
        )
        for id, *values in rows:
            fields = zip(WIRE[kind], values, strict=True)
            found[id] = {name: _value(kind, name, value) for name, value in fields}
    return found


def _value(kind: KindName, name: str, value: object) -> object:
    if KINDS[kind].by_name[name].type == "json" and isinstance(value, str):
        return parse(value)
    return value


def absent(mirror: Mirror, kind: KindName) -> set[str]:
    with mirror.database.read() as tx:
        rows = tx.exec_driver_sql(
            f"SELECT id FROM {KINDS[kind].table} WHERE absent_since IS NOT NULL"
        )
        return {row[0] for row in rows}


def dump(mirror: Mirror, *, without: tuple[str, ...] = ("runs", "scans", "receipts")) -> str:
    """Every table but the named ones, as text."""
    with mirror.database.read() as tx:
        tables = [
            row[0]
            for row in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
            if row[0] not in (*without, "sqlite_sequence")
        ]
        return json.dumps(
            {
                table: sorted(repr(tuple(r)) for r in tx.exec_driver_sql(f"SELECT * FROM {table}"))
                for table in sorted(tables)
            }
        )
