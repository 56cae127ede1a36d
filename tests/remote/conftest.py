from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from dssync.net.opening import open_transport
from dssync.net.secret import Secret
from dssync.net.transport import Transport
from dssync.posthog import Client
from dssync.sandbox import SANDBOX_KEY, Sandbox, serve
from tests.remote.pace import Ticking


@dataclass
class StillClock:
    """A clock that moves only when somebody sleeps."""

    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=sum(self.slept))

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def wake(self) -> None:
        raise AssertionError("nobody stops these tests")


Reach = Callable[..., Transport]


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(limits=())


@pytest.fixture(params=["in process", "socket"])
def reach(
    request: pytest.FixtureRequest, sandbox: Sandbox, clock: StillClock
) -> Iterator[Callable[..., Transport]]:
    """Give transports to the sandbox, by key."""
    opened: list[Transport] = []

    def make(key: str = SANDBOX_KEY, *, host: str, inner: httpx.BaseTransport | None) -> Transport:
        opened.append(open_transport(host, Secret(key), clock, inner=inner))
        return opened[-1]

    if request.param == "socket":
        with serve(sandbox) as url:
            yield lambda key=SANDBOX_KEY: make(key, host=url, inner=None)
            for transport in opened:
                transport.close()
    else:
        inner = httpx.WSGITransport(app=sandbox)
        yield lambda key=SANDBOX_KEY: make(key, host="https://posthog.test", inner=inner)


@pytest.fixture(params=["environment", "project"])
def client(request: pytest.FixtureRequest, reach: Reach) -> Client:
    if request.param == "environment":
        return Client("https://unused.test", "", transport=reach(), environment=1)
    return Client("https://unused.test", "", transport=reach(), project="1")


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()
