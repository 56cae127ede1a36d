"""A clock that ticks, a scripted transport, and budgets for the tests of pacing."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dssync.net.budget import (
    LIMITS,
    Limits,
    Window,
)
from dssync.net.opening import Pace, open_budget
from dssync.net.pacing import Budget
from dssync.net.secret import Secret
from dssync.net.transport import Answer, Request

HOST = "https://posthog.test"
GET = Request("GET", "/api/projects/1/datasets/", (("limit", "1"),))
OK = Answer(200)


@dataclass
class Ticking:
    """A clock that sleeping moves on; `set_back` moves its wall time alone."""

    slept: float = 0.0
    shift: float = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.slept + self.shift)

    def monotonic(self) -> float:
        return self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def wake(self) -> None:
        raise AssertionError("nobody stops these tests")

    def set_back(self, seconds: float) -> None:
        self.shift -= seconds


@dataclass
class Script:
    """A transport that plays answers in turn, then goes on with 200."""

    answers: list[Answer] = field(default_factory=list)
    sent: int = 0

    def send(self, request: Request) -> Answer:
        self.sent += 1
        return self.answers.pop(0) if self.answers else OK

    def close(self) -> None:
        self.answers.clear()


def a_budget(clock: Ticking, limits: Limits = LIMITS, key: str = "phx_a") -> Budget:
    return open_budget(HOST, Secret(key), clock, Pace(limits))


TWO = Window(2, 60)
TWO = Window(2, 60)
