"""A restore killed at every statement: it changed all, or nothing."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from tests.clock import FakeClock
from tests.seams import Seams, killed_at
from tests.sync.restoring import SPARE, go_back
from tests.sync.world import PROD, World


def killed_in_a_restore(path: Path, sandbox: Sandbox, seams: Seams) -> None:
    """Restore with a seam at every statement that the mirror is told."""
    world = World(sandbox, FakeClock(), Mirror.open(path), [PROD, SPARE])

    def told(*_: Any) -> None:
        seams()

    event.listen(Engine, "before_cursor_execute", told)
    try:
        with seams.watching_commits():
            go_back(world, 1, "spare")
    finally:
        event.remove(Engine, "before_cursor_execute", told)
        world.mirror.close()


def play_kills(world: World, step: int) -> int:
    path = world.mirror.path
    world.mirror.close()
    whole = path.read_bytes()
    before = world.dump()
    counting = Seams()
    killed_in_a_restore(path, world.sandbox, counting)
    after = sorted(map(str, world.sql("SELECT name, metadata FROM datasets")))
    kills = 0
    for seam in range(1, counting.passed + 1, step):
        for name in (f"{path}-wal", f"{path}-shm"):
            Path(name).unlink(missing_ok=True)
        path.write_bytes(whole)
        assert killed_at(path, Seams(seam), partial(killed_in_a_restore, path, world.sandbox))
        done = sorted(map(str, world.sql("SELECT name, metadata FROM datasets"))) == after
        assert done or world.dump() == before
        kills += 1
    return kills


def test_a_sample_of_kills(filled: World) -> None:
    assert play_kills(filled, step=11) > 4


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_kill_at_every_statement(filled: World) -> None:
    assert play_kills(filled, step=1) >= 50
