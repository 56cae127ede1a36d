"""Read a bundle, strictly: every byte is one that its manifest tells, or it is refused.

A bundle may come from anywhere. Names, sizes, times and types in its archive are compared with what
they must be, never followed; nothing is read into memory beyond stated bounds.
"""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from dssync.core.fields import KINDS, KindName
from dssync.errors import BundleDamaged, Refused, UsageError
from dssync.files import bundleform as form
from dssync.files.frames import Broken, FrameReader, begun, sealed

_SQLITE = b"SQLite format 3\0"

Line = TypeVar("Line", bound=msgspec.Struct)


@dataclass(slots=True)
class BundleReader:
    """Reads the members in their order, each to its end, as the archive has them.

    `place` says where reading is, as damage is told: "in items.jsonl, line 7".
    """

    frames: FrameReader
    place: str = ""
    size: int = 0
    explanation: bytes = b""
    manifest: form.Manifest = field(init=False)

    def begin(self) -> None:
        """Read the explanation and the manifest. Raises Broken."""
        self.place = f"in {form.README}"
        first = self._take(tarfile.BLOCKSIZE)
        size, mtime = _measured(first)
        self._expect(first, form.header(form.README, size, mtime))
        self.explanation = self._small(form.README, size)
        self.place = f"in {form.MANIFEST}"
        second = self._take(tarfile.BLOCKSIZE)
        size, _ = _measured(second)
        self._expect(second, form.header(form.MANIFEST, size, mtime))
        self.manifest = _manifest(self._small(form.MANIFEST, size), mtime)
        self.place = f"in {form.README}"
        if _summed(form.README, self.explanation) != self.manifest.members[0]:
            raise Broken("it is not what the manifest says")

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the next member's content in pieces, proved at its end. Raises Broken."""
        self.place = f"in {name}"
        member = self._member(name)
        head = form.header(name, member.size, self.manifest.mtime)
        self._expect(self._take(len(head)), head)
        found, left = sha256(), member.size
        while left:
            piece = self.frames.some(left)
            left -= len(piece)
            self.size += len(piece)
            found.update(piece)
            yield piece
        if found.hexdigest() != member.sha256:
            raise Broken("it is not what the manifest says")
        pad = form.padding(member.size)
        self._expect(self._take(len(pad)), pad)

    def lines(self, name: str, shape: type[Line]) -> Iterator[Line]:
        """Yield the next member's lines. Raises Broken."""
        decoder = msgspec.json.Decoder(shape)
        number = 0
        for number, raw in enumerate(_split(self.pieces(name)), 1):
            self.place = f"in {name}, line {number}"
            try:
                line = decoder.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise Broken(f"it is no such line ({error})") from None
            if msgspec.json.encode(line) + b"\n" != raw:
                raise Broken("it is not written as such a line is")
            yield line
            self.place = f"in {name}, after line {number} ({_name(line)})"
        self.place = f"in {name}"
        if number != self._member(name).lines:
            raise Broken("it has another number of lines than the manifest says")

    def people(self) -> dict[str, str]:
        """Read who made records: profiles by id. Raises Broken."""
        people: dict[str, str] = {}
        if self._member(form.PEOPLE).size > form.LARGEST[form.PEOPLE]:
            self.place = f"in {form.PEOPLE}"
            raise Broken("it is larger than it may be")
        for line in self.lines(form.PEOPLE, form.PersonLine):
            if people.setdefault(line.id, line.profile) is not line.profile:
                raise Broken(f"the id {line.id} stands twice in it")
        return people

    def records(self, kind: KindName) -> Iterator[Any]:
        """Yield the lines of the next member, which holds records of a kind. Raises Broken."""
        return self.lines(form.RECORDS[kind], form.LINES[kind])

    def end(self) -> None:
        """Read to the end of the file. Raises Broken."""
        self.place = "at its end"
        tail = form.ending(self.size)
        self._expect(self._take(len(tail)), tail)
        if not self.frames.at_end():
            raise Broken("something stands behind it")

    def _member(self, name: str) -> form.Member:
        return self.manifest.members[form.MEMBERS.index(name)]

    def _small(self, name: str, size: int) -> bytes:
        if size > form.LARGEST[name]:
            raise Broken("it is larger than it may be")
        content = self._take(size)
        pad = form.padding(size)
        self._expect(self._take(len(pad)), pad)
        return content

    def _take(self, size: int) -> bytes:
        self.size += size
        return self.frames.exactly(size)

    @staticmethod
    def _expect(found: bytes, wanted: bytes) -> None:
        if found != wanted:
            raise Broken("what stands around it in the archive is not what a bundle has")


