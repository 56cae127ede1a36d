"""Forgetting that is killed, or runs out of disk, at any moment has lost nothing that is kept."""

import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Engine, event

from dssync.core.fields import KINDS
from dssync.core.retention import Policy, Rules
from dssync.errors import DssyncError
from dssync.mirror import Mirror, past, place, pruning, snapshots
from dssync.sync.forgetter import forget, judge
from tests.seams import Seams, killed_at
from tests.sync.world import World

NIGHTS, ITEMS = 6, 120
KEPT = {4, 5, 6}
STEPS = 500
"""SQLite can die after each so many steps of its own."""


@pytest.fixture
def nights(world: World) -> World:
    """Six nights in which every item changed."""
    state = world.sandbox.state
    dataset = state.insert("dataset", name="nightly")
    ids = [state.insert("item", dataset=dataset, input="x" * 900) for _ in range(ITEMS)]
    for night in range(NIGHTS):
        for id in ids:
            state.update("item", id, metadata={"night": night})
        assert world.pull().exit_code == 0
    world.mirror.close()
    return world


def run(world: World, path: Path, seams: Seams) -> None:
    with inside(seams), Mirror.open(path) as mirror:
        here = replace(world, mirror=mirror)
        forgetting = judge(mirror, {"prod": Rules(Policy(last=3))})
        assert forget(mirror, forgetting, here.session, prune=True).exit_code == 0


@contextmanager
def inside(seams: Seams) -> Iterator[None]:
    """Pass a seam at each commit, and again and again while SQLite works."""

    def step() -> int:
        seams()
        return 0

    def watch(connection: sqlite3.Connection, *_: Any) -> sqlite3.Connection:
        connection.set_progress_handler(step, STEPS)
        return connection

    event.listen(Engine, "connect", watch)
    with (
        seams.watching_commits(),
        patch.object(place, "connect", lambda path: watch(place_connect(path))),
    ):
        yield
    event.remove(Engine, "connect", watch)


place_connect = place.connect


def check(path: Path, contents: dict[int, list[object]]) -> set[int]:
    """All that is kept is there and adds up; return the runs of what is."""
    with Mirror.open(path) as mirror, mirror.database.read() as tx:
        assert tx.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert snapshots.lost(tx, "prod") == []
        there = {each.run for each in snapshots.known(tx, ["prod"])}
        assert {run: held(tx, run) for run in there} == {run: contents[run] for run in there}
        pruned = pruning.pruned_through(tx, "prod")
        assert (there, pruned) in (({*range(1, NIGHTS + 1)}, 0), (KEPT, NIGHTS))
        return there


def held(tx: Any, run: int) -> list[object]:
    return [list(past.held(tx, "prod", run, kind)) for kind in KINDS]


def play(world: World, folder: Path, step: int) -> int:
    whole = world.mirror.path
    with Mirror.open(whole) as mirror, mirror.database.read() as tx:
        contents = {run: held(tx, run) for run in range(1, NIGHTS + 1)}
    counting = Seams()
    run(world, Path(shutil.copy(whole, folder / "counting.db")), counting)
    assert check(folder / "counting.db", contents) == KEPT
    ends = []
    for seam in range(1, counting.passed + 1, step):
        path = Path(shutil.copy(whole, folder / f"{seam}.db"))
        assert killed_at(path, Seams(seam), partial(run, world, path))
        ends.append(len(check(path, contents)))
        run(world, path, Seams())
        assert check(path, contents) == KEPT
    assert set(ends) == {NIGHTS, len(KEPT)}
    return len(ends)


def test_a_sample_of_kills(nights: World, tmp_path: Path) -> None:
    assert play(nights, tmp_path, step=11) > 5


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_kill_at_every_seam(nights: World, tmp_path: Path) -> None:
    assert play(nights, tmp_path, step=1) >= 50


def forget_on_a_full_disk(world: World, path: Path, room: int, seams: Seams) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    with suppress(DssyncError), Mirror.open(path) as mirror:
        forgetting = judge(mirror, {"prod": Rules(Policy(last=3))})
        forget(mirror, forgetting, replace(world, mirror=mirror).session, prune=True)


@pytest.mark.parametrize(
    ("room", "left"),
    [(100_000, {*range(1, NIGHTS + 1)}), (800_000, KEPT)],
    ids=["no room to forget", "no room to free any"],
)
def test_a_full_disk_loses_nothing(
    nights: World, tmp_path: Path, room: int, left: set[int]
) -> None:
    path = Path(shutil.copy(nights.mirror.path, tmp_path / "full.db"))
    with Mirror.open(path) as mirror, mirror.database.read() as tx:
        contents = {run: held(tx, run) for run in range(1, NIGHTS + 1)}
    size = path.stat().st_size
    assert not killed_at(path, Seams(), partial(forget_on_a_full_disk, nights, path, room))
    assert check(path, contents) == left
    assert path.stat().st_size == size
    run(nights, path, Seams())
    assert check(path, contents) == KEPT
