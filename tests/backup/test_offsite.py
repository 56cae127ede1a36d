"""Copies in a folder: made, read back, pruned; and what goes wrong."""

import errno
import json
import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from dssync import version
from dssync.backup.folder import Folder
from dssync.backup.offsite import LONE_KEY, LOST_KEYS
from dssync.errors import (
    CopyDamaged,
    DssyncError,
    MirrorDamaged,
    Refused,
    TemporaryError,
    UsageError,
)
from dssync.files.frames import zstd
from dssync.mirror import snapshots
from dssync.mirror.upgrade import HEAD
from tests.backup.conftest import NIGHT, Nights
from tests.sync.world import dump

VOLATILE = ("meta",)


def plain(nights: Nights, name: str) -> Path:
    """Open a copy with nothing of dssync: the libraries of age and Zstandard, and SQLite."""
    data = nights.data(name).read_bytes()
    if nights.offsite.recipients:
        data = pyrage.decrypt(data, [nights.identity])
    path = nights.folder.parent / f"{name}.plain.db"
    path.write_bytes(zstd.decompress(data))
    return path


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_copy_holds_the_mirror(nights: Nights, encrypted: bool) -> None:
    nights = nights.encrypted() if encrypted else nights
    copied = nights.copy()
    database = plain(nights, copied.name)
    assert dump(database) == dump(nights.world.mirror.path)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("delete",)]
    assert nights.check().exit_code == 0
    assert nights.check().opened


def test_the_manifest_tells_what_is_in_it(nights: Nights) -> None:
    nights.world.set("item", nights.world.sql("SELECT key FROM items")[0][0], input='"edited"')
    copied = nights.encrypted().copy()
    manifest = json.loads((nights.folder / f"{copied.name}.json").read_text())
    with nights.world.mirror.database.read() as tx:
        [taken] = snapshots.known(tx)
    [remote] = manifest["remotes"]
    assert (remote["name"], remote["datasets"], remote["items"]) == ("prod", 3, 12)
    assert [each["seal"] for each in remote["snapshots"]] == [taken.seal.hex()]
    assert copied.snapshots == {"prod": taken}
    assert (manifest["dssync"], manifest["schema"]) == (version(), HEAD)
    assert len(manifest["edits"]) == 1
    stored = nights.data(copied.name)
    assert manifest["stored"]["bytes"] == copied.bytes == stored.stat().st_size
    assert str(nights.identity) not in json.dumps(manifest)


def test_files_are_for_nobody_else(nights: Nights) -> None:
    nights.copy()
    assert stat.S_IMODE(nights.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in nights.folder.iterdir()} == {0o600}
    assert not nights.world.mirror.path.with_name("mirror.db.copying").exists()


def test_it_is_the_copy_of_a_mirror_in_use(nights: Nights) -> None:
    """Somebody edits, and somebody has begun to."""
    with closing(sqlite3.connect(nights.world.mirror.path, isolation_level=None)) as other:
        other.execute("UPDATE items SET input = '\"before\"'")
        other.execute("BEGIN")
        other.execute("UPDATE items SET input = '\"not yet\"'")
        # the mirror's name among copies would have to wait
        other.execute("ROLLBACK")
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM items").fetchall() == [(12,)]
        copied = nights.copy()
    with closing(sqlite3.connect(plain(nights, copied.name))) as copy:
        assert copy.execute("SELECT DISTINCT input FROM items").fetchall() == [('"before"',)]


def test_only_so_many_are_kept(nights: Nights) -> None:
    nights = replace(nights, offsite=replace(nights.offsite, keep=3))
    made = [nights.night() for _ in range(5)]
    assert [str(each) for each in nights.copies()] == [each.name for each in made[2:]]
    assert [each.pruned for each in made] == [(), (), (), (made[0].name,), (made[1].name,)]
    assert len(nights.files()) == 6


def test_the_one_that_passed_stays_whatever_the_clock_says(nights: Nights) -> None:
    nights = replace(nights, offsite=replace(nights.offsite, keep=1))
    nights.night()
    nights.world.clock.seconds -= 3 * NIGHT  # the clock went back
    copied = nights.copy()
    assert [str(each) for each in nights.copies()] == [copied.name]


