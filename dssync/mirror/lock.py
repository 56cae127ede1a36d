"""One run at a time per mirror: a lock that dies with its process, and a note of who holds it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from dssync.clock import Clock, stamp
from dssync.errors import Locked
from dssync.mirror import place


@contextmanager
def hold(mirror: Path, command: str, clock: Clock, *, wait: float = 0) -> Iterator[None]:
    """Hold the mirror for one run, waiting up to `wait` seconds. Raises Locked, Refused."""
    if not place.writable(mirror):
        raise place.no_room(mirror)
    lock = FileLock(f"{mirror}.lock", mode=0o600)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise Locked(
            f"{mirror.name} is in use by {_holder(mirror)}",
            hint="wait for it to end, or add --wait 10m",
        ) from None
    note = _note_path(mirror)
    try:
        note.write_text(
            json.dumps(
                {
                    "command": command,
                    "pid": os.getpid(),
                    "host": socket.gethostname(),
                    "since": stamp(clock.now()),
                }
            )
        )
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _note_path(mirror: Path) -> Path:
    return mirror.with_name(f"{mirror.name}.lock.json")


def _holder(mirror: Path) -> str:
    # the note is for people; the lock decides
    with suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads(_note_path(mirror).read_text())
        who = f"pid {note['pid']} on {note['host']}, since {note['since']}"
        return f"`dssync {note['command']}` ({who})"
    return "another dssync run"
