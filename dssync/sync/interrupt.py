"""Stop on a signal without losing anything: the request in flight ends, and no other begins."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from dssync.clock import Clock
from dssync.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Stop:
    """Whether somebody asked to stop, and by which signal; 0 for nobody."""

    signal: int = 0

    def check(self) -> None:
        """Raise Interrupted once somebody asked."""
        if self.signal:
            raise Interrupted(self.signal)


def nothing() -> None:
    """Take no notice."""


@dataclass(slots=True)
class Departures:
    """Called before each request leaves: no new one does once somebody asked to stop.

    `notice` is told of those that do.
    """

    stop: Stop
    notice: Callable[[], None] = nothing

    def __call__(self) -> None:
        """Hold the request back, or tell of it. Raises Interrupted."""
        self.stop.check()
        self.notice()

    @contextmanager
    def noticed(self, notice: Callable[[], None]) -> Iterator[None]:
        """Tell of the departures of a block; one thread may do so at a time."""
        self.notice = notice
        try:
            yield
        finally:
            self.notice = nothing


@contextmanager
def listening(stop: Stop, clock: Clock) -> Iterator[None]:
    """Note the first SIGINT or SIGTERM and end every wait; a second one acts as it always does.

    Only the main thread can listen; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        restore()
        clock.wake()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield
    finally:
        restore()
