"""What time it is on a server, by the Date of its own answers."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from dssync.clock import Clock
from dssync.net.transport import Answer, Request, Transport

DRIFT = timedelta(seconds=5)
"""How far our own two clocks may part; more means that the machine slept, or a clock was set."""


def read_date(text: str | None) -> datetime | None:
    """Read an HTTP date; None for what is none."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class ServerClock:
    """The server's clock: the last Date it sent, and what our own counter counted since.

    It is late by up to a second, which is what a Date tells, and by the answer's way here.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[datetime, float, datetime] | None = None

    def note(self, headers: Mapping[str, str]) -> None:
        """Learn from an answer."""
        date = read_date(headers.get("date"))
        if date is not None:
            with self._lock:
                self._seen = date, self._clock.monotonic(), self._clock.now()

    def now(self) -> datetime | None:
        """Return the time there; None while no answer had a Date."""
        with self._lock:
            if self._seen is None:
                return None
            date, counter, _ = self._seen
        return date + timedelta(seconds=self._clock.monotonic() - counter)

    @property
    def doubtful(self) -> bool:
        """Tell whether our counter may have stood still since the last answer."""
        with self._lock:
            if self._seen is None:
                return True
            _, counter, wall = self._seen
        counted = timedelta(seconds=self._clock.monotonic() - counter)
        return abs(self._clock.now() - wall - counted) > DRIFT


class Dated:
    """Wrap a transport: every answer sets a server's clock."""

    def __init__(self, transport: Transport, server: ServerClock) -> None:
        self._transport = transport
        self._server = server

    def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status."""
        answer = self._transport.send(request)
        self._server.note(answer.headers)
        return answer

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()
