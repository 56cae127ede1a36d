"""A full disk, a locked mirror, a server that dies half-way: what was stored stays."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from dssync.errors import DssyncError
from dssync.mirror import Mirror
from dssync.sandbox import Fault, Sandbox
from tests.pull.harness import absent, in_mirror, mirror_in, on_server, pull_all

ITEMS = 600


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox(limits=())
    dataset = sandbox.state.insert("dataset", name="large")
    for n in range(ITEMS):
        sandbox.state.insert("item", dataset=dataset, input={"text": "x" * 500, "n": n})
    return sandbox


@contextmanager
def no_more_than(pages: int) -> Iterator[None]:
    """Let no connection grow its file beyond that; SQLite then says that the disk is full."""

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "begin", limit)
    try:
        yield
    finally:
        event.remove(Engine, "begin", limit)


def pull_badly(mirror: Mirror, sandbox: Sandbox) -> tuple[int, str, str]:
    """Pull, and tell how it failed, whether the end of the run could be kept or not."""
    try:
        [trouble] = pull_all(mirror, sandbox).troubles
    except DssyncError as error:
        return error.exit_code, error.message, error.hint
    return trouble.exit_code, trouble.message, trouble.hint


def scalar(mirror: Mirror, query: str) -> object:
    with mirror.database.read() as tx:
        return tx.exec_driver_sql(query).scalar()


def check_after(mirror: Mirror, sandbox: Sandbox, kept: int) -> None:
    """What was stored is as the server holds it; nothing is damaged, and one more pull ends it."""
    assert scalar(mirror, "PRAGMA integrity_check") == "ok"
    ours, theirs = in_mirror(mirror, "item"), on_server(sandbox, "item")
    assert kept <= len(ours) < ITEMS
    assert ours.items() <= theirs.items()
    assert not absent(mirror, "item")
    claims = "SELECT count(*) FROM scans WHERE kind = 'item' AND outcome LIKE 'complete%'"
    assert scalar(mirror, claims) == 0
    receipt = pull_all(mirror, sandbox)
    assert receipt.exit_code == 0
    assert receipt.scans[1].unchanged == len(ours)  # those need not be stored again
    assert in_mirror(mirror, "item") == theirs


def test_a_full_disk(sandbox: Sandbox, tmp_path: Path) -> None:
    with mirror_in(tmp_path) as mirror:
        empty = scalar(mirror, "PRAGMA page_count")
        assert isinstance(empty, int)
        with no_more_than(empty + 60):
            code, message, hint = pull_badly(mirror, sandbox)
        assert (code, "cannot grow" in message, "free some space" in hint) == (5, True, True)
    with mirror_in(tmp_path) as mirror:
        check_after(mirror, sandbox, kept=50)


def test_a_mirror_that_another_program_locks(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")

    event.listen(Engine, "begin", impatient)
    try:
        with mirror_in(tmp_path) as mirror:
            with closing(sqlite3.connect(mirror.path, check_same_thread=False)) as other:

                def lock() -> None:
                    stored = "SELECT count(*) FROM items"
                    if not other.in_transaction and other.execute(stored).fetchone()[0] >= 50:
                        other.execute("BEGIN IMMEDIATE")

                sandbox.between_pages(lock)
                code, message, hint = pull_badly(mirror, sandbox)
                sandbox.between_pages(None)
                other.rollback()
            assert (code, "locked by another program" in message) == (11, True)
            assert "close the program" in hint
            check_after(mirror, sandbox, kept=50)
    finally:
        event.remove(Engine, "begin", impatient)


@pytest.mark.parametrize("fault", ["drop", "status"])
def test_a_server_that_dies_half_way(sandbox: Sandbox, tmp_path: Path, fault: str) -> None:
    argument = 503 if fault == "status" else None
    sandbox.faults.add(Fault(fault, argument, path="dataset_items", nth=5, times=None))
    with mirror_in(tmp_path) as mirror:
        assert pull_all(mirror, sandbox).exit_code == 5
        sandbox.faults.clear()
        check_after(mirror, sandbox, kept=100)
