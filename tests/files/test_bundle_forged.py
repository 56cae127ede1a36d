"""A bundle that somebody made to do harm is refused, and costs neither memory nor files."""

import json
import random
import tarfile
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dssync.errors import BundleDamaged, Refused
from dssync.files import bundle
from dssync.files import bundleform as form
from dssync.files.frames import FRAME, zstd
from tests.files.bundles import snap
from tests.files.forging import (
    Contents,
    Headers,
    becomes,
    bomb,
    claiming,
    framed,
    framed_with,
    line,
    members,
    packed,
    refused,
    sealed,
    signed,
    summed,
    told,
)
from tests.mirror.conftest import Home


@pytest.fixture
def contents(home: Home, file: Path, tmp_path: Path) -> Contents:
    """The members of a small bundle."""
    snap(home)
    bundle.write(home.mirror, file, remote="main")
    found = members(file.read_bytes(), tmp_path)
    assert packed(summed(found), tmp_path) == file.read_bytes(), "what is made here is a bundle"
    return found


HEADERS: Mapping[str, Headers] = {
    "an absolute name": {form.PEOPLE: becomes(name="/etc/passwd")},
    "a name that leads out": {form.README: becomes(name="../README.txt")},
    "a symbolic link": {form.PEOPLE: becomes(type=tarfile.SYMTYPE, linkname="/etc/passwd")},
    "a hard link": {form.PEOPLE: becomes(type=tarfile.LNKTYPE, linkname="README.txt")},
    "a device": {form.PEOPLE: becomes(type=tarfile.CHRTYPE, devmajor=1)},
    "a sparse file": {"items.jsonl": becomes(type=tarfile.GNUTYPE_SPARSE)},
    "a folder": {form.README: becomes(type=tarfile.DIRTYPE)},
    "a duplicate": {"items.jsonl": becomes(name="datasets.jsonl")},
    "an owner": {form.MANIFEST: becomes(uname="root")},
    "more rights": {form.PEOPLE: becomes(mode=0o4755)},
    "another time": {form.PEOPLE: becomes(mtime=0)},
    "a size below zero": {form.README: becomes(size=-1)},
    "another size": {form.PEOPLE: becomes(size=1 << 40)},
    "a huge explanation": {form.README: becomes(size=1 << 40)},
    "an extended header": {form.PEOPLE: becomes(pax_headers={"comment": "a" * 10_000})},
}


@pytest.mark.parametrize("way", HEADERS)
def test_only_the_one_right_header_is_taken(
    file: Path, contents: Contents, tmp_path: Path, way: str
) -> None:
    said = refused(file, packed(summed(contents), tmp_path, HEADERS[way]))
    assert any(name in said for name in HEADERS[way])


ITEMS: Mapping[str, Callable[[bytes], bytes]] = {
    "line 2: it is no such line": lambda text: line(text, 1, key=7),
    "line 1: it is no such line": lambda text: line(text, 0, surprise=1),
    "line 3: it is no such line": lambda text: line(text, 2, deleted=1),
    "the key x stands twice": lambda text: line(line(text, 0, key="x"), 1, key="x"),
    "nobody in people.jsonl is zoe": lambda text: line(text, 1, created_by="zoe"),
    "other numbers of live records": lambda text: line(text, 1, deleted=True),
    "its last line breaks off": lambda text: text[:-1],
    "line 1: it is not written as such a line is": lambda text: b" " + text,
    "line 4: it is no such line": lambda text: text + b"[" * 100_000 + b"\n",
    "line 5: it is no such line": lambda text: text + text.splitlines(True)[0][:9] + b"\xff\n",
}


@pytest.mark.parametrize("said", ITEMS)
def test_only_lines_of_a_bundle_are_taken(
    file: Path, contents: Contents, tmp_path: Path, said: str
) -> None:
    changed = contents | {"items.jsonl": ITEMS[said](contents["items.jsonl"])}
    file.write_bytes(packed(summed(changed), tmp_path))
    with pytest.raises(BundleDamaged, match=r"in items\.jsonl") as caught:
        bundle.check(file)
    assert said.removeprefix("line 5: ") in caught.value.message


def test_the_manifest_tells_of_nothing_else(file: Path, contents: Contents, tmp_path: Path) -> None:
    manifest = json.loads(contents[form.MANIFEST])
    listed = manifest["members"]
    for changes in (
        {"members": listed[:-1]},
        {"members": [*listed, listed[0]]},
        {"members": [listed[0] | {"size": -1}, *listed[1:]]},
        {"members": [*listed[:-1], listed[-1] | {"size": 1 << 50}]},
        {"members": [*listed[:-1], listed[-1] | {"lines": 2}]},
        {"members": [*listed[:-1], listed[-1] | {"sha256": "0" * 64}]},
        {"members": [listed[0] | {"sha256": "0" * 64}, *listed[1:]]},
        {"members": [listed[0], listed[1] | {"size": 1 << 30}, *listed[2:]]},
        {"snapshot": manifest["snapshot"] | {"items": 4}},
        {"snapshot": manifest["snapshot"] | {"taken_at": "2026-11-24T00:00:00Z"}},
        {"snapshot": manifest["snapshot"] | {"taken_at": "soon"}},
    ):
        text = signed(manifest | changes)
        file.write_bytes(framed_with(contents | {form.MANIFEST: text}, tmp_path))
        with pytest.raises(BundleDamaged):
            bundle.check(file)
    unsigned = contents[form.MANIFEST].replace(b'"run": ', b'"run": 1')
    refused(file, framed_with(contents | {form.MANIFEST: unsigned}, tmp_path))


def test_flipped_bytes_below_a_right_seal_are_found(
    file: Path, contents: Contents, tmp_path: Path
) -> None:
    whole, chance = (tmp_path / "all.tar").read_bytes(), random.Random(5)
    assert contents
    for _ in range(100):
        at = chance.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[at] ^= chance.randrange(1, 256)
        file.write_bytes(framed(bytes(flipped), tmp_path))
        with pytest.raises(BundleDamaged):
            bundle.check(file)


def test_a_newer_format_is_refused_for_what_it_is(
    file: Path, contents: Contents, tmp_path: Path
) -> None:
    file.write_bytes(packed(told(contents, format=2), tmp_path))
    with pytest.raises(Refused, match="a bundle of format 2, and this dssync reads 1") as caught:
        bundle.check(file)
    assert "upgrade dssync" in caught.value.hint


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "a frame that inflates": bomb,
    "a frame that claims terabytes": lambda: claiming(1 << 44, 20),
    "a frame that wants a huge window": lambda: claiming(1 << 44, 31),
    "frames of nothing": lambda: zstd.compress(b"") * 10_000,
    "one long line": lambda: b"".join([zstd.compress(b"[" * FRAME)] * 400),
}


@pytest.mark.parametrize("way", BOMBS)
def test_no_bomb_goes_off(file: Path, way: str) -> None:
    content = sealed(BOMBS[way]())
    tracemalloc.start()
    try:
        refused(file, content)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_a_line_that_never_ends_is_left(
    file: Path, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form, "LONGEST", 1 << 22)
    changed = contents | {"items.jsonl": b"[" * (1 << 24) + b"\n"}
    content = packed(summed(changed), tmp_path)
    tracemalloc.start()
    assert "a line of it is longer than one may be" in refused(file, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
