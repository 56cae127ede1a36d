"""An undo killed at every commit and every request: what is left, a push and an undo settle."""

import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from dssync.mirror import Mirror
from dssync.posthog import Pace
from dssync.sandbox import Sandbox, serve
from dssync.sync import apply_push
from dssync.sync.log import read_run, read_runs
from dssync.sync.undo import prepare_undo
from tests.clock import FakeClock
from tests.seams import Seams
from tests.sync.sides import empty_mirror
from tests.sync.test_undo import edit_everything, run_of, there, undo
from tests.sync.world import World


class Through(httpx.BaseTransport):
    """The way to a server, whatever its name is, with a seam before and after every request."""

    def __init__(self, url: str, seam: Callable[[], None]) -> None:
        self._url = httpx.URL(url)
        self._inner = httpx.HTTPTransport()
        self._seam = seam

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._seam()
        at = self._url
        request.url = request.url.copy_with(scheme=at.scheme, host=at.host, port=at.port)
        response = self._inner.handle_request(request)
        response.read()
        self._seam()
        return response

    def close(self) -> None:
        self._inner.close()


def pushed_world(path: Path) -> tuple[World, int, list[object]]:
    """Return a world with a push in it, that push's run, and what the server held before."""
    path.write_bytes(empty_mirror())
    clock = FakeClock()
    sandbox = Sandbox(now=clock.now, limits=())
    world = World(sandbox, clock, Mirror.open(path))
    one = sandbox.state.insert("dataset", name="one", metadata={"a": 1})
    two = sandbox.state.insert("dataset", name="two")
    for n in range(3):
        sandbox.state.insert("item", dataset=one, input=n, ref_trace_id=f"t{n}")
    world.pull()
    sandbox.state.delete("dataset", two)
    world.pull()
    before: list[object] = [there(world, "dataset"), there(world, "item")]
    edit_everything(world)
    pushed = world.push()
    assert pushed.exit_code == 0
    return world, run_of(pushed), before


def undo_under(world: World, number: int, url: str, seams: Seams) -> None:
    session = replace(
        world.session,
        network=lambda remote: Through(url, seams),
        pace=Pace(folder=Path(f"{world.mirror.path}.{os.getpid()}")),  # no lock outlives a fork
    )
    with seams.watching_commits():
        found = prepare_undo(world.mirror, number, world.remotes, session)
        apply_push(world.mirror, found, world.remotes, session, command="undo", undoes=number)


def killed_at(seam: int, path: Path, sandbox: Sandbox, number: int) -> None:
    """Undo in a fork of this warmed process, which dies at the seam; the server outlives it."""
    reading, writing = os.pipe()
    child = os.fork()  # before the server's threads are there
    if child == 0:
        try:
            url = os.read(reading, 100).decode()
            world = World(sandbox, FakeClock(), Mirror.open(path))
            undo_under(world, number, url, Seams(seam))
        finally:
            traceback.print_exc()
            os._exit(1)
    with serve(sandbox) as url:
        os.write(writing, url.encode())
        _, status = os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def check(world: World, number: int, before: list[object]) -> None:
    """What the dead run left is settled by a pull and a push; what it did not do, by an undo."""
    for run in read_runs(world.mirror, 100):
        assert read_run(world.mirror, run.number).receipt.balanced
    assert world.pull().exit_code == 0
    assert not world.plan().conflicts
    assert world.push().exit_code == 0
    assert world.nothing_planned()
    assert undo(world, number).exit_code == 0
    assert world.pull().exit_code == 0
    assert world.nothing_planned()
    assert [there(world, "dataset"), there(world, "item")] == before
    assert world.sql("SELECT count(*) FROM journal WHERE closed_at IS NULL") == [(0,)]


def play(folder: Path, step: int) -> int:
    world, number, _ = pushed_world(folder / "counting.db")
    counting = Seams()
    with serve(world.sandbox) as url:
        undo_under(world, number, url, counting)
    world.mirror.close()
    kills = 0
    for seam in range(1, counting.passed + 1, step):
        path = folder / f"{seam}.db"
        world, number, before = pushed_world(path)
        world.mirror.close()
        killed_at(seam, path, world.sandbox, number)
        with Mirror.open(path) as mirror:
            check(replace(world, mirror=mirror), number, before)
        kills += 1
    return kills


def test_a_sample_of_kills(tmp_path: Path) -> None:
    assert play(tmp_path, step=13) > 4


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_kill_at_every_seam(tmp_path: Path) -> None:
    assert play(tmp_path, step=1) >= 50
