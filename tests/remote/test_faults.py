"""Connections that break, over a real socket."""

import socket
from collections.abc import Iterator

import pytest

from dssync.clock import Clock
from dssync.errors import DssyncError, ServerTrouble, Unreachable, WrongTarget
from dssync.net.opening import open_transport
from dssync.net.secret import Secret
from dssync.net.transport import HttpTransport, Request
from dssync.posthog import Client
from dssync.sandbox import SANDBOX_KEY, Fault, Sandbox, serve


@pytest.fixture
def bare(sandbox: Sandbox) -> Iterator[Client]:
    """A client that sends nothing again and waits for half a second."""
    with serve(sandbox) as url:
        transport = HttpTransport(url, SANDBOX_KEY, timeout=0.5)
        with Client(url, "", project=1, transport=transport) as client:
            yield client


FAULTS: list[tuple[Fault, type[DssyncError], int]] = [
    # the fault                                            the error      rows it left
    (Fault("drop", method="POST"), Unreachable, 0),
    (Fault("drop_after", method="POST"), Unreachable, 1),
    (Fault("truncate", method="POST"), Unreachable, 1),
    (Fault("truncate", 0, method="POST"), Unreachable, 1),
    (Fault("hang_after", 5, method="POST"), Unreachable, 1),
    (Fault("status", 502, method="POST"), ServerTrouble, 0),
    (Fault("status_after", 500, method="POST"), ServerTrouble, 1),
]


@pytest.mark.parametrize(("fault", "error", "rows"), FAULTS, ids=[f[0].action for f in FAULTS])
def test_a_write_that_breaks_is_in_doubt(
    fault: Fault, error: type[DssyncError], rows: int, bare: Client, sandbox: Sandbox
) -> None:
    sandbox.faults.add(fault)
    with pytest.raises(error) as caught:
        bare.create_dataset("Evals")
    assert isinstance(caught.value, Unreachable | ServerTrouble)
    assert caught.value.perhaps_applied
    assert len(sandbox.state.rows("dataset")) == rows


def test_a_write_with_retries_is_still_sent_once(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.faults.add(Fault("drop_after", method="POST"))
    with serve(sandbox) as url:
        transport = open_transport(url, Secret(SANDBOX_KEY), clock)
        with (
            Client(url, "", project=1, transport=transport) as client,
            pytest.raises(Unreachable),
        ):
            client.create_dataset("Evals")
    assert len(sandbox.state.rows("dataset")) == 1


READS = [
    Fault("drop", method="GET", times=2),
    Fault("truncate", method="GET", times=2),
    Fault("status", 500, method="GET", times=1),
    Fault("status", 503, method="GET", times=2),
    Fault("status", 429, method="GET", times=2, retry_after=3),
]


@pytest.mark.parametrize("fault", READS, ids=[f"{f.action} {f.argument}" for f in READS])
def test_a_read_that_breaks_is_sent_again(fault: Fault, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.state.insert("dataset", name="Evals")
    sandbox.faults.add(fault)
    with serve(sandbox) as url:
        transport = open_transport(url, Secret(SANDBOX_KEY), clock)
        with Client(url, "", project=1, transport=transport) as client:
            assert [d.name for d in client.iter_datasets()] == ["Evals"]
    assert len(sandbox.log) == (fault.times or 0) + 1
    assert clock.monotonic() > 0


def test_nobody_there_means_surely_not_applied() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    transport = HttpTransport(f"http://127.0.0.1:{port}", SANDBOX_KEY)
    with pytest.raises(Unreachable, match="cannot be reached") as caught:
        transport.send(Request("POST", "/api/projects/1/datasets/", body=b"{}"))
    assert not caught.value.perhaps_applied
    transport.close()


PRETENDERS = [
    (Fault("login_page"), "web page"),
    (Fault("redirect", "https://evil.example/login?next=secret"), "redirects to evil.example"),
    (Fault("redirect", "/login"), "another page"),
    (Fault("wrong_shape", {"results": "none"}), "unlike the API"),
    (Fault("wrong_shape", []), "unlike the API"),
    (Fault("wrong_shape", {"count": 1, "results": [{"id": 5}]}), "unlike the API"),
]


@pytest.mark.parametrize(("fault", "words"), PRETENDERS)
def test_what_is_not_the_api_is_the_wrong_target(
    fault: Fault, words: str, bare: Client, sandbox: Sandbox
) -> None:
    sandbox.faults.add(fault)
    with pytest.raises(WrongTarget, match=words) as caught:
        bare.list_datasets()
    assert "secret" not in str(caught.value)
    assert len(sandbox.log) == 1


def test_pages_are_walked_by_offsets_whatever_the_links_say(bare: Client, sandbox: Sandbox) -> None:
    ids = [sandbox.state.insert("dataset", name=f"d{i}") for i in range(5)]
    sandbox.faults.add(Fault("clamp", 2, times=None))
    assert [d.id for d in bare.iter_datasets(page_size=100)] == ids[::-1]
    asked = [entry.query["offset"] for entry in sandbox.log]
    assert asked == ["0", "2", "4"]
