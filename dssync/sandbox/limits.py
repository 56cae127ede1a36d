"""The rate limits: sliding windows per key, over all projects and endpoints."""

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dssync.sandbox.errors import throttled


@dataclass(frozen=True, slots=True)
class Window:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: int


POSTHOG_LIMITS = (Window(480, 60), Window(4800, 3600))


class Limiter:
    """Counts the calls of each key; `windows` may be changed at any time."""

    def __init__(self, windows: Sequence[Window], now: Callable[[], datetime]) -> None:
        self.windows = tuple(windows)
        self._now = now
        self._calls: dict[tuple[str, Window], deque[float]] = {}
        self._lock = threading.Lock()

    def admit(self, key: str) -> None:
        """Count one call, or raise a 429 with the seconds to wait.

        A call rejected by one window still counts in every window that has room for it.
        """
        moment = self._now().timestamp()
        with self._lock:
            waits = [self._count(key, window, moment) for window in self.windows]
        if any(waits):
            raise throttled(max(waits))

    def _count(self, key: str, window: Window, moment: float) -> int:
        calls = self._calls.setdefault((key, window), deque())
        while calls and calls[0] <= moment - window.seconds:
            calls.popleft()
        if len(calls) < window.calls:
            calls.append(moment)
            return 0
        oldest = calls[0] if calls else moment
        return max(1, math.ceil(window.seconds - (moment - oldest)))
