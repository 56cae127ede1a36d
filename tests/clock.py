"""A clock that moves only when somebody waits."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@dataclass
class FakeClock:
    """`sleep` moves the time on and waits for nothing; `slept` holds what was waited for."""

    begin: datetime = BEGIN
    slept: list[float] = field(default_factory=list)
    seconds: float = 0.0
    woken: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def now(self) -> datetime:
        return self.begin + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.seconds += seconds

    def wake(self) -> None:
        self.woken = True

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody waiting for it."""
        with self._lock:
            self.seconds += seconds
