"""A backup killed between any two things it does to a file, the mirror or the network.

The copies before it stay restorable, whatever looks like a copy is a whole one, and the next run
succeeds.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import httpx
import pytest

from dssync.backup import folder as folders
from dssync.backup.checking import check_copy
from dssync.backup.metrics import Attempt, of_mirror, write
from dssync.backup.nightly import BackedUp, Orders, backup
from dssync.core.copies import whole
from dssync.core.retention import Policy, Rules
from dssync.mirror import Mirror, snapshots
from dssync.policy import Offsite
from dssync.sandbox import Sandbox
from dssync.sync.verifier import verify
from tests.clock import FakeClock
from tests.seams import Seams, Watched, killed_at
from tests.sync.restoring import fill
from tests.sync.world import PROD, World

NIGHT = 86_400
AUDITED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"}


class Torn:
    """A file in which every write is done in two halves, with a seam before, between and after."""

    def __init__(self, file: IO[Any], seams: Seams) -> None:
        self._file, self._seams = file, seams

    def __enter__(self) -> "Torn":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        half = len(data) // 2
        for part in (data[:half], data[half:]):
            self._seams()
            self._file.write(part)
            self._file.flush()
        self._seams()
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def watching(seams: Seams, home: Path) -> Iterator[None]:
    """Pass a seam at all that is done below `home`; the hook stays for ever."""
    sync = os.fsync

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in AUDITED and str(arguments[0]).startswith(str(home)):
            seams()

    def fsync(handle: int) -> None:
        seams()
        sync(handle)
        seams()

    def torn(path: Path, mode: str, *, opener: Any) -> Torn:
        file = os.fdopen(opener(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), mode)
        return Torn(file, seams)

    sys.addaudithook(hook)
    with (
        seams.watching_commits(),
        patch.object(os, "fsync", fsync),
        patch.object(folders, "open", torn, create=True),
    ):
        yield


class Home:
    """A folder with a mirror, its copies and its metrics, and what happens in it at night."""

    def __init__(self, path: Path, server: Sandbox, clock: FakeClock) -> None:
        self.path, self.server, self.clock = path, server, clock

    @property
    def offsite(self) -> Offsite:
        return Offsite(str(self.path / "off"), keep=2)

    def night(self, seams: Seams | None = None) -> BackedUp:
        with Mirror.open(self.path / "mirror.db") as mirror:
            world = World(self.server, self.clock, mirror)
            session = world.session
            if seams is not None:
                network = Watched(httpx.WSGITransport(app=self.server), seams)
                session = replace(session, network=lambda remote: network)
            rules = {"prod": Rules(Policy(last=2))}
            done = backup(mirror, Orders([PROD], rules, self.offsite, prune=True), session)
            attempt = Attempt(self.clock.now(), 1.0, done.receipt.exit_code, 0)
            assert (
                write(self.path / "m.prom", [*attempt.families(), *of_mirror(mirror, ["prod"])])
                == []
            )
            return done

    def copy_to(self, path: Path) -> "Home":
        shutil.copytree(self.path, path)
        return Home(path, self.server, self.clock)

    def copies(self) -> list[str]:
        return [str(name) for name in whole(each.name for each in Path(self.offsite.to).iterdir())]

    def fatal(self, seams: Seams) -> None:
        """Have a night, in a process of its own, and note how many seams it has."""
        with watching(seams, self.path):
            assert self.night(seams).receipt.exit_code == 0
        seams.fatal = None
        (self.path.parent / "seams").write_text(str(seams.passed))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Give two nights, after which the server changed; the third would prune the first copy."""
    clock = FakeClock()
    server = Sandbox(now=clock.now, limits=())
    found = Home(tmp_path / "home", server, clock)
    found.path.mkdir()
    with Mirror.open(found.path / "mirror.db", create=True) as mirror:
        fill(World(server, clock, mirror), 2, 8)
    for night in range(2):
        clock.advance(NIGHT)
        assert found.night().receipt.exit_code == 0
        for row in server.state.rows("item")[night::2]:
            server.state.update("item", row["id"], input=f"after night {night}")
    clock.advance(NIGHT)
    return found


def check(home: Home, before: str) -> None:
    assert before in home.copies()
    for name in home.copies():
        checked = check_copy(home.offsite, {}, name, [])
        assert (checked.exit_code, checked.opened) == (0, True), name
    with Mirror.open(home.path / "mirror.db") as mirror:
        assert verify(mirror).damaged == 0
    done = home.night()
    assert (done.receipt.exit_code, done.receipt.warnings) == (0, ())
    assert done.copied is not None
    checked = check_copy(home.offsite, {}, done.copied.name, [])
    assert (checked.exit_code, checked.opened) == (0, True)
    assert len(home.copies()) == 2
    assert not (home.path / "mirror.db.copying").exists()
    with Mirror.open(home.path / "mirror.db") as mirror, mirror.database.read() as tx:
        assert tx.exec_driver_sql("SELECT run FROM gate").scalar() is None
        assert done.copied.snapshots == {"prod": snapshots.known(tx)[-1]}
        assert len(snapshots.known(tx)) == 2
        inputs = {row[0] for row in tx.exec_driver_sql("SELECT input FROM items")}
        assert {'"after night 0"', '"after night 1"'} <= inputs


def play(home: Home, folder: Path, points: int) -> int:
    counting = home.copy_to(folder / "counting")
    assert not killed_at(folder / "c", Seams(), counting.fatal)
    passed = int((folder / "seams").read_text())
    before = home.copies()[-1]
    step = max(1, passed // points)
    kills = 0
    for seam in range(1, passed + 1, step):
        there = home.copy_to(folder / f"{seam}")
        kills += killed_at(folder / "c", Seams(seam), there.fatal)
        check(there, before)
        shutil.rmtree(there.path)
    return kills


def test_a_sample_of_kills(home: Home, tmp_path: Path) -> None:
    assert play(home, tmp_path, points=9) >= 8


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_kill_at_every_seam(home: Home, tmp_path: Path) -> None:
    assert play(home, tmp_path, points=10_000) >= 100
