"""A server's clock, read from its answers."""

from datetime import UTC, datetime, timedelta

import pytest

from dssync.net.dates import Dated, ServerClock, read_date
from dssync.net.transport import Answer, Request
from tests.clock import FakeClock

DATE = {"date": "Mon, 23 Nov 2026 09:30:00 GMT"}
THEN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


class Answering:
    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers

    def send(self, request: Request) -> Answer:
        return Answer(200, self.headers)

    def close(self) -> None:
        self.headers = {}


class Suspended(FakeClock):
    """A machine whose counter stands still while it sleeps, and whose wall clock does not."""

    asleep = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.asleep)


def test_every_answer_sets_the_clock_and_our_counter_moves_it_on() -> None:
    clock = FakeClock()
    server = ServerClock(clock)
    assert server.now() is None
    Dated(Answering(DATE), server).send(Request("GET", "/"))
    assert server.now() == THEN
    clock.advance(90)
    assert server.now() == THEN + timedelta(seconds=90)
    Dated(Answering({}), server).send(Request("GET", "/"))
    assert server.now() == THEN + timedelta(seconds=90)


@pytest.mark.parametrize("text", [None, "", "yesterday", "Mon, 99 Nov 2026"])
def test_what_is_no_date_tells_nothing(text: str | None) -> None:
    assert read_date(text) is None
    server = ServerClock(FakeClock())
    server.note({"date": text} if text is not None else {})
    assert server.now() is None
    assert server.doubtful


@pytest.mark.parametrize(("asleep", "doubtful"), [(0, False), (4, False), (6, True), (-3600, True)])
def test_a_sleep_or_a_clock_that_was_set_is_noticed(asleep: float, doubtful: bool) -> None:
    clock = Suspended()
    server = ServerClock(clock)
    server.note(DATE)
    clock.advance(500)
    assert not server.doubtful
    clock.asleep = asleep
    assert server.doubtful == doubtful


def test_closing_goes_through() -> None:
    inner = Answering(DATE)
    Dated(inner, ServerClock(FakeClock())).close()
    assert inner.headers == {}
