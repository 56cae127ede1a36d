"""Requests without a usable answer: nothing is lost, nothing is done twice, nothing is guessed."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from dssync.config import Remote
from dssync.net.transport import Network
from dssync.sandbox import Fault, serve
from dssync.sync import read_status
from tests.sync.world import PROD, Meddler, World

NOT_WRITTEN = {
    "type": "server_error",
    "code": "error",
    "detail": "A server error occurred.",
    "attr": None,
}


def real_network(remote: Remote) -> Network | None:
    return None


@pytest.fixture
def socket(world: World) -> Iterator[World]:
    """Put the server on a socket of this machine, where connections can be cut."""
    with serve(world.sandbox) as url:
        world.remotes = [replace(PROD, host=url)]
        world.network = real_network
        yield world


@pytest.fixture
def datasets(socket: World) -> list[str]:
    """Return the keys of three edited datasets, in the order in which they will be sent."""
    for n in range(3):
        socket.sandbox.state.insert("dataset", name=f"{n}")
    socket.pull()
    socket.sql("UPDATE datasets SET description = 'new'")
    return [change.key for change in socket.plan().changes]


def patches(world: World, key: str) -> int:
    return sum(key in entry.path for entry in world.asked("PATCH"))


def open_intents(world: World) -> list[tuple[str, str]]:
    return [(intent.action, intent.key) for intent in read_status(world.mirror).in_doubt]


def check_all_there(world: World, keys: list[str]) -> None:
    for key in keys:
        assert world.raw("dataset", key)["description"] == '"new"'
    assert world.nothing_planned()
    assert open_intents(world) == []
    assert world.pull().exit_code == 0
    assert world.nothing_planned()


COMMITTED = {
    "cut after the commit": Fault("drop_after", method="PATCH", nth=2),
    "500 in HTML after the commit": Fault("status_after", 500, method="PATCH", nth=2),
    "502 after the commit": Fault("status_after", 502, method="PATCH", nth=2),
    "an answer cut short": Fault("truncate", method="PATCH", nth=2),
}
NOT_COMMITTED = {
    "cut before the commit": Fault("drop", method="PATCH", nth=2),
    "500 in HTML, nothing written": Fault("status", 500, method="PATCH", nth=2),
    "502, nothing written": Fault("status", 502, method="PATCH", nth=2),
}


@pytest.mark.parametrize("name", COMMITTED)
def test_an_update_that_was_done_is_read_and_not_sent_again(
    socket: World, datasets: list[str], name: str
) -> None:
    socket.sandbox.faults.add(COMMITTED[name])
    receipt = socket.push()
    assert receipt.exit_code == 0
    assert [entry.outcome for entry in receipt.entries] == ["applied"] * 3
    assert [patches(socket, key) for key in datasets] == [1, 1, 1]
    check_all_there(socket, datasets)


@pytest.mark.parametrize("name", NOT_COMMITTED)
def test_an_update_that_was_not_done_is_read_and_then_sent_again(
    socket: World, datasets: list[str], name: str
) -> None:
    socket.sandbox.faults.add(NOT_COMMITTED[name])
    receipt = socket.push()
    assert receipt.exit_code == 0
    assert [entry.outcome for entry in receipt.entries] == ["applied"] * 3
    assert [entry.attempts for entry in receipt.entries] == [1, 2, 1]
    assert [patches(socket, key) for key in datasets] == [1, 2, 1]
    check_all_there(socket, datasets)


def test_an_update_that_never_arrives_is_sent_a_bounded_number_of_times(
    socket: World, datasets: list[str]
) -> None:
    socket.sandbox.faults.add(Fault("drop", method="PATCH", path=datasets[0], times=None))
    receipt = socket.push()
    assert receipt.exit_code == 3
    assert [entry.outcome for entry in receipt.entries] == ["failed", "applied", "applied"]
    assert 1 < patches(socket, datasets[0]) <= 4
    assert [change.key for change in socket.plan().changes] == datasets[:1]
    socket.sandbox.faults.clear()
    assert socket.push().exit_code == 0
    check_all_there(socket, datasets)


@pytest.mark.parametrize("committed", [True, False])
def test_an_update_in_doubt_that_cannot_be_read_is_settled_by_the_next_run(
    socket: World, datasets: list[str], committed: bool
) -> None:
    how = "drop_after" if committed else "drop"
    socket.sandbox.faults.add(
        Fault(how, method="PATCH", path=datasets[1]),
        Fault("status", 503, method="GET", path=f"/{datasets[1]}/", times=None),
    )
    receipt = socket.push()
    assert receipt.exit_code == 5
    assert [e.outcome for e in receipt.entries] == ["applied", "in doubt", "skipped"]
    assert open_intents(socket) == [("update", datasets[1])]
    socket.sandbox.faults.clear()

    with socket.watched() as seen:
        assert socket.pull().exit_code == 0
    assert {entry.method for entry in seen} == {"GET"}
    assert open_intents(socket) == []
    kept = socket.sql(
        "SELECT outcome FROM receipts WHERE run = ? AND key = ?", receipt.run, datasets[1]
    )
    assert kept == [("applied" if committed else "failed",)]
    assert socket.push().exit_code == 0
    assert [patches(socket, key) for key in datasets] == [1, 1 if committed else 2, 1]
    check_all_there(socket, datasets)


def test_an_update_in_doubt_that_somebody_overwrote_is_a_conflict(
    socket: World, datasets: list[str]
) -> None:
    key = datasets[1]

    def overwrite(request: httpx.Request) -> None:
        sent = socket.sandbox.state.get("dataset", key)["description"] == "new"
        if sent and request.method == "GET" and f"/{key}/" in request.url.path:
            socket.sandbox.state.update("dataset", key, description="theirs")

    socket.network = lambda remote: Meddler(httpx.HTTPTransport(), before=overwrite)
    socket.sandbox.faults.add(Fault("drop_after", method="PATCH", path=key))
    receipt = socket.push()
    assert receipt.exit_code == 4
    assert [e.outcome for e in receipt.entries] == ["applied", "conflicted", "applied"]
    assert patches(socket, key) == 1
    assert socket.raw("dataset", key)["description"] == '"theirs"'


DELETIONS = {"drop_after": 1, "drop": 2}


@pytest.mark.parametrize("how", DELETIONS)
def test_a_deletion_in_doubt_is_read_like_any_update(
    socket: World, datasets: list[str], how: str
) -> None:
    socket.mirror.delete("dataset", datasets[0])
    socket.sandbox.faults.add(Fault(how, method="PATCH", path=datasets[0]))
    assert socket.push().exit_code == 0
    assert patches(socket, datasets[0]) == DELETIONS[how]
    assert socket.raw("dataset", datasets[0])["deleted"] == "true"
    check_all_there(socket, datasets)

    socket.mirror.undelete("dataset", datasets[0])
    socket.sandbox.faults.add(Fault(how, method="PATCH", path=datasets[0]))
    assert socket.push().exit_code == 0
    assert patches(socket, datasets[0]) == 2 * DELETIONS[how]
    assert socket.raw("dataset", datasets[0])["deleted"] == "false"
    check_all_there(socket, datasets)


LOST_CREATES = {
    "cut before the commit": (Fault("drop", method="POST"), 0),
    "cut after the commit": (Fault("drop_after", method="POST"), 1),
    "500 in HTML after the commit": (Fault("status_after", 500, method="POST"), 1),
    "502 after the commit": (Fault("status_after", 502, method="POST"), 1),
    "an answer cut short": (Fault("truncate", method="POST"), 1),
}


@pytest.mark.parametrize("name", LOST_CREATES)
def test_a_create_in_doubt_is_found_or_else_waited_for(
    socket: World, datasets: list[str], name: str
) -> None:
    fault, made = LOST_CREATES[name]
    key = socket.mirror.new("dataset", None, {"name": "made here"})
    socket.sandbox.faults.add(fault)
    receipt = socket.push()
    outcome = "applied" if made else "in doubt"
    assert {e.key: e.outcome for e in receipt.entries} == {key: outcome} | dict.fromkeys(
        datasets, "applied"
    )
    assert receipt.exit_code == (0 if made else 3)
    assert open_intents(socket) == ([] if made else [("create", key)])

    for _ in range(2):
        socket.pull()
        socket.push()
    assert len(socket.asked("POST")) == 1
    socket.clock.advance(120)
    assert socket.push().exit_code == 0
    assert len(socket.asked("POST")) == (1 if made else 2)
    [row] = [r for r in socket.sandbox.state.rows("dataset") if r["name"] == "made here"]
    assert socket.ours("dataset", key, "id") == row["id"]
    check_all_there(socket, datasets)


def test_a_500_that_says_nothing_was_written_is_sent_again_a_bounded_number_of_times(
    world: World,
) -> None:
    ids = [world.sandbox.state.insert("dataset", name=f"{n}") for n in range(2)]
    world.pull()
    world.sql("UPDATE datasets SET name = 'new'")
    world.mirror.new("dataset", None, {"name": "made here"})
    world.sandbox.faults.add(Fault("status", 500, method="POST", times=None, body=NOT_WRITTEN))
    receipt = world.push()
    assert receipt.exit_code in (3, 5)
    assert receipt.entries[0].outcome == "failed"
    assert 2 <= len(world.asked("POST")) <= 6
    assert len(world.sandbox.state.rows("dataset")) == 2
    assert open_intents(world) == []

    world.sandbox.faults.clear()
    world.sandbox.faults.add(
        Fault("status", 500, method="POST", times=2, body=NOT_WRITTEN),
        Fault("status", 500, method="PATCH", times=2, body=NOT_WRITTEN),
    )
    assert world.push().exit_code == 0
    assert len(world.sandbox.state.rows("dataset")) == 3
    assert {world.raw("dataset", id)["name"] for id in ids} == {'"new"'}
    assert world.nothing_planned()


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_a_429_is_waited_for_as_long_as_it_asks(world: World, method: str) -> None:
    id = world.sandbox.state.insert("dataset", name="one")
    world.pull()
    world.set("dataset", id, name="two")
    world.mirror.new("dataset", None, {"name": "made here"})
    world.sandbox.faults.add(Fault("status", 429, method=method, retry_after=37))
    before = world.clock.seconds
    receipt = world.push()
    assert receipt.exit_code == 0
    assert 37 <= world.clock.seconds - before < 60
    assert sorted(row["name"] for row in world.sandbox.state.rows("dataset")) == [
        "made here",
        "two",
    ]
    assert world.pull().exit_code == 0
    assert world.nothing_planned()


def test_what_was_applied_but_could_not_be_looked_after_is_settled_by_the_next_pull(
    socket: World, datasets: list[str]
) -> None:
    socket.mirror.revert("dataset", datasets[2])
    socket.mirror.delete("dataset", datasets[2])

    def no_look_after(request: httpx.Request) -> None:
        if request.method == "PATCH":
            socket.sandbox.faults.add(Fault("status", 503, method="GET", times=None))

    socket.network = lambda remote: Meddler(httpx.HTTPTransport(), after=no_look_after)
    receipt = socket.push()
    assert receipt.exit_code == 5
    assert [entry.outcome for entry in receipt.entries] == ["applied"] * 3
    assert open_intents(socket) == []
    socket.network = real_network
    socket.sandbox.faults.clear()
    assert socket.pull().exit_code == 0
    assert [patches(socket, key) for key in datasets] == [1, 1, 1]
    assert socket.raw("dataset", datasets[2])["deleted"] == "true"
    check_all_there(socket, datasets[:2])


@pytest.mark.parametrize("committed", [True, False])
def test_pushes_alone_settle_what_an_interrupted_push_left(world: World, committed: bool) -> None:
    id = world.sandbox.state.insert("dataset", name="one")
    world.pull()
    world.set("dataset", id, description="new")

    def interrupt(request: httpx.Request) -> None:
        if request.method == "PATCH":
            raise KeyboardInterrupt

    world.meddle(after=interrupt) if committed else world.meddle(before=interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.push()
    world.network = None
    first = world.push()
    assert (first.exit_code, [e.outcome for e in first.entries]) == (0, ["applied"])
    assert id in first.notes[0]
    check_all_there(world, [id])
    assert patches(world, id) == 1


@pytest.mark.parametrize("kind", ["create", "update"])
def test_a_signal_while_a_request_waits_for_its_turn_leaves_nothing_in_doubt(
    world: World, home: str, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "create":
        world.mirror.new("dataset", None, {"name": "new"})
    else:
        world.set("dataset", home, name="new")
    method = "POST" if kind == "create" else "PATCH"
    world.sandbox.faults.add(Fault("status", 429, method=method, retry_after=30))
    with monkeypatch.context() as patch:
        patch.setattr(world.clock, "sleep", lambda seconds: os.kill(os.getpid(), signal.SIGINT))
        receipt = world.push()
    assert receipt.exit_code == 130
    assert [entry.outcome for entry in receipt.entries] == ["skipped"]
    assert open_intents(world) == []
    assert world.push().count("applied") == 1
    assert len(world.asked(method)) == 2
