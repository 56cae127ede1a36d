"""One run at a time, on a mirror that is one; what is interrupted goes on; remotes are apart."""

import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from dssync.clock import SystemClock
from dssync.config import KeySource, Remote
from dssync.errors import Locked, MirrorTooNew, NoMirror
from dssync.events import ChangeSent, Event, PageStored
from dssync.mirror import Mirror, lock
from dssync.sandbox import SANDBOX_KEY, Sandbox
from tests.sync.world import PROD, World


def test_a_mirror_newer_than_the_program_is_refused(new_mirror: Path) -> None:
    with closing(sqlite3.connect(new_mirror)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(MirrorTooNew, match="newer") as refused:
        Mirror.open(new_mirror)
    assert refused.value.exit_code == 6


@pytest.mark.parametrize("content", [b"name,input\n" * 500, None])
def test_a_file_that_is_no_mirror_is_refused_and_left_alone(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "other.db"
    if content is not None:
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE mine (a)")
    before = path.read_bytes()
    with pytest.raises(NoMirror) as refused:
        Mirror.open(path, create=True)
    assert refused.value.exit_code == 10
    assert path.read_bytes() == before


def _hold(path: Path, held: Any, done: Any) -> None:
    with lock.hold(path, "push", SystemClock()):
        held.set()
        done.wait(20)


@pytest.mark.parametrize("command", ["pull", "push"])
def test_a_second_run_is_refused_and_names_the_first(world: World, command: str) -> None:
    dataset = world.sandbox.state.insert("dataset", name="one")
    world.pull()
    world.set("dataset", dataset, name="two")
    prepared = world.prepare()
    spawning = multiprocessing.get_context("spawn")
    held, done = spawning.Event(), spawning.Event()
    other = spawning.Process(target=_hold, args=(world.mirror.path, held, done))
    other.start()
    try:
        assert held.wait(20)
        before = world.dump()
        with pytest.raises(Locked) as refused:
            world.pull() if command == "pull" else world.apply(prepared)
        assert refused.value.exit_code == 11
        assert f"`dssync push` (pid {other.pid} on " in refused.value.message
        assert world.dump() == before
        assert not world.sandbox.log.writes()
    finally:
        done.set()
        other.join()
    assert world.apply(prepared).exit_code == 0


def test_the_note_of_the_holder_goes_with_the_run(world: World) -> None:
    notes: list[bool] = []
    path = world.mirror.path.with_name("mirror.db.lock.json")
    world.report = lambda event: notes.append(path.exists())
    world.pull()
    assert set(notes) == {True}
    assert not path.exists()


@pytest.fixture
def edited(world: World) -> list[str]:
    """Return the keys of five datasets, all edited, in the order in which they will be sent."""
    for n in range(5):
        world.sandbox.state.insert("dataset", name=f"{n}")
    world.pull()
    world.sql("UPDATE datasets SET description = 'new'")
    return [change.key for change in world.plan().changes]


def check_all_arrived_once(world: World, edited: list[str]) -> None:
    assert world.nothing_planned()
    patched = [entry.path.rstrip("/").rsplit("/", 1)[-1] for entry in world.asked("PATCH")]
    assert sorted(patched) == sorted(edited)
    for key in edited:
        assert world.raw("dataset", key)["description"] == '"new"'
    assert not world.sql("SELECT * FROM journal WHERE closed_at IS NULL")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_keyboard_interrupt_in_a_push_is_recorded_and_the_next_run_goes_on(
    world: World, edited: list[str], when: str
) -> None:
    def interrupt(request: httpx.Request) -> None:
        if request.method == "PATCH" and request.url.path.rstrip("/").endswith(edited[2]):
            raise KeyboardInterrupt

    prepared = world.prepare()
    if when == "before":
        world.meddle(before=interrupt)
    else:
        world.meddle(after=interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.apply(prepared)
    assert world.sql("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == [(130,)]
    assert len(world.sql("SELECT * FROM journal WHERE closed_at IS NULL")) == 1

    world.network = None
    receipt = world.pull()
    assert receipt.exit_code == 0
    [note] = receipt.notes
    assert edited[2] in note
    assert ("not" in note or "never" in note) == (when == "before")
    again = world.push()
    assert again.exit_code == 0
    assert again.planned == (3 if when == "before" else 2)
    check_all_arrived_once(world, edited)


@pytest.mark.parametrize(
    ("sent", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=lambda v: str(int(v))
)
def test_a_signal_ends_a_push_after_the_request_in_flight(
    world: World, edited: list[str], sent: signal.Signals, exit_code: int
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, ChangeSent) and event.done == 2:
            os.kill(os.getpid(), sent)

    world.report = stop
    before = signal.getsignal(sent)
    receipt = world.push()
    assert receipt.exit_code == exit_code
    assert [e.outcome for e in receipt.entries] == ["applied"] * 2 + ["skipped"] * 3
    assert world.sql("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == [(exit_code,)]
    assert signal.getsignal(sent) == before

    world.report = lambda event: None
    assert world.pull().exit_code == 0
    assert world.push().planned == 3
    check_all_arrived_once(world, edited)


def test_a_signal_ends_a_pull_and_nothing_is_taken_for_deleted(world: World) -> None:
    state = world.sandbox.state
    dataset = state.insert("dataset", name="one")
    for n in range(100):
        state.insert("item", dataset=dataset, input=n)
    world.pull()

    def stop(event: Event) -> None:
        if isinstance(event, PageStored) and event.kind == "item" and event.pages == 2:
            before = signal.getsignal(signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            while signal.getsignal(signal.SIGINT) == before:
                time.sleep(0.001)  # this is not the main thread, which notes the signal

    world.page, world.ahead, world.report = 10, 1, stop
    receipt = world.pull()
    assert receipt.exit_code == 130
    assert world.sql("SELECT count(*) FROM items WHERE absent_since IS NOT NULL") == [(0,)]
    world.report = lambda event: None
    assert world.pull().exit_code == 0


STAGING = Remote("staging", "https://two.test", "environment", "1", KeySource("key_env", "STAGING"))


@pytest.fixture
def staging(world: World) -> Sandbox:
    """Add a second server, and return it."""
    other = Sandbox(now=world.clock.now, limits=(), seed=7)
    by_name = {"prod": world.sandbox, "staging": other}
    world.remotes = [PROD, STAGING]
    world.env["STAGING"] = SANDBOX_KEY
    world.network = lambda remote: httpx.WSGITransport(app=by_name[remote.name])
    world.sandbox.state.insert("dataset", name="of prod")
    other.state.insert("dataset", name="of staging")
    return other


def spoil_key(world: World) -> None:
    world.env["PROD_KEY"] = "phx_wrong"


def spoil_project(world: World) -> None:
    world.remotes = [replace(PROD, id="77"), STAGING]


@pytest.mark.parametrize(("spoil", "exit_code"), [(spoil_key, 7), (spoil_project, 6)])
def test_one_failing_remote_does_not_stop_another(
    world: World, staging: Sandbox, spoil: Callable[[World], None], exit_code: int
) -> None:
    world.pull()
    world.sql("UPDATE datasets SET name = name || ', edited'")
    new = staging.state.insert("dataset", name="new")
    spoil(world)

    receipt = world.pull()
    assert receipt.exit_code == exit_code
    assert [trouble.remote for trouble in receipt.troubles] == ["prod"]
    assert {scan.remote for scan in receipt.scans} == {"staging"}
    assert world.ours("dataset", new, "name") == "new"

    pushed = world.push()
    assert pushed.exit_code == exit_code
    assert sorted((e.remote, e.outcome) for e in pushed.entries) == [
        ("prod", "skipped"),
        ("staging", "applied"),
    ]
    assert sorted(row["name"] for row in staging.state.rows("dataset")) == [
        "new",
        "of staging, edited",
    ]
    assert [change.remote for change in world.plan().changes] == ["prod"]


def test_people_may_edit_while_a_pull_runs(world: World) -> None:
    state = world.sandbox.state
    dataset = state.insert("dataset", name="one")
    for n in range(60):
        state.insert("item", dataset=dataset, input=n)
    world.pull()
    [first, *_] = world.sql("SELECT key FROM items ORDER BY key")
    edits = iter(range(1000, 2000))

    def edit(event: Event) -> None:
        if isinstance(event, PageStored) and event.kind == "item":
            world.set("item", first[0], input=str(next(edits)))

    world.page, world.report = 10, edit
    assert world.pull().exit_code == 0
    last = next(edits) - 1
    assert last > 1000
    assert world.ours("item", first[0], "input") == str(last)
    [change] = world.plan().changes
    assert (change.key, change.after) == (first[0], {"input": str(last)})


def test_no_thread_is_left_behind(world: World) -> None:
    world.sandbox.state.insert("dataset", name="one")
    before = threading.active_count()
    world.pull()
    assert threading.active_count() == before
