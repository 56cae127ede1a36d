"""A bundle appears whole and sound under its name, or not at all."""

import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dssync.errors import MirrorDamaged, UsageError
from dssync.files import bundle
from dssync.files.frames import FrameWriter
from dssync.mirror import Mirror, history
from tests.files import hostile
from tests.files.bundles import in_a_child, names, snap, stock
from tests.mirror.conftest import Home
from tests.mirror.served import I1, I2


def test_it_is_private_and_takes_no_other_files_place(home: Home, file: Path) -> None:
    snap(home)
    bundle.write(home.mirror, file, remote="main")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match=r"nightly.tar.zst exists"):
        bundle.write(home.mirror, file, remote="main")
    file.write_bytes(b"another")
    bundle.write(home.mirror, file, remote="main", force=True)
    assert bundle.check(file).records == 5
    assert names(file.parent) == [file.name]


def test_a_file_that_appears_meanwhile_stays(
    home: Home, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snap(home)
    monkeypatch.setattr(bundle, "check", lambda partial: file.write_bytes(b"another"))
    with pytest.raises(UsageError, match="exists"):
        bundle.write(home.mirror, file, remote="main")
    assert file.read_bytes() == b"another"
    assert names(file.parent) == [file.name]


DAMAGES = {
    "a lost row": ("DELETE FROM items WHERE key = '{i}'", "does not add up"),
    "a snapshot of other counts": ("UPDATE snapshots SET items = 4", "does not add up"),
    "a marked row": (
        "UPDATE items SET digest = CAST(x'00' || digest AS BLOB) WHERE key = '{i}'",
        "item {i} is not as it was kept",
    ),
    "history that was changed": (
        "UPDATE items_history SET input = '1'",
        "item {i} is not as it was kept",
    ),
    "text that is no text": (
        "UPDATE items SET input = x'ff' WHERE key = '{i}'",
        "item {i} cannot be read",
    ),
    "a flag that is none": (
        "UPDATE items SET deleted = 0.5 WHERE key = '{i}'",
        "does not add up",
    ),
}


@pytest.mark.parametrize("way", DAMAGES)
def test_nothing_is_made_of_damaged_data(home: Home, file: Path, way: str) -> None:
    snap(home)
    run = home.run()
    with home.mirror.database.unit(run) as tx:
        history.keep(tx, "item", "items WHERE key = ?", [I1], run)
        tx.exec_driver_sql("UPDATE items SET run = ? WHERE key = ?", (run, I1))
    bundle.write(home.mirror, file, remote="main")
    file.unlink()
    damage, said = DAMAGES[way]
    key = I1 if "history" in damage else I2
    with home.mirror.database.unit(0) as tx:
        tx.exec_driver_sql(damage.format(i=key))
    with pytest.raises(MirrorDamaged, match=said.format(i=key)):
        bundle.write(home.mirror, file, remote="main")
    assert names(file.parent) == []


STEPS = ("fsync", "replace", "link", "unlink", "open")


def dying(real: Callable[..., Any], left: Iterator[int]) -> Callable[..., Any]:
    """Stand in for a step: kill the process once none is left."""

    def call(*args: Any, **options: Any) -> Any:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **options)

    return call


def killed_after(steps: int, mirror: Path, file: Path, *, force: bool) -> bool:
    """Write in a fork that dies at a step; tell whether it came so far."""

    def work() -> None:
        left = iter(range(steps))
        for name in STEPS:
            setattr(os, name, dying(getattr(os, name), left))
        setattr(FrameWriter, "write", dying(FrameWriter.write, left))  # noqa: B010
        with Mirror.open(mirror) as opened:
            bundle.write(opened, file, remote="main", force=force)

    return os.WIFSIGNALED(in_a_child(work))


@pytest.mark.parametrize("force", [False, True])
def test_one_that_is_killed_leaves_no_half_file(home: Home, file: Path, force: bool) -> None:
    """Die at each of the steps that touch the disk."""
    stock(home, hostile.rows()[:20])
    snap(home)
    bundle.write(home.mirror, file, remote="main")
    new = file.read_bytes()
    allowed = (b"old", new) if force else (None, new)
    killed, steps = True, 0
    while killed:
        for left in file.parent.iterdir():
            left.unlink()
        if force:
            file.write_bytes(b"old")
        killed = killed_after(steps, home.mirror.path, file, force=force)
        assert (file.read_bytes() if file.exists() else None) in allowed
        steps += 1
    assert file.read_bytes() == new
    assert steps > 15


def test_a_full_disk_is_a_sentence_and_leaves_nothing(home: Home, file: Path) -> None:
    resource = pytest.importorskip("resource")
    stock(home, hostile.rows())
    snap(home)
    said = file.parent.parent / "said"

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
        try:
            bundle.write(home.mirror, file, remote="main")
        except UsageError as error:
            said.write_text(str(error))

    assert in_a_child(work) == 0
    assert "cannot be written: File too large" in said.read_text()
    assert names(file.parent) == []
