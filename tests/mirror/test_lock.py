"""One run at a time: a lock that dies with its process, and a note of who holds it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dssync.errors import Locked
from dssync.mirror import lock
from tests.clock import FakeClock

HOLDER = """
import sys, pathlib
from dssync.clock import SystemClock
from dssync.mirror import lock
with lock.hold(pathlib.Path(sys.argv[1]), "pull --remote main", SystemClock()):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(mirror: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Hold the lock in another process."""
    command = [sys.executable, "-c", HOLDER, str(mirror)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        try:
            yield child
        finally:
            child.kill()


def held(mirror: Path, wait: float = 0) -> bool:
    """Try to hold the lock in this process."""
    try:
        with lock.hold(mirror, "push", FakeClock(), wait=wait):
            return True
    except Locked:
        return False


def test_a_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror.db"
    with another_process(mirror) as child:
        with pytest.raises(Locked) as refused, lock.hold(mirror, "push", FakeClock()):
            pass
        assert refused.value.exit_code == 11
        sentence = refused.value.message
        assert sentence.startswith("mirror.db is in use by `dssync pull --remote main` (pid ")
        assert f"(pid {child.pid} on " in sentence
        assert "--wait 10m" in refused.value.hint


def test_it_dies_with_its_process(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror.db"
    with another_process(mirror) as child:
        assert not held(mirror)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert (tmp_path / "mirror.db.lock.json").exists()
        assert held(mirror)
    assert not (tmp_path / "mirror.db.lock.json").exists()


def test_waiting_ends_when_the_holder_does(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror.db"
    with another_process(mirror) as child:
        assert not held(mirror, wait=0.1)
        assert child.stdin is not None
        child.stdin.close()
        assert held(mirror, wait=10)


def test_the_note_says_what_runs_since_when(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror.db"
    note = tmp_path / "mirror.db.lock.json"
    with lock.hold(mirror, "push", FakeClock()):
        said = json.loads(note.read_text())
        assert (said["command"], said["pid"]) == ("push", os.getpid())
        assert said["since"] == "2026-11-23T18:00:00.000000Z"
    assert not note.exists()
    assert held(mirror)


@pytest.mark.parametrize("note", ["", "{", "[]", "{}"])
def test_an_unreadable_note_changes_nothing_but_the_sentence(tmp_path: Path, note: str) -> None:
    mirror = tmp_path / "mirror.db"
    with lock.hold(mirror, "push", FakeClock()):
        (tmp_path / "mirror.db.lock.json").write_text(note)
        with (
            pytest.raises(Locked, match=r"mirror.db is in use by another dssync run"),
            lock.hold(mirror, "pull", FakeClock()),
        ):
            pass


def test_an_error_inside_lets_go(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror.db"
    with pytest.raises(LookupError), lock.hold(mirror, "push", FakeClock()):
        raise LookupError
    assert held(mirror)


def test_two_mirrors_are_held_apart(tmp_path: Path) -> None:
    with lock.hold(tmp_path / "a.db", "push", FakeClock()):
        assert held(tmp_path / "b.db")
