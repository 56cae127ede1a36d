"""When a key's last requests left, kept where every run of this user can see it.

One small file for each key and host: 8-byte floats, first the end of the pause, then the times.
It is named by a hash, so it gives away neither. A file that is damaged counts as empty; where none
can be kept, the memory of this process has to do. Neither stops a run.
"""

import os
import threading
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from io import FileIO
from math import isnan
from pathlib import Path
from typing import TypeVar

import platformdirs
from filelock import FileLock

from dssync.net.budget import Usage
from dssync.net.secret import Secret
from dssync.net.transport import origin

T = TypeVar("T")

LOCK_SECONDS = 1.0
"""Others hold the lock for a fraction of a millisecond; who holds it longer was stopped."""


def state_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Return where the files are: DSSYNC_STATE_DIR, else the user's own state directory."""
    named = env.get("DSSYNC_STATE_DIR")
    return Path(named).absolute() if named else platformdirs.user_state_path("dssync")


class Ledger:
    """One key's usage; any number of threads and processes may edit it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._alone = threading.Lock()
        self._lock = FileLock(f"{path}.lock", LOCK_SECONDS, mode=0o600, poll_interval=0.005)
        self._usage = Usage()
        # a relative one is a home directory that nobody could find
        self._on_disk = path.is_absolute()

    def edit(self, change: Callable[[Usage], tuple[Usage, T]]) -> T:
        """Keep the usage that `change` makes of the present one, and return its result.

        Nobody else edits meanwhile; `change` must be quick.
        """
        with self._alone, self._locked(), self._opened() as file:
            self._load(file)
            self._usage, result = change(self._usage)
            self._save(file)
            return result

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._on_disk:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock.acquire()
            except (OSError, NotImplementedError):  # the latter: a file system without locks
                self._on_disk = False
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def _opened(self) -> Iterator[FileIO | None]:
        if self._on_disk:
            try:
                file = FileIO(self._path, "r+", opener=_private)
            except OSError:
                self._on_disk = False
            else:
                with file:
                    yield file
                return
        yield None

    def _load(self, file: FileIO | None) -> None:
        if file:
            try:
                self._usage = _decode(file.readall())
            except OSError:
                self._on_disk = False

    def _save(self, file: FileIO | None) -> None:
        if file:
            data = _encode(self._usage)
            try:
                file.seek(0)
                file.write(data)
                file.truncate(len(data))
            except OSError:
                self._on_disk = False


@cache
def _ledger(path: Path) -> Ledger:
    return Ledger(path)


def open_ledger(host: str, key: Secret, folder: Path) -> Ledger:
    """Return the one ledger of a key at a host. Raises ConfigError for a bad host."""
    url = origin(host)
    whose = f"{url.scheme}://{url.netloc.decode()} {key.reveal()}"
    name = blake2b(whose.encode(), digest_size=16).hexdigest()
    return _ledger(folder / f"{name}.budget")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o600)


def _encode(usage: Usage) -> bytes:
    return array("d", (usage.pause_until, *usage.times)).tobytes()


def _decode(data: bytes) -> Usage:
    numbers = array("d")
    if not data or len(data) % numbers.itemsize:
        return Usage()
    numbers.frombytes(data)
    if isnan(sum(numbers)):
        return Usage()
    return Usage(numbers[0], tuple(numbers[1:]))
