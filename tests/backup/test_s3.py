"""Copies on an S3-compatible server that is a real one, by another hand than this program's."""

from dataclasses import replace

import pytest

from dssync.backup.store import open_store
from dssync.errors import AccessError, CopyDamaged, DssyncError, KeyMissing, TemporaryError
from dssync.errors import WrongTarget as Wrong
from tests.backup.conftest import Nights
from tests.backup.s3server import SECRET, free_port


def names(nights: Nights) -> list[str]:
    return sorted(open_store(nights.offsite, nights.env).names())


def test_copies_are_made_checked_and_pruned(stored: Nights) -> None:
    nights = stored.encrypted()
    nights = replace(nights, offsite=replace(nights.offsite, keep=2))
    made = [nights.night().name for _ in range(3)]
    assert names(nights) == sorted(f"{n}{e}" for n in made[1:] for e in (".db.zst.age", ".json"))
    checked = nights.check()
    assert (checked.name, checked.exit_code, checked.opened) == (made[2], 0, True)
    assert nights.check(made[1], opening=False).exit_code == 0


def test_a_long_copy_goes_in_parts(stored: Nights) -> None:
    """Eleven megabytes that cannot be compressed: three parts of an upload."""
    with stored.world.mirror.database.unit(0) as tx:
        tx.exec_driver_sql("INSERT INTO meta VALUES ('noise', hex(randomblob(11000000)))")
    copied = stored.copy()
    assert copied.bytes > 11_000_000
    assert stored.check().exit_code == 0


def test_what_a_killed_run_left_is_removed(stored: Nights) -> None:
    stored.copy()
    store = open_store(stored.offsite, stored.env)
    [data, _] = names(stored)
    store.remove(data.replace(".db.zst", ".json"))
    assert stored.night().warnings == (
        f"{stored.offsite.to} held no earlier copy of this mirror: is it the place that was meant,"
        " and is it mounted?",
    )
    assert data not in names(stored)


def test_a_copy_that_is_gone_is_missed(stored: Nights) -> None:
    stored.copy()
    [data, _] = names(stored)
    open_store(stored.offsite, stored.env).remove(data)
    assert stored.check().faults == (f"{stored.offsite.to}/{data} is missing",)


def refusal(nights: Nights, kind: type[DssyncError]) -> str:
    with pytest.raises(kind) as refused:
        nights.copy()
    told = f"{refused.value} {refused.value.hint}"
    assert SECRET not in told
    assert "wrong-secret" not in told
    assert "http" not in told
    return told


def test_what_the_storage_refuses_is_told_without_a_secret(stored: Nights) -> None:
    wrong = {**stored.env, "AWS_SECRET_ACCESS_KEY": "wrong-secret"}
    assert "SignatureDoesNotMatch" in refusal(replace(stored, env=wrong), AccessError)
    nowhere = replace(stored.offsite, to="s3://nowhere/x")
    assert "no bucket nowhere" in refusal(replace(stored, offsite=nowhere), Wrong)
    assert "AWS_ACCESS_KEY_ID is not set" in refusal(replace(stored, env={}), KeyMissing)


def test_a_storage_that_does_not_answer(stored: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setattr("dssync.backup.s3.PATIENCE", timedelta(seconds=1))
    down = replace(stored.offsite, endpoint=f"http://127.0.0.1:{free_port()}")
    assert "does not answer" in refusal(replace(stored, offsite=down), TemporaryError)


def test_a_copy_that_reads_back_otherwise_is_none(
    stored: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dssync.backup.s3 import S3

    first = stored.copy()
    read = S3.read
    monkeypatch.setattr(S3, "read", lambda self, name: (p[1:] for p in read(self, name)))
    with pytest.raises(CopyDamaged, match="reads back"):
        stored.night()
    monkeypatch.undo()
    assert {each.partition(".")[0] for each in names(stored)} == {first.name}
