"""Keep below the key's rate limit; when a 429 comes all the same, everybody waits."""

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from dssync.clock import Clock
from dssync.errors import Throttled
from dssync.events import Report, Waiting, ignore
from dssync.net.budget import LIMITS, LONGEST, Limits, Usage, estimate, settled, wait_for
from dssync.net.ledger import Ledger
from dssync.net.retry import retry_after
from dssync.net.transport import Answer, Request, Transport

UNASKED_PAUSE = 10.0
"""Seconds, after a 429 that names none: some proxy's own."""

WORTH_TELLING = 1.0
"""Seconds; shorter waits are not reported."""

REASON = "the key's budget of requests is used up"


class Budget:
    """What one key may still send, whoever uses it."""

    def __init__(self, ledger: Ledger, clock: Clock, limits: Limits = LIMITS) -> None:
        self._ledger = ledger
        self._clock = clock
        self._limits = limits

    def take(self) -> float:
        """Take one request and return 0; else take none and return the seconds until one may."""
        return self._ledger.edit(self._take)

    def pause(self, seconds: float) -> None:
        """Let nobody send for that long, an hour at most."""
        self._ledger.edit(lambda usage: (self._paused(usage, min(seconds, LONGEST)), None))

    def estimate(self, requests: int) -> float:
        """Return the seconds that so many more requests must wait in all, if nobody else sends."""
        return self._ledger.edit(lambda usage: (usage, self._estimate(usage, requests)))

    def _take(self, usage: Usage) -> tuple[Usage, float]:
        now = self._now()
        usage = settled(usage, now)
        wait = wait_for(usage.times, usage.pause_until, now, self._limits)
        if wait or not self._limits:  # without limits nobody needs to know
            return usage, wait
        return replace(usage, times=(*usage.times, now)), 0.0

    def _paused(self, usage: Usage, seconds: float) -> Usage:
        now = self._now()
        usage = settled(usage, now)
        return replace(usage, pause_until=max(usage.pause_until, now + seconds))

    def _estimate(self, usage: Usage, requests: int) -> float:
        now = self._now()
        usage = settled(usage, now)
        return estimate(requests, usage.times, usage.pause_until, now, self._limits)

    def _now(self) -> float:
        return self._clock.now().timestamp()


class Waits:
    """How long a run has waited for its budgets; all its remotes and threads share one.

    `max_wait` is the most in seconds, None for no bound. Threads that wait side by side count once.
    """

    def __init__(self, max_wait: float | None = None) -> None:
        self._max_wait = max_wait
        self._spent = 0.0
        self._until = -math.inf
        self._lock = threading.Lock()

    def spend(self, now: float, seconds: float) -> float:
        """Count a wait that begins at `now`; return the part that no earlier one covers.

        `now` is a monotonic time. Raises Throttled where that part is more than what is left.
        """
        end = now + seconds
        with self._lock:
            fresh = max(0.0, end - max(now, self._until))
            if self._max_wait is not None and self._spent + fresh > self._max_wait:
                raise _too_long(seconds, self._max_wait - self._spent, self._spent + fresh)
            self._spent += fresh
            self._until = max(self._until, end)
            return fresh


def _too_long(seconds: float, left: float, needed: float) -> Throttled:
    wait = math.ceil(seconds)
    return Throttled(
        f"{REASON}: the next one must wait {wait} s, and --max-wait leaves {math.floor(left)} s",
        hint=f"run the same command again in {wait} s, or with --max-wait {math.ceil(needed)}s",
        perhaps_applied=False,
    )


def go_on() -> None:
    """Hold nothing back."""


class Paced:
    """Wrap a transport: each request waits for its turn, and a 429 makes everybody wait.

    `check` is called before each request leaves, also after a wait; what it raises holds it back.
    """

    def __init__(
        self,
        transport: Transport,
        budget: Budget,
        clock: Clock,
        report: Report = ignore,
        *,
        waits: Waits | None = None,
        check: Callable[[], None] = go_on,
    ) -> None:
        self._transport = transport
        self._budget = budget
        self._clock = clock
        self._report = report
        self._waits = waits or Waits()
        self._check = check

    def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status. Raises Throttled where the wait is too long."""
        self._check()
        while wait := self._budget.take():
            woken = self._wait(wait)
            self._check()
            if woken:
                break
        answer = self._transport.send(request)
        if answer.status == 429:
            self._budget.pause(retry_after(answer) or UNASKED_PAUSE)
        return answer

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def _wait(self, seconds: float) -> bool:
        """Wait, and tell whether the clock was woken: then no later wait would last either."""
        if self._waits.spend(self._clock.monotonic(), seconds) > WORTH_TELLING:
            self._report(Waiting(seconds, REASON))
        before = self._clock.now()
        self._clock.sleep(seconds)
        return self._clock.now() - before < timedelta(seconds=seconds / 2)
