"""A push in a process of its own, stopped by a signal while a request is under way."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from dssync.sandbox import SANDBOX_KEY, Fault, Sandbox, serve

DSSYNC = [sys.executable, "-m", "dssync"]


def dssync(folder: Path, url: str, *words: str) -> "subprocess.Popen[bytes]":
    env = {
        **{name: value for name, value in os.environ.items() if "POSTHOG" not in name},
        "POSTHOG_HOST": url,
        "POSTHOG_PERSONAL_API_KEY": SANDBOX_KEY,
        "POSTHOG_ENVIRONMENT_ID": "1",
    }
    return subprocess.Popen([*DSSYNC, "-C", str(folder), *words], env=env)


def rows(folder: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


@pytest.mark.parametrize(
    ("sent", "exit_code", "method"),
    [(signal.SIGINT, 130, "POST"), (signal.SIGTERM, 143, "PATCH")],
    ids=["SIGINT", "SIGTERM"],
)
def test_the_request_under_way_ends_and_everything_is_kept(
    tmp_path: Path, sent: signal.Signals, exit_code: int, method: str
) -> None:
    sandbox = Sandbox(limits=())
    for n in range(3):
        sandbox.state.insert("dataset", name=f"{n}")
    with serve(sandbox) as url:
        assert dssync(tmp_path, url, "pull").wait(60) == 0
        rows(tmp_path, "UPDATE datasets SET description = 'new'")
        rows(tmp_path, "INSERT INTO datasets (name) VALUES ('first'), ('second')")
        sandbox.faults.add(Fault("hang_after", 1.5, method=method, nth=2))
        push = dssync(tmp_path, url, "push", "-y")
        written = {"POST": 2, "PATCH": 4}[method]
        while (there := effects(sandbox)) < written:
            assert push.poll() is None, there
            time.sleep(0.01)
        push.send_signal(sent)
        assert push.wait(60) == exit_code
        assert effects(sandbox) == written
        kept = rows(tmp_path, "SELECT outcome, count(*) FROM receipts GROUP BY 1 ORDER BY 1")
        assert kept == [("applied", written), ("skipped", 5 - written)]
        assert not rows(tmp_path, "SELECT * FROM journal WHERE closed_at IS NULL")
        [(run, ended)] = rows(tmp_path, "SELECT exit_code, ended_at FROM runs WHERE command='push'")
        assert (run, ended is not None) == (exit_code, True)

        assert dssync(tmp_path, url, "push", "-y").wait(60) == 0
        assert effects(sandbox) == 5
        assert len(sandbox.state.rows("dataset")) == 5


def effects(sandbox: Sandbox) -> int:
    """Count what the pushes have done by now."""
    live = sandbox.state.rows("dataset")
    return sum(row["description"] == "new" or row["name"] in ("first", "second") for row in live)