def test_a_copy_from_the_future_is_spoken_of_as_long_as_it_is_there(nights: Nights) -> None:
    nights.world.clock.advance(90 * NIGHT)
    late = nights.copy()
    nights.world.clock.seconds -= 90 * NIGHT
    for _ in range(2):
        [said] = nights.night().warnings
        assert f"{late.name} is from the future" in said


def test_a_new_mirror_where_another_has_copies_may_be_a_lost_one(nights: Nights) -> None:
    old = nights.copy()
    with closing(sqlite3.connect(nights.world.mirror.path, isolation_level=None)) as other:
        other.execute("DELETE FROM meta WHERE name = 'identity'")
    [said] = nights.night().warnings
    assert "this mirror is new" in said
    assert old.name in said
    copied = nights.night()
    assert copied.warnings == ()
    of_old = str(nights.check(old.name[:15]).name)
    assert (of_old, nights.check().name) == (old.name, copied.name)


def test_two_in_the_same_second_have_two_names(nights: Nights) -> None:
    names = [nights.copy().name for _ in range(3)]
    assert [str(each) for each in nights.copies()] == names == sorted(set(names))


def test_another_mirror_in_the_same_place_is_left_alone(nights: Nights) -> None:
    nights = replace(nights, offsite=replace(nights.offsite, keep=1))
    nights.copy()
    for file in nights.files():
        shutil.copy(nights.folder / file, nights.folder / (file[:7] + "0" * 8 + file[15:]))
    nights.night()
    assert [each.mirror for each in nights.copies()].count("0" * 8) == 1
    assert len(nights.copies()) == 2


def test_what_a_killed_run_left_is_removed_once_it_is_old(nights: Nights) -> None:
    first = nights.copy()
    data = nights.data(first.name).name
    name = first.name.replace("T1800", "T1830")
    (nights.folder / data.replace(first.name, name)).write_bytes(b"half")
    (nights.folder / f"{data.replace(first.name, name)}.partial").write_bytes(b"ha")
    (nights.folder / "README").write_text("somebody's own")
    left = nights.files()
    nights.world.clock.advance(3600)
    nights.copy()  # another machine may be writing it
    assert set(left) <= set(nights.files())
    nights.night()
    assert not [each for each in nights.files() if name in each]
    assert "README" in nights.files()
    assert len(nights.copies()) == 3


def test_keys_that_can_be_lost_are_spoken_of(nights: Nights) -> None:
    other = str(pyrage.x25519.Identity.generate().to_public())
    assert nights.copy().warnings == ()
    assert [nights.encrypted().night().warnings for _ in range(2)] == [(LONE_KEY,)] * 2
    assert nights.encrypted(other).night().warnings == ()
    shutil.rmtree(nights.folder)
    nights.folder.mkdir()
    moved, lost = nights.encrypted(other).night().warnings
    assert "held no earlier copy" in moved
    assert lost == LOST_KEYS


def test_a_damaged_mirror_is_not_copied(nights: Nights) -> None:
    before = nights.copy()
    with closing(sqlite3.connect(nights.world.mirror.path, isolation_level=None)) as other:
        other.execute("UPDATE gate SET run = 1")
        other.execute("UPDATE items SET input = '\"changed\"' WHERE rowid = 1")
        other.execute("UPDATE gate SET run = NULL")
    with pytest.raises(MirrorDamaged, match="nothing was copied"):
        nights.night()
    assert [str(each) for each in nights.copies()] == [before.name]
    assert not nights.world.mirror.path.with_name("mirror.db.copying").exists()


class Rotten(Folder):
    """A disk that stores something else than it was given."""

    def read(self, name: str) -> Iterator[bytes]:
        for piece in super().read(name):
            yield piece[:-1] + bytes([piece[-1] ^ 1]) if name.endswith(self.rots) else piece

    rots = ".zst"


