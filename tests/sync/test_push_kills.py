"""A push killed at every commit and every request; one more push applies all of it exactly once."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from dssync.core.fields import KINDS, KindName
from dssync.mirror import Mirror
from dssync.sandbox import Sandbox, serve
from dssync.sync import read_status
from tests.clock import FakeClock
from tests.seams import Seams, Watched, killed_at
from tests.sync.world import PROD, World

WIRE: dict[KindName, tuple[str, ...]] = {
    "dataset": ("name", "description"),
    "item": ("input", "ref_trace_id"),
}


def server() -> tuple[Sandbox, FakeClock, dict[str, str]]:
    """A project, the same each time, down to its ids."""
    clock = FakeClock()
    sandbox = Sandbox(now=clock.now, limits=())
    state = sandbox.state
    ids = {name: state.insert("dataset", name=name) for name in ("home", "edited", "gone", "back")}
    for n in range(12):
        ids[f"i{n}"] = state.insert("item", dataset=ids["home"], input=n)
    ids["child"] = state.insert("item", dataset=ids["back"], input="child")
    ids["undo"] = state.insert("item", dataset=ids["home"], input="undo")
    return sandbox, clock, ids


def close_two(sandbox: Sandbox, ids: dict[str, str]) -> None:
    sandbox.state.delete("dataset", ids["back"])
    sandbox.state.delete("item", ids["undo"])


def edit(world: World, ids: dict[str, str]) -> None:
    """Make, change, move, delete and bring back, so that every order matters somewhere."""
    mirror = world.mirror
    world.set("dataset", ids["edited"], name="edited here", description="too")
    mirror.delete("dataset", ids["gone"])
    mirror.undelete("dataset", ids["back"])
    world.set("item", ids["child"], input='"grown"')
    mirror.undelete("item", ids["undo"])
    parent = mirror.new("dataset", None, {"name": "parent"})
    for _ in range(2):
        mirror.new("dataset", None, {"name": "twin"})
        mirror.new("item", None, {"dataset": ids["home"], "input": '"equal"'})
        mirror.new("item", None, {"dataset": parent, "input": '"equal"'})
    mirror.new("item", None, {"dataset": ids["gone"], "input": '"late"'})
    world.set("item", ids["i0"], dataset=parent)
    for n in (1, 2, 3, 5, 6, 7, 8, 9):
        world.set("item", ids[f"i{n}"], input=f'"changed {n}"')
    mirror.delete("item", ids["i4"])


@contextmanager
def prepared(folder: Path, empty: Path) -> Iterator[Path]:
    """Give a mirror with everything to be pushed."""
    sandbox, clock, ids = server()
    path = Path(shutil.copy(empty, folder / "edited.db"))
    with Mirror.open(path) as mirror:
        world = World(sandbox, clock, mirror)
        world.pull()
        close_two(sandbox, ids)
        world.pull()
        edit(world, ids)
    yield path


def push(path: Path, url: str, clock: FakeClock, sandbox: Sandbox, seams: Seams) -> None:
    with Mirror.open(path) as mirror, seams.watching_commits():
        world = World(sandbox, clock, mirror, [replace(PROD, host=url)])
        world.network = lambda remote: Watched(httpx.HTTPTransport(), seams)
        assert world.push().exit_code == 0


def rows(sandbox: Sandbox, kind: KindName) -> Counter[str]:
    """Every row the server holds, deleted or not, by its content and its parent's name."""
    state = sandbox.state
    live, deleted = state.rows(kind), state.rows(kind, deleted=True)
    found: Counter[str] = Counter()
    for row in live + deleted:
        facts: list[Any] = [row[name] for name in WIRE[kind]]
        if kind == "item":
            facts.append(state.get("dataset", row["dataset"])["name"])
        found[json.dumps([*facts, row["deleted"]])] += 1
    return found


def check(world: World, expected: dict[KindName, Counter[str]]) -> None:
    receipt = world.push()
    assert receipt.exit_code == 0, receipt
    assert {kind: rows(world.sandbox, kind) for kind in KINDS} == expected
    status = read_status(world.mirror)
    assert not status.in_doubt
    assert not status.plan.changes
    assert not status.plan.conflicts
    assert world.pull().exit_code == 0
    assert world.nothing_planned()
    for kind in KINDS:
        table = KINDS[kind].table
        assert world.sql(f"SELECT key FROM {table}_pending") == []
        live = world.sql(f"SELECT id FROM {table} WHERE deleted IS NOT 1 ORDER BY id")
        assert live == sorted((row["id"],) for row in world.sandbox.state.rows(kind))
    assert world.sql("PRAGMA integrity_check") == [("ok",)]


@contextmanager
def served(path: Path, copy: Path) -> Iterator[tuple[Path, str, FakeClock, Sandbox]]:
    """Give a fresh copy of server and mirror."""
    sandbox, clock, ids = server()
    close_two(sandbox, ids)
    shutil.copy(path, copy)
    with serve(sandbox) as url:
        # the mirror remembers the host it was pulled from
        with Mirror.open(copy) as mirror:
            World(sandbox, clock, mirror).sql("UPDATE remotes SET host = ?", url)
        yield copy, url, clock, sandbox


def play(folder: Path, empty: Path, step: int) -> int:
    """Kill a push at every `step`th seam; return how many kills there were."""
    kills = 0
    with prepared(folder, empty) as path:
        with served(path, folder / "whole.db") as (copy, url, clock, sandbox):
            counting = Seams()
            push(copy, url, clock, sandbox, counting)
            expected = {kind: rows(sandbox, kind) for kind in KINDS}
        for seam in range(1, counting.passed + 1, step):
            with served(path, folder / f"{seam}.db") as (copy, url, clock, sandbox):
                run = partial(push, copy, url, clock, sandbox)
                kills += killed_at(copy, Seams(seam), run)
                clock.advance(120)
                with Mirror.open(copy) as mirror:
                    check(World(sandbox, clock, mirror, [replace(PROD, host=url)],
                                network=lambda remote: None), expected)  # fmt: skip
    return kills


def test_a_sample_of_kills(tmp_path: Path, empty_mirror: Path) -> None:
    assert play(tmp_path, empty_mirror, step=29) > 5


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_kill_at_every_seam(tmp_path: Path, empty_mirror: Path) -> None:
    assert play(tmp_path, empty_mirror, step=1) >= 200
