"""Time as a seam: what waits or stamps is handed a clock, so tests can hand it theirs."""

import time
from datetime import UTC, datetime
from threading import Event
from typing import Protocol


class Clock(Protocol):
    """Wall time, a steady counter, and waiting."""

    def now(self) -> datetime:
        """Return the wall time, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a counter that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that long, or until `wake`."""
        ...

    def wake(self) -> None:
        """End every wait, now and from now on."""
        ...


class SystemClock:
    """The machine's own clock."""

    def __init__(self) -> None:
        self._woken = Event()

    def now(self) -> datetime:
        """Return the wall time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds of a counter that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait that long, or until `wake`."""
        self._woken.wait(seconds)

    def wake(self) -> None:
        """End every wait, now and from now on."""
        self._woken.set()


def stamp(moment: datetime) -> str:
    """Write a UTC moment as RFC 3339 with microseconds, sortable as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
