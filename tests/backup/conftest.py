"""A mirror that was pulled, places for its copies, and a key."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyrage
import pytest

from dssync.backup.checking import Checked, check_copy
from dssync.backup.offsite import Copied, copy_off
from dssync.core.copies import CopyName, whole
from dssync.mirror import Mirror
from dssync.policy import Offsite
from dssync.sandbox import Sandbox
from tests.backup.s3server import KEY_ID, SECRET, serving
from tests.clock import FakeClock
from tests.sync.restoring import fill
from tests.sync.world import World

NIGHT = 86_400


@dataclass
class Nights:
    """A world whose mirror is copied, night after night."""

    world: World
    offsite: Offsite
    identity: pyrage.x25519.Identity
    env: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return Path(self.offsite.to)

    def encrypted(self, *more: str) -> "Nights":
        public = str(self.identity.to_public())
        return replace(self, offsite=replace(self.offsite, recipients=(public, *more)))

    def copy(self) -> Copied:
        return copy_off(self.world.mirror, self.offsite, self.world.clock, self.env)

    def night(self) -> Copied:
        """Let a day pass, and copy."""
        self.world.clock.advance(NIGHT)
        return self.copy()

    def check(self, name: str | None = None, *, opening: bool = True) -> Checked:
        return check_copy(self.offsite, self.env, name, [self.identity] if opening else [])

    def files(self) -> list[str]:
        return sorted(each.name for each in self.folder.iterdir())

    def copies(self) -> list[CopyName]:
        return whole(self.files())

    def data(self, name: str) -> Path:
        [found] = [f for f in self.folder.glob(f"{name}.db.zst*") if not f.name.endswith("partial")]
        return found


@pytest.fixture(scope="session")
def pulled_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pull three datasets and twelve hostile items, once."""
    path = tmp_path_factory.mktemp("pulled") / "mirror.db"
    clock = FakeClock()
    with Mirror.open(path, create=True) as mirror:
        world = World(Sandbox(now=clock.now, limits=()), clock, mirror)
        fill(world, 3, 12)
        assert world.pull().exit_code == 0
    return path


@contextmanager
def opened(pulled: Path, folder: Path) -> Iterator[Nights]:
    """Give a world with a mirror of its own; its server is empty."""
    path = Path(shutil.copy(pulled, folder / "mirror.db"))
    clock = FakeClock(seconds=NIGHT)
    with Mirror.open(path) as mirror:
        world = World(Sandbox(now=clock.now, limits=()), clock, mirror)
        yield Nights(world, Offsite(str(folder / "off")), pyrage.x25519.Identity.generate())


@pytest.fixture
def nights(pulled_mirror: Path, tmp_path: Path) -> Iterator[Nights]:
    with opened(pulled_mirror, tmp_path) as found:
        yield found


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Nights]:
    """Give a world whose server still holds what was pulled."""
    clock = FakeClock()
    with Mirror.open(tmp_path / "mirror.db", create=True) as mirror:
        world = World(Sandbox(now=clock.now, limits=()), clock, mirror)
        fill(world, 3, 12)
        assert world.pull().exit_code == 0
        yield Nights(world, Offsite(str(tmp_path / "off")), pyrage.x25519.Identity.generate())


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture
def stored(nights: Nights, s3_url: str, tmp_path: Path) -> Nights:
    """Give a world whose copies go to an S3-compatible server, under a prefix of their own."""
    place = Offsite(f"s3://backups/{tmp_path.name}", endpoint=s3_url)
    env = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    return replace(nights, offsite=place, env=env)
