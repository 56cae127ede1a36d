"""A backup that is killed at any moment leaves every copy before it whole, and no half one."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from dssync.backup import folder
from dssync.backup.nightly import Orders, backup
from dssync.core.copies import listed
from dssync.mirror import Mirror
from tests.backup.conftest import Nights
from tests.pull.harness import InProcess
from tests.seams import Seams, Watched, killed_at
from tests.sync.restoring import fill

CALLS = {"write", "flush", "fsync", "replace", "rename", "unlink", "mkdir", "rmdir", "backup",
         "encrypt_file", "touch"}  # fmt: skip
"""What changes files: a run can die before and after each."""

KEEP = 2


@contextmanager
def inside(seams: Seams) -> Iterator[None]:
    """Pass a seam before and after every call that changes a file, and at every commit."""

    def watch(frame: FrameType, event: str, called: Any) -> None:
        if event in ("c_call", "c_return") and called.__name__ in CALLS and _ours(frame):
            seams()

    with seams.watching_commits():
        sys.setprofile(watch)
        try:
            yield
        finally:
            sys.setprofile(None)


def _ours(frame: FrameType | None) -> bool:
    """Tell whether a call comes from what copies, directly or through the standard library."""
    for _ in range(6):
        if frame is None:
            return False
        if "/dssync/backup/" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def night(nights: Nights, path: Path, seams: Seams) -> None:
    """Back up: pull, verify, copy, prune."""
    world = nights.world
    inner = InProcess(app=world.sandbox)
    with Mirror.open(path) as mirror, inside(seams):
        session = replace(
            world, mirror=mirror, network=lambda remote: Watched(inner, seams)
        ).session
        done = backup(mirror, Orders(world.remotes, offsite=nights.offsite), session)
        assert done.receipt.exit_code == 0, done.receipt.troubles
        assert done.copied


def prepare(nights: Nights) -> Nights:
    """Have two copies, of which the next run prunes one, and a server with news for it."""
    found = replace(nights.encrypted(), offsite=replace(nights.encrypted().offsite, keep=KEEP))
    fill(found.world, 2, 6)
    found.night()
    found.night()
    found.world.clock.advance(86_400)
    found.world.mirror.close()
    return found


def check(nights: Nights, path: Path, before: list[str]) -> None:
    """Look at what a killed run left, then let the next one run."""
    left = [str(each) for each in listed(nights.files())]
    assert before[-1] in left
    for name in left:
        assert nights.check(name).exit_code == 0, name
        assert nights.check(name, opening=False).exit_code == 0, name
    nights.world.clock.advance(86_400)
    night(nights, path, Seams())
    assert len(nights.copies()) == KEEP
    assert len(nights.files()) == 2 * KEEP
    assert nights.check().exit_code == 0
    assert not path.with_name(f"{path.name}.copying").exists()
    with Mirror.open(path) as mirror, mirror.database.read() as tx:
        assert tx.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def play(nights: Nights, monkeypatch: pytest.MonkeyPatch, most: int) -> int:
    """Kill a run at `most` of its seams, spread evenly; return at how many."""
    monkeypatch.setattr(folder, "PIECE", 2_000)
    nights = prepare(nights)
    before = [str(each) for each in nights.copies()]
    home = nights.folder.parent
    saved = home / "saved"
    shutil.copytree(nights.folder, saved)
    whole = shutil.copy(home / "mirror.db", home / "whole.db")
    total = _count(nights, home)
    step = max(1, total // most)
    kills = 0
    for seam in range(1, total + 1, step):
        shutil.rmtree(nights.folder)
        shutil.copytree(saved, nights.folder)
        path = Path(shutil.copy(whole, home / f"at-{seam}.db"))
        assert killed_at(path, Seams(seam), partial(night, nights, path)), (seam, total)
        clock = nights.world.clock.seconds
        check(nights, path, before)
        nights.world.clock.seconds = clock
        kills += 1
    return kills


def _count(nights: Nights, home: Path) -> int:
    """Count the seams of a run; a child makes it, so that nothing here has changed."""
    told = home / "seams"
    path = Path(shutil.copy(home / "whole.db", home / "counting.db"))
    seams = Seams()

    def run(seams: Seams) -> None:
        night(nights, path, seams)
        told.write_text(str(seams.passed))

    assert not killed_at(path, seams, run)
    return int(told.read_text())


def test_a_sample_of_kills(live: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    assert play(live, monkeypatch, 12) >= 12


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_hundred_kills(live: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    assert play(live, monkeypatch, 1_000) >= 100
