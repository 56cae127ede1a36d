"""A stream of bytes as small Zstandard frames, sealed: whatever changes in the file is noticed.

Each frame holds at most `FRAME` bytes of content and its own checksum, so nothing is handed on that
was not checked, reading needs little memory whatever a file claims, and damage has a place. A
checksum of the content does not see every changed bit (some mean nothing to a decoder), so the file
ends in a skippable frame, which every decoder steps over, with the SHA-256 of all bytes before it.
"""

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from _hashlib import HASH

__all__ = [
    "FRAME",
    "SEAL_BYTES",
    "Broken",
    "FrameReader",
    "FrameWriter",
    "begun",
    "seal",
    "sealed",
    "zstd",
]

FRAME = 1 << 20
LEVEL = 10
CHUNK = 1 << 16

_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: LEVEL,
    zstd.CompressionParameter.checksum_flag: 1,
}
_LIMITS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: FRAME.bit_length() - 1}

MAGIC = (0xFD2FB528).to_bytes(4, "little")
_SEAL = b"sha256 %b\n"
_HEAD = struct.pack("<II", 0x184D2A50, len(_SEAL % bytes(64)))
SEAL_BYTES = len(_HEAD + _SEAL % bytes(64))


class Broken(ValueError):
    """The bytes are not as they were written; the message says what is wrong, not where."""


def seal(digest: str) -> bytes:
    """Return the end of a file whose other bytes have this SHA-256."""
    return _HEAD + _SEAL % digest.encode()


@dataclass(slots=True)
class FrameWriter:
    """Writes content as frames. `close` writes the end, and leaves the stream open."""

    stream: BinaryIO
    _held: bytearray = field(default_factory=bytearray)
    _digest: "HASH" = field(default_factory=sha256)

    def write(self, content: bytes) -> None:
        """Add content, as long as it may be."""
        for at in range(0, len(content), FRAME):
            self._held += content[at : at + FRAME]
            if len(self._held) >= FRAME:
                self._put(self._held[:FRAME])
                del self._held[:FRAME]

    def close(self) -> None:
        """Write what is left, and the seal."""
        if self._held:
            self._put(self._held)
        self.stream.write(seal(self._digest.hexdigest()))

    def _put(self, content: bytes | bytearray) -> None:
        frame = zstd.compress(content, options=_OPTIONS)
        self._digest.update(frame)
        self.stream.write(frame)


def sealed(stream: BinaryIO) -> bool:
    """Tell whether a file is, byte for byte, what was written. Raises Broken for no whole file."""
    size = stream.seek(0, 2)
    stream.seek(0)
    if size < SEAL_BYTES + len(MAGIC):
        raise Broken("it is too short to be one")
    found, left = sha256(), size - SEAL_BYTES
    while left:
        chunk = stream.read(min(CHUNK, left))
        found.update(chunk)
        left -= len(chunk)
        if not chunk:
            raise Broken("it became shorter while it was read")
    return stream.read(SEAL_BYTES) == seal(found.hexdigest())


def begun(stream: BinaryIO) -> bool:
    """Tell whether a file begins with a frame; reading goes on at its beginning."""
    stream.seek(0)
    found = stream.read(len(MAGIC))
    stream.seek(0)
    return found == MAGIC


class FrameReader:
    """Reads content back, frame by frame; nothing comes out of a frame before all of it is sound.

    Every method raises Broken where the bytes are not as they were written.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._left = max(stream.seek(0, 2) - SEAL_BYTES, 0)
        stream.seek(0)
        self._stream = stream
        self._frames = self._contents()
        self._held = b""

    def some(self, most: int) -> bytes:
        """Return some content, at least one byte, at most `most`."""
        if not self._held:
            self._held = next(self._frames, b"")
            if not self._held:
                raise Broken("it breaks off")
        found, self._held = self._held[:most], self._held[most:]
        return found

    def exactly(self, size: int) -> bytes:
        """Return so many bytes of content; for small numbers."""
        parts: list[bytes] = []
        while size:
            parts.append(self.some(size))
            size -= len(parts[-1])
        return b"".join(parts)

    def at_end(self) -> bool:
        """Tell whether all content was read."""
        return not self._held and next(self._frames, None) is None

    def _contents(self) -> Iterator[bytes]:
        data = b""
        while data or self._left:
            decoder = zstd.ZstdDecompressor(options=_LIMITS)
            content = bytearray()
            while not decoder.eof:
                if decoder.needs_input and not data:
                    data = self._more()
                content += _decoded(decoder, data, FRAME + 1 - len(content))
                data = b""
                if len(content) > FRAME:
                    raise Broken("a frame of it holds more than one may")
            data = decoder.unused_data
            yield bytes(content)

    def _more(self) -> bytes:
        data = self._stream.read(min(CHUNK, self._left))
        if not data:
            raise Broken("it breaks off")
        self._left -= len(data)
        return data


def _decoded(decoder: "zstd.ZstdDecompressor", data: bytes, most: int) -> bytes:
    try:
        return decoder.decompress(data, max_length=most)
    except zstd.ZstdError:
        raise Broken("it cannot be decompressed") from None
