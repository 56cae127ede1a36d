"""Bytes of a copy that change, and copies that break off: all of it is found, and told."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from dssync.backup.packing import part_of
from dssync.errors import AccessError, CopyDamaged, NoMirror, Refused, UsageError
from dssync.files.frames import zstd
from dssync.mirror import revising
from dssync.mirror.place import APPLICATION_ID
from tests.backup.conftest import Nights

Damage = Callable[[bytes], bytes]


def flips(chance: random.Random, count: int) -> Iterator[Damage]:
    for _ in range(count):
        where, bit = chance.random(), 1 << chance.randrange(8)

        def flip(data: bytes, where: float = where, bit: int = bit) -> bytes:
            at = int(where * len(data))
            return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]

        yield flip


def cuts(chance: random.Random, count: int) -> Iterator[Damage]:
    for _ in range(count):
        where = chance.random()

        def cut(data: bytes, where: float = where) -> bytes:
            return data[: int(where * len(data))]

        yield cut


def found(nights: Nights, file: Path, damage: Damage) -> bool:
    """Damage a file, and tell whether that is noticed without the key, and with it."""
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    try:
        # the key may fit no more, which is noticed as well
        codes = [nights.check(opening=False).exit_code, _with_key(nights)]
    finally:
        file.write_bytes(whole)
    return all(code == 9 for code in codes)


def _with_key(nights: Nights) -> int:
    checked = nights.check()
    assert checked.faults
    return checked.exit_code


def play(nights: Nights, seed: int, flipped: int, cut: int) -> None:
    copied = nights.copy()
    chance = random.Random(seed)
    files = [nights.data(copied.name), nights.folder / f"{copied.name}.json"]
    for number, damage in enumerate((*flips(chance, flipped), *cuts(chance, cut))):
        file = files[number % 4 == 3]  # one in four hits the manifest
        assert found(nights, file, damage), (seed, number, file.name)
    assert nights.check().exit_code == 0


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_sample_of_damage(nights: Nights, encrypted: bool) -> None:
    play(nights.encrypted() if encrypted else nights, 7, 40, 16)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("encrypted", [False, True])
def test_five_hundred_flips_and_a_hundred_cuts(nights: Nights, encrypted: bool) -> None:
    play(nights.encrypted() if encrypted else nights, random.randrange(1 << 32), 500, 100)


@pytest.mark.parametrize("sealed", [False, True])
def test_each_fault_is_told_once(nights: Nights, sealed: bool) -> None:
    nights = nights.encrypted() if sealed else nights
    data = nights.data(nights.copy().name)
    data.write_bytes(data.read_bytes()[:-9])
    faults = nights.check().faults
    assert faults
    assert len(set(faults)) == len(faults)


def reseal(nights: Nights, name: str, **changes: object) -> None:
    """Write another manifest, with the digest that it should have."""
    path = nights.folder / f"{name}.json"
    content = {**json.loads(path.read_text()), **changes}
    content.pop("digest")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    content["digest"] = sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(content, indent=1) + "\n")


def test_without_the_key_it_says_what_was_proved(nights: Nights) -> None:
    nights.encrypted().copy()
    checked = nights.check(opening=False)
    assert (checked.exit_code, checked.opened, checked.verified) == (0, False, None)


def test_another_key_is_no_damage(nights: Nights) -> None:
    import pyrage

    nights.encrypted().copy()
    nights.identity = pyrage.x25519.Identity.generate()
    with pytest.raises(AccessError, match="none of these keys opens"):
        nights.check()


@pytest.mark.parametrize("gone", [".json", ".db.zst"])
def test_half_a_copy_is_none(nights: Nights, gone: str) -> None:
    first, second = nights.night(), nights.night()
    (nights.folder / f"{second.name}{gone}").unlink()
    assert [str(each) for each in nights.copies()] == [first.name]
    if gone == ".json":
        with pytest.raises(CopyDamaged, match="did not come to its end"):
            nights.check(second.name)
        assert nights.check().name == first.name
    else:  # it was whole once, so it is not passed over in silence
        assert nights.check().exit_code == 9
        assert "is missing" in nights.check().faults[0]


def test_a_copy_under_the_name_of_another(nights: Nights) -> None:
    first, second = nights.night(), nights.night()
    for end in (".json", ".db.zst"):
        shutil.copy(nights.folder / f"{first.name}{end}", nights.folder / f"{second.name}{end}")
    assert "is the manifest of another copy" in nights.check().faults[0]


def test_a_manifest_that_lies(nights: Nights) -> None:
    name = nights.copy().name
    told = json.loads((nights.folder / f"{name}.json").read_text())
    reseal(nights, name, remotes=[{**told["remotes"][0], "items": 11}])
    assert "other snapshots or records" in nights.check().faults[0]


def test_a_copy_of_the_first_schema_is_read_by_this_program(nights: Nights) -> None:
    old = nights.folder.parent / "old.db"
    first_schema(old)
    name = nights.copy().name
    data = nights.data(name)
    data.write_bytes(zstd.compress(old.read_bytes()))
    parts = {"stored": data, "compressed": data, "database": old}
    told = {k: msgspec.to_builtins(part_of(path)) for k, path in parts.items()}
    reseal(nights, name, **told, remotes=[], schema="0001")
    checked = nights.check()
    assert (checked.exit_code, checked.opened, checked.faults) == (0, True, ())


def first_schema(path: Path) -> None:
    """Make a mirror as the first program made it."""
    config = Config()
    config.set_main_option("script_location", str(revising.scripts()))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    engine.dispose()


def test_a_later_format_is_refused(nights: Nights) -> None:
    reseal(nights, nights.copy().name, format=2, more="of it")
    with pytest.raises(Refused, match="newer dssync"):
        nights.check()


def test_a_bomb_does_not_fill_the_disk(nights: Nights) -> None:
    name = nights.copy().name
    nights.data(name).write_bytes(zstd.compress(bytes(1 << 28)))
    checked = nights.check()
    assert checked.exit_code == 9
    assert "unpacks to more than a mirror had" in checked.faults[-1]


def test_what_is_no_copy_is_named(nights: Nights) -> None:
    with pytest.raises(NoMirror, match="holds no copy"):
        nights.check()
    name = nights.copy().name
    with pytest.raises(UsageError, match="no copy is called 'dssync'") as refused:
        nights.check("dssync")
    assert name in refused.value.hint
    assert nights.check(f"{name}.json").name == nights.check(name).name == name