def _measured(block: bytes) -> tuple[int, int]:
    """Return size and time of a header that is only to be compared with the one expected."""
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise Broken(f"its header is none ({error})") from None
    if info.size < 0:
        raise Broken("its header is none (a size below zero)")
    return info.size, int(info.mtime)


def _manifest(text: bytes, mtime: int) -> form.Manifest:
    try:
        head = msgspec.json.decode(text, type=form.Head)
        if head.what == form.WHAT and head.format > form.FORMAT:
            raise Refused(
                f"it is a bundle of format {head.format}, and this dssync reads {form.FORMAT}",
                hint="upgrade dssync; or read it with tar, as its README.txt says",
            )
        found = msgspec.json.decode(text, type=form.Manifest)
        told = found.mtime
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        raise Broken(f"it is no manifest ({error})") from None
    if found.text() != text or found.computed() != found.digest:
        raise Broken("it is not what its own digest says")
    if tuple(member.name for member in found.members) != form.MEMBERS or told != mtime:
        raise Broken("it does not tell of this archive")
    if any(member.size < 0 for member in found.members):
        raise Broken("it tells of a file that cannot be")
    return found


def _summed(name: str, content: bytes) -> form.Member:
    return form.Member(name, len(content), content.count(b"\n"), sha256(content).hexdigest())


def _split(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut content into lines, each with its line feed."""
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        at = 0
        while end := piece.find(b"\n", at) + 1:
            yield b"".join([*held, piece[at:end]])
            held, length, at = [], 0, end
        held.append(piece[at:])
        length += len(piece) - at
        if length > form.LONGEST:
            raise Broken("a line of it is longer than one may be")
    if length:
        raise Broken("its last line breaks off")


def _name(line: Any) -> str:
    return _brief(str(line.key if hasattr(line, "key") else line.id), 60)


def _brief(text: str, most: int) -> str:
    """Keep what a file says of itself to one line."""
    return text if text.isprintable() and len(text) <= most else ascii(text[:most])


@contextmanager
def reading(path: Path) -> Iterator[BundleReader]:
    """Open a bundle that is, byte for byte, what was written; the manifest is read.

    Raises BundleDamaged with the place of the damage, also inside the block; UsageError for a file
    that cannot be opened.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    with stream:
        reader = BundleReader(FrameReader(stream))
        with _told(path, reader):
            whole = sealed(stream)
            reader.frames = FrameReader(stream)
            if not whole and _is_mirror(stream):
                raise UsageError(
                    f"{path} is no bundle, but a database",
                    hint="if it is a mirror: dssync --mirror FILE verify",
                )
            if not whole and not begun(stream):
                raise Broken("it does not begin as a bundle does")
            reader.begin()
            if not whole:
                walk(reader)
                reader.place = ""
                raise Broken("its bytes are not as they were written, though all of it still reads")
            yield reader


def _is_mirror(stream: BinaryIO) -> bool:
    """Tell whether it begins as a file of SQLite, as no single damage makes a bundle begin."""
    stream.seek(0)
    return stream.read(len(_SQLITE)) == _SQLITE


@contextmanager
def _told(path: Path, reader: BundleReader) -> Iterator[None]:
    try:
        yield
    except Broken as error:
        where = _brief(f"damaged {reader.place}".rstrip(), 200)
        raise BundleDamaged(
            f"{path} is {where}: {_brief(str(error), 200)}", hint="use another copy of it"
        ) from None
    except Refused as error:
        raise Refused(f"{path}: {error.message}", hint=error.hint) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def walk(reader: BundleReader) -> None:
    """Read everything behind the manifest and prove it. Raises Broken."""
    people = reader.people()
    live: dict[KindName, int] = {}
    for kind in KINDS:
        seen: set[str] = set()
        live[kind] = 0
        for line in reader.records(kind):
            if line.key in seen:
                raise Broken(f"the key {line.key} stands twice in it")
            if line.created_by is not None and line.created_by not in people:
                raise Broken(f"nobody in {form.PEOPLE} is {line.created_by}")
            seen.add(line.key)
            live[kind] += line.absent_since is None and not line.deleted
    told = reader.manifest.snapshot
    if (live["dataset"], live["item"]) != (told.datasets, told.items):
        raise Broken("it has other numbers of live records than the manifest says")
    reader.end()
