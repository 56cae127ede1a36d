"""Bundles by somebody who knows the format: what they say is wrong, and their digests are right."""

import json
import struct
import tarfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dssync.errors import BundleDamaged
from dssync.files import bundle
from dssync.files import bundleform as form
from dssync.files.frames import FrameWriter, seal, zstd


def refused(file: Path, content: bytes) -> str:
    """Prove that a file is refused in one sentence, by everything that reads one."""
    file.write_bytes(content)
    with pytest.raises(BundleDamaged) as caught:
        bundle.check(file)
    assert caught.value.exit_code == 9
    assert "\n" not in caught.value.message
    with pytest.raises(BundleDamaged):
        list(bundle.records(file, "item"))
    with pytest.raises(BundleDamaged):
        bundle.extract(file, file.with_name("unpacked"))
    assert not file.with_name("unpacked").exists()
    return caught.value.message


Contents = dict[str, bytes]
Headers = Mapping[str, Callable[[tarfile.TarInfo], object]]


def members(written: bytes, path: Path) -> Contents:
    (path / "all.tar").write_bytes(zstd.decompress(written))
    with tarfile.open(path / "all.tar") as archive:
        streams = ((info.name, archive.extractfile(info)) for info in archive)
        return {name: stream.read() for name, stream in streams if stream is not None}


def summed(contents: Contents) -> Contents:
    """Write the manifest anew for these contents."""
    told = json.loads(contents[form.MANIFEST])
    told["members"] = [
        {
            "name": name,
            "size": len(content),
            "lines": content.count(b"\n"),
            "sha256": sha256(content).hexdigest(),
        }
        for name, content in contents.items()
        if name != form.MANIFEST
    ]
    return contents | {form.MANIFEST: signed(told)}


def signed(told: dict[str, Any]) -> bytes:
    made = msgspec.convert({**told, "digest": ""}, form.Manifest)
    return msgspec.structs.replace(made, digest=made.computed()).text()


def packed(contents: Contents, path: Path, change: Headers | None = None) -> bytes:
    """Make the archive, with changed headers, and seal it."""
    mtime = msgspec.json.decode(contents[form.MANIFEST], type=form.Manifest).mtime
    raw = b""
    for name, content in contents.items():
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = len(content), mtime, 0o600
        if change and name in change:
            change[name](info)
        raw += info.tobuf(tarfile.PAX_FORMAT) + content + form.padding(len(content))
    return framed(raw + form.ending(len(raw)), path)


def framed(raw: bytes, path: Path) -> bytes:
    with (path / "packed").open("wb") as stream:
        writer = FrameWriter(stream)
        writer.write(raw)
        writer.close()
    return (path / "packed").read_bytes()


def becomes(**changes: Any) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        for name, value in changes.items():
            setattr(info, name, value)

    return change


def line(content: bytes, number: int, **changes: object) -> bytes:
    rows = content.splitlines(keepends=True)
    text = json.dumps(json.loads(rows[number]) | changes, separators=(",", ":"), ensure_ascii=False)
    rows[number] = text.encode() + b"\n"
    return b"".join(rows)


def told(contents: Contents, **changes: Any) -> Contents:
    return contents | {form.MANIFEST: signed(json.loads(contents[form.MANIFEST]) | changes)}


def framed_with(contents: Contents, path: Path) -> bytes:
    """Make the archive with the time of the bundle it was made from."""
    with tarfile.open(path / "all.tar") as archive:
        mtime = int(archive.getmembers()[0].mtime)
    raw = b"".join(
        form.header(name, len(content), mtime) + content + form.padding(len(content))
        for name, content in contents.items()
    )
    return framed(raw + form.ending(len(raw)), path)


def sealed(frames: bytes) -> bytes:
    return frames + seal(sha256(frames).hexdigest())


def bomb() -> bytes:
    """A frame of 2 GB of zeros in little."""
    packer = zstd.ZstdCompressor(level=1)
    block = bytes(1 << 24)
    return b"".join(packer.compress(block) for _ in range(128)) + packer.flush()


def claiming(size: int, window: int) -> bytes:
    """The head of a frame that claims a size and a window, and a block of zeros."""
    head = struct.pack("<IBBQ", 0xFD2FB528, 0b1100_0000, (window - 10) << 3, size)
    return head + struct.pack("<I", 1 | 1 << 1 | 100_000 << 3)[:3] + b"\0"
