"""A sandbox, its clock, and a bare HTTP client on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from dssync.sandbox import Sandbox


@dataclass
class SandboxClock:
    """Stands still until told."""

    moment: datetime = field(default=datetime(2026, 11, 23, 18, 13, 50, 347800, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.moment

    def step(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
def step(clock: SandboxClock) -> Callable[[float], None]:
    """Return what moves the sandbox's clock on by some seconds."""
    return clock.step


@pytest.fixture
def sandbox(clock: SandboxClock) -> Sandbox:
    return Sandbox(now=clock, limits=())


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(
        transport=httpx.WSGITransport(app=sandbox),
        base_url="http://sandbox.test",
        headers={"Authorization": "Bearer phx_sandbox"},
    ) as client:
        yield client


@pytest.fixture
def dataset(http: httpx.Client) -> str:
    """Return the id of a dataset named "one"."""
    answer = http.post("/api/environments/1/datasets/", json={"name": "one"})
    assert answer.status_code == 201
    return str(answer.json()["id"])


@pytest.fixture
def item(http: httpx.Client, dataset: str) -> str:
    """Return the id of an item of that dataset."""
    body = {"dataset": dataset, "input": "question", "output": "answer"}
    answer = http.post("/api/environments/1/dataset_items/", json=body)
    assert answer.status_code == 201
    return str(answer.json()["id"])
