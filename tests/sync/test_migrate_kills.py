"""A migration killed at every commit and request: run again, nothing is twice, nothing missing."""

import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from dssync.mirror import Mirror
from dssync.sandbox import Sandbox, serve
from dssync.sync import read_status
from tests.clock import FakeClock
from tests.seams import Seams, Watched, killed_at
from tests.sync.migrations import Road, rows
from tests.sync.restoring import SPARE, fill
from tests.sync.world import PROD, World

WAIT = 120
"""After so many seconds a create that nobody finds is known not to have been made."""


@dataclass
class Scene:
    """Two projects on a socket, one migration behind them and another before them."""

    sandbox: Sandbox
    clock: FakeClock
    url: str
    mirror: Path
    back: Callable[[], None]

    @contextmanager
    def world(self, path: Path, network: Any = None) -> Iterator[World]:
        remotes = [replace(PROD, host=self.url), replace(SPARE, host=self.url)]
        with Mirror.open(path) as mirror:
            through = network or (lambda remote: None)
            yield World(self.sandbox, self.clock, mirror, remotes, network=through)

    def go(self, path: Path, seams: Seams) -> None:
        """Pull and migrate, with a seam before and after each commit and request."""
        through = lambda remote: Watched(httpx.HTTPTransport(), seams)  # noqa: E731
        with self.world(path, through) as world, seams.watching_commits():
            assert road(world).go(missing=True).exit_code == 0


def road(world: World) -> Road:
    return Road(world, world.remotes[0], world.remotes[1])


def edit(sandbox: Sandbox) -> None:
    """Make, change, move and delete at the source, equal records among them, and edit a copy."""
    state = sandbox.state
    ids = [row["id"] for row in state.rows("item")]
    homes = [row["id"] for row in state.rows("dataset")]
    state.update("dataset", homes[0], name="renamed", metadata={"n": 0, "more": 1})
    for id in ids[:3]:
        state.update("item", id, output=f"changed {id}")
    state.update("item", ids[3], dataset=homes[0])
    state.delete("item", ids[4])
    made = state.insert("dataset", name="made")
    state.insert("dataset", name="made")  # a twin, and empty
    for home in (made, made, homes[1]):
        state.insert("item", dataset=home, input="equal")
    there = next(row for row in state.rows("dataset", 5) if row["name"] == "set 1")
    state.update("dataset", there["id"], description="edited there")


@contextmanager
def staged(folder: Path, empty: Path) -> Iterator[Scene]:
    clock = FakeClock()
    sandbox = Sandbox(now=clock.now, limits=())
    sandbox.add_project(5, "Spare")
    path = Path(shutil.copy(empty, folder / "staged.db"))
    with serve(sandbox) as url:
        scene = Scene(sandbox, clock, url, path, lambda: None)
        with scene.world(path) as world:
            fill(world, 2, 8)
            assert road(world).go().exit_code == 0
        edit(sandbox)
        scene.back = rewound(sandbox)
        yield scene


def rewound(sandbox: Sandbox) -> Callable[[], None]:
    """Return what makes the server hold again what it holds now."""
    state = sandbox.state
    kept = copy.deepcopy(state._tables)

    def back() -> None:
        state._tables.clear()
        state._tables.update(copy.deepcopy(kept))

    return back


def check(world: World, expected: Any) -> None:
    """Migrate again, and see that both sides are as after a migration that nobody killed."""
    receipt = road(world).go(missing=True)
    assert receipt.exit_code == 0, (receipt.troubles, receipt.entries)
    assert all("verified" in e.reason for e in receipt.entries if e.outcome == "applied")
    assert rows(world, 5) == expected
    with world.watched() as seen:
        assert road(world).go(missing=True).exit_code == 0
    assert all(each.method == "GET" for each in seen)
    status = read_status(world.mirror)
    assert [*status.in_doubt, *status.plan.changes, *status.plan.conflicts] == []
    assert not world.sql("SELECT key FROM items_pending UNION SELECT key FROM datasets_pending")
    doubled = "SELECT key FROM links WHERE remote = 'spare' GROUP BY kind, key HAVING count(*) > 1"
    assert not world.sql(doubled)
    assert world.sql("PRAGMA integrity_check") == [("ok",)]


def play(folder: Path, empty: Path, points: int) -> int:
    """Kill a migration at so many of its seams, evenly; return how many kills there were."""
    kills = 0
    with staged(folder, empty) as scene:
        counting, whole = Seams(), folder / "whole.db"
        shutil.copy(scene.mirror, whole)
        scene.go(whole, counting)
        with scene.world(whole) as world:
            expected = rows(world, 5)
        step = max(1, counting.passed // points)
        for seam in range(1, counting.passed + 1, step):
            scene.back()
            path = Path(shutil.copy(scene.mirror, folder / f"{seam}.db"))
            kills += killed_at(path, Seams(seam), partial(scene.go, path))
            scene.clock.advance(WAIT)
            with scene.world(path) as world:
                check(world, expected)
            path.unlink()
    return kills


def test_a_sample_of_kills(tmp_path: Path, empty_mirror: Path) -> None:
    assert play(tmp_path, empty_mirror, points=3) >= 3


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_100_kills(tmp_path: Path, empty_mirror: Path) -> None:
    assert play(tmp_path, empty_mirror, points=100) >= 100
