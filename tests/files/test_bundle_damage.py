"""Whatever was changed in a bundle is noticed, and told in a sentence with its place."""

import json
import random
from pathlib import Path

import pytest

from dssync.errors import BundleDamaged, UsageError
from dssync.files import bundle
from dssync.files.frames import SEAL_BYTES, zstd
from tests.files import hostile
from tests.files.bundles import snap, stock
from tests.files.forging import refused
from tests.mirror.conftest import Home

FLIPS, CUTS = 500, 100


@pytest.fixture
def written(home: Home, file: Path) -> bytes:
    """A bundle of several frames: its values hardly compress."""
    chance = random.Random(1)
    stock(
        home,
        [
            *hostile.rows(),
            *({"input": json.dumps(chance.randbytes(1_000).hex())} for _ in range(900)),
        ],
    )
    snap(home)
    bundle.write(home.mirror, file, remote="main")
    return file.read_bytes()


def broken_anywhere(
    file: Path, written: bytes, flips: int, cuts: int, chance: random.Random
) -> None:
    for _ in range(flips):
        at = chance.randrange(len(written))
        flipped = bytearray(written)
        flipped[at] ^= chance.randrange(1, 256)
        refused(file, bytes(flipped))
    for _ in range(cuts):
        refused(file, written[: chance.randrange(len(written))])


def test_flipped_bytes_and_cut_ends_are_found(file: Path, written: bytes) -> None:
    broken_anywhere(file, written, FLIPS // 25, CUTS // 10, random.Random(4))


@pytest.mark.soak
@pytest.mark.timeout(3_000)
def test_all_flipped_bytes_and_cut_ends_are_found(file: Path, written: bytes) -> None:
    broken_anywhere(file, written, FLIPS, CUTS, random.Random())


@pytest.mark.soak
@pytest.mark.timeout(3_000)
def test_every_bit_of_a_small_one_counts(home: Home, file: Path) -> None:
    snap(home)
    bundle.write(home.mirror, file, remote="main")
    content = file.read_bytes()
    for at in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[at // 8] ^= 1 << at % 8
        file.write_bytes(flipped)
        with pytest.raises(BundleDamaged):
            bundle.check(file)


def test_a_bit_that_means_nothing_is_told_from_the_rest(file: Path, written: bytes) -> None:
    flipped = bytearray(written)
    flipped[4] |= 1 << 4  # of the first frame's descriptor, which every decoder must ignore
    assert zstd.decompress(bytes(flipped)) == zstd.decompress(written)
    assert "though all of it still reads" in refused(file, bytes(flipped))


def test_damage_has_a_place(file: Path, written: bytes) -> None:
    second = zstd.get_frame_size(written)
    flipped = bytearray(written)
    flipped[second + 1_000] ^= 1
    said = refused(file, bytes(flipped))
    assert "nightly.tar.zst is damaged in items.jsonl, after line " in said
    assert "it cannot be decompressed" in said
    assert "nightly.tar.zst is damaged: it is too short to be one" in refused(file, b"")
    assert "breaks off" in refused(file, written[:-1])
    other = b"# a shell script, or whatever else\n" * 10
    assert "is damaged: it does not begin as a bundle does" in refused(file, other)


def test_more_may_stand_nowhere(file: Path, written: bytes) -> None:
    for more in (b"\0", b"more", written, zstd.compress(b"more"), written[-SEAL_BYTES:]):
        refused(file, written + more)
        refused(file, more + written)


def test_what_is_not_there_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere cannot be read: No such file"):
        bundle.check(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        bundle.check(tmp_path)
