"""Moments at which a run can die: before and after each commit and each request."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import Connection, Engine, event


class Seams:
    """Counts the moments between which a run can die, and dies at one of them."""

    def __init__(self, fatal: int | None = None) -> None:
        self.passed = 0
        self.fatal = fatal

    def __call__(self, *_: object) -> None:
        self.passed += 1
        if self.passed == self.fatal:
            self.die()

    def die(self) -> None:
        """Be gone at once, as in a power cut."""
        os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def watching_commits(self) -> Iterator[None]:
        def passing(connection: Connection) -> None:
            self()

        event.listen(Engine, "begin", passing)
        event.listen(Engine, "commit", passing)
        try:
            yield
        finally:
            event.remove(Engine, "begin", passing)
            event.remove(Engine, "commit", passing)


class Watched(httpx.BaseTransport):
    """A network, with a seam before and after every request."""

    def __init__(self, inner: httpx.BaseTransport, seam: Callable[[], None]) -> None:
        self._inner = inner
        self.seam = seam

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seam()
        response = self._inner.handle_request(request)
        response.read()
        self.seam()
        return response

    def close(self) -> None:
        self._inner.close()


def killed_at(path: Path, seams: Seams, run: Callable[[Seams], object]) -> bool:
    """Run in a fork of this warmed process, which dies at the fatal seam; tell whether it did."""
    child = os.fork()
    if child == 0:
        # Locks do not survive a fork, so the child keeps its budget in a folder of its own.
        os.environ["DSSYNC_STATE_DIR"] = f"{path}.state"
        try:
            run(seams)
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    assert os.WEXITSTATUS(status) == 0
    return False
