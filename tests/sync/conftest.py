import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from tests.clock import FakeClock
from tests.sync.restoring import SPARE, fill
from tests.sync.world import PROD, World


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox(clock: FakeClock) -> Sandbox:
    return Sandbox(now=clock.now, limits=())


@pytest.fixture(scope="session")
def empty_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "mirror.db"
    Mirror.open(path, create=True).close()
    return path


@pytest.fixture
def new_mirror(empty_mirror: Path, tmp_path: Path) -> Path:
    """Give an empty mirror; copying one is quicker than making one."""
    return Path(shutil.copy(empty_mirror, tmp_path / "mirror.db"))


@pytest.fixture
def world(sandbox: Sandbox, clock: FakeClock, new_mirror: Path) -> Iterator[World]:
    with Mirror.open(new_mirror) as mirror:
        yield World(sandbox, clock, mirror)


@pytest.fixture
def home(world: World) -> str:
    id = world.sandbox.state.insert("dataset", name="home")
    world.sandbox.state.insert("dataset", name="another")
    world.sandbox.state.insert("item", dataset=id, input="old")
    world.pull()
    return id


@pytest.fixture
def filled(world: World) -> World:
    """Three datasets with twelve items, pulled as run 1, and an empty project beside them."""
    world.sandbox.add_project(5, "Spare")
    world.remotes = [PROD, SPARE]
    fill(world, 3, 12)
    world.pull()
    return world