@pytest.mark.parametrize("rots", [".zst", ".json"])
def test_a_copy_that_reads_back_otherwise_is_none(
    nights: Nights, rots: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = nights.copy()
    monkeypatch.setattr(Rotten, "rots", rots)
    monkeypatch.setattr("dssync.backup.folder.Folder", Rotten)
    with pytest.raises(CopyDamaged, match="reads back") as refused:
        nights.night()
    assert refused.value.exit_code == 9
    assert [str(each) for each in nights.copies()] == [before.name]
    assert len(nights.files()) == 2


class Sticky(Folder):
    """A disk from which nothing can be removed."""

    def remove(self, name: str) -> None:
        raise Refused(f"{name} cannot be removed: Operation not permitted")


def test_a_prune_that_fails_is_a_warning(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = replace(nights, offsite=replace(nights.offsite, keep=1))
    nights.copy()
    monkeypatch.setattr("dssync.backup.folder.Folder", Sticky)
    copied = nights.night()
    assert copied.pruned == ()
    assert "the copy was made, but older ones were not pruned" in copied.warnings[0]
    assert len(nights.copies()) == 2


def test_a_folder_in_a_place_that_is_not_there(nights: Nights, tmp_path: Path) -> None:
    unmounted = replace(nights, offsite=replace(nights.offsite, to=str(tmp_path / "mnt" / "off")))
    with pytest.raises(Refused, match="cannot be read: No such file") as refused:
        unmounted.copy()
    assert "mounted" in refused.value.hint
    (tmp_path / "mnt").write_text("a file")
    with pytest.raises(Refused):
        unmounted.copy()


def test_a_disk_that_is_full(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    before = nights.copy()

    def full(path: str, flags: int) -> int:
        return os.open("/dev/full", os.O_WRONLY)

    monkeypatch.setattr("dssync.backup.folder._private", full)
    with pytest.raises(TemporaryError, match="cannot be written: No space left"):
        nights.night()
    assert [str(each) for each in nights.copies()] == [before.name]
    assert len(nights.files()) == 2


def test_a_folder_that_has_gone_is_not_made_again(nights: Nights) -> None:
    """Its disk is not mounted, and what it is mounted on is there all the same."""
    nights.copy()
    disk = nights.folder.rename(nights.folder.with_name("unmounted"))
    for _ in range(2):
        with pytest.raises(Refused, match="is not there, and copies") as refused:
            nights.night()
        assert (refused.value.exit_code, nights.folder.exists()) == (6, False)
    disk.rename(nights.folder)
    assert nights.night().warnings == ()
    assert len(nights.copies()) == 2


def test_a_link_to_a_disk_that_is_not_mounted(nights: Nights, tmp_path: Path) -> None:
    nights.folder.symlink_to(tmp_path / "mnt" / "off")
    with pytest.raises(Refused, match="cannot be read: No such file") as refused:
        nights.copy()
    assert "mounted" in refused.value.hint


@pytest.mark.parametrize(
    ("number", "code", "hint"),
    [
        (errno.EROFS, 6, "how it is mounted"),
        (errno.ENOSPC, 5, "make room there"),
        (errno.EDQUOT, 5, "make room there"),
        (errno.EIO, 5, "run the same command again"),
    ],
)
def test_what_a_disk_refuses(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, number: int, code: int, hint: str
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    nights.copy()
    monkeypatch.setattr("dssync.backup.folder._drop_cached", refuse)
    with pytest.raises(DssyncError, match="cannot be written") as refused:
        nights.night()
    assert refused.value.exit_code == code
    assert hint in refused.value.hint
    assert len(nights.files()) == 2


@pytest.mark.parametrize(
    ("recipient", "said"),
    [
        ("age1nobody", "is no public key of age"),
        ("ssh-ed25519 nothing", "is no public key of age"),
        ("AGE-SECRET-KEY-1QQQQ", "holds a secret key"),
    ],
)
def test_what_is_no_recipient(nights: Nights, recipient: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        replace(nights, offsite=replace(nights.offsite, recipients=(recipient,))).copy()
    assert "QQQQ" not in str(refused.value)
    assert not nights.folder.exists()


def test_an_ssh_key_opens_it(nights: Nights, tmp_path: Path) -> None:
    from dssync.backup.age import identities_in
    from dssync.backup.checking import check_copy

    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = key.with_suffix(".pub").read_text().strip()
    offsite = replace(nights.offsite, recipients=(public,))
    replace(nights, offsite=offsite).copy()
    checked = check_copy(offsite, {}, None, identities_in(key))
    assert (checked.exit_code, checked.opened) == (0, True)


def test_a_missing_library_says_what_to_install(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyrage", None)
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    for offsite, extra in (
        (nights.encrypted().offsite, "dssync[age]"),
        (replace(nights.offsite, to="s3://bucket"), "dssync[s3]"),
    ):
        with pytest.raises(DssyncError) as refused:
            replace(nights, offsite=offsite).copy()
        assert extra in refused.value.hint
        assert refused.value.exit_code == 2
