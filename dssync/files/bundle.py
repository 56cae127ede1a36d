"""One remote at one snapshot as a plain file, for decades and for other mirrors.

`write` makes one, `check` proves one, `records` gives back what `mirror.past.held` gave when it was
made. docs/bundle.md describes the format, and how to read one without this program.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

import msgspec

from dssync import version
from dssync.core.fields import KINDS, KindName
from dssync.core.moment import chosen
from dssync.core.snapshot import Snapshot
from dssync.errors import ConfigError, MirrorDamaged, UsageError
from dssync.files import bundleform as form
from dssync.files.bundlereader import reading, walk
from dssync.files.frames import Broken, FrameWriter, zstd
from dssync.files.layout import told
from dssync.mirror import Mirror, Transaction, past, remotes, snapshots
from dssync.mirror.past import Past

if TYPE_CHECKING:
    from _hashlib import HASH


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that is sound: where it is, how large, and what it says of itself."""

    path: Path
    bytes: int
    manifest: form.Manifest

    @property
    def records(self) -> int:
        """How many records it holds, the deleted and the absent included."""
        return sum(m.lines for m in self.manifest.members if m.name in form.RECORDS.values())


def write(
    mirror: Mirror, path: Path, *, remote: str, at: str | None = None, force: bool = False
) -> Bundle:
    """Write one remote at one snapshot, the newest unless `at` names another, and read it back.

    The same snapshot gives the same bytes. Raises UsageError where `path` exists, unless `force`;
    MirrorDamaged where the mirror no longer holds what the snapshot held.
    """
    refuse_place(path, force=force)
    with told(path, "written"), ExitStack() as stack:
        tx = stack.enter_context(mirror.database.read())
        snapshot = chosen(snapshots.known(tx, [remote]), at, remote)
        _refuse_damaged(tx, snapshot)
        spools = _spooled(tx, snapshot, path.parent, stack)
        partial, stream = stack.enter_context(_partial(path))
        manifest = _manifest(_origin(tx, remote), snapshot, spools)
        _put(stream, manifest, spools)
        stream.flush()
        os.fsync(stream.fileno())
        check(partial)
        _name(partial, path, force=force)
    return Bundle(path, path.stat().st_size, manifest)


def refuse_place(path: Path, *, force: bool) -> None:
    """Raise UsageError where no file can be named so, before anything long is done."""
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no folder", hint="make it, or name another")
    if path.exists() and not force:
        raise _exists(path)


def check(path: Path) -> Bundle:
    """Prove every byte of a bundle, and every line. Raises BundleDamaged, which says where."""
    with reading(path) as reader:
        walk(reader)
    return Bundle(path, path.stat().st_size, reader.manifest)


def describe(path: Path) -> form.Manifest:
    """Return what a bundle says of itself, its bytes proved. Raises BundleDamaged."""
    with reading(path) as reader:
        return reader.manifest


def records(path: Path, kind: KindName) -> Iterator[Past]:
    """Yield the records of a kind as they were held, in the same order, newest first.

    The file's bytes are proved before the first record. `created_by` is the profile as it was when
    the bundle was made. Raises BundleDamaged.
    """
    with reading(path) as reader:
        people = reader.people()
        for each in KINDS:
            if each == kind:
                yield from _pasts(kind, reader.records(kind), people)
                return
            for _ in reader.pieces(form.RECORDS[each]):
                pass  # what stands before is read, since every member is proved at its end


def _pasts(
    kind: KindName, lines: Iterator[msgspec.Struct], people: dict[str, str]
) -> Iterator[Past]:
    for line in lines:
        try:
            yield form.past_of(kind, line, people)
        except KeyError as error:
            raise Broken(f"nobody in {form.PEOPLE} is {error.args[0]}") from None


def extract(path: Path, folder: Path) -> Bundle:
    """Write the files of a bundle into a new or empty folder, once all of it is proved.

    No name in the archive is followed: it must have the five files of a bundle, which are written
    under the names that this program knows.
    """
    found = check(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is no empty folder", hint="name a new one")
    with reading(path) as reader, told(folder, "written"):
        folder.mkdir(parents=True, exist_ok=True)
        _extract(folder, form.README, iter([reader.explanation]))
        _extract(folder, form.MANIFEST, iter([reader.manifest.text()]))
        for name in form.MEMBERS[1:]:
            _extract(folder, name, reader.pieces(name))
    return found


def _extract(folder: Path, name: str, pieces: Iterator[bytes]) -> None:
    # exclusive: a link that somebody puts there meanwhile is not followed
    with open(folder / name, "xb", opener=_private) as stream:
        for piece in pieces:
            stream.write(piece)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def choose(mirror: Mirror, name: str | None) -> str:
    """Return the remote that is meant, the only one where none is named. Raises ConfigError."""
    known = [each.name for each in mirror.remotes()]
    if not known:
        raise ConfigError("the mirror holds no remote yet", hint="dssync pull")
    if name is None and len(known) != 1:
        there = f"the mirror holds {', '.join(known)}"
        raise ConfigError(f"a bundle is of one remote, and {there}", hint="name it: -r NAME")
    if name is not None and name not in known:
        raise ConfigError(f"the mirror holds no remote {name}")
    return name or known[0]


def _refuse_damaged(tx: Transaction, snapshot: Snapshot) -> None:
    if not snapshots.stands(tx, snapshot):
        raise _damaged(snapshot, "what the mirror keeps does not add up to it")
    for kind in KINDS:
        for key in past.unsound(tx, snapshot.remote, snapshot.run, kind):
            raise _damaged(snapshot, f"{kind} {key} is not as it was kept")


def _damaged(snapshot: Snapshot, why: str) -> MirrorDamaged:
    return MirrorDamaged(
        f"no bundle was made of snapshot {snapshot.run} of {snapshot.remote}: {why}",
        hint="dssync verify says what is damaged",
    )


@dataclass(slots=True)
class _Spool:
    """A member while its size is not known yet: kept compressed, and summed up."""

    name: str
    raw: IO[bytes]
    lines: int = 0
    size: int = 0
    _digest: "HASH" = field(default_factory=sha256)
    _packer: zstd.ZstdCompressor = field(default_factory=lambda: zstd.ZstdCompressor(level=1))

    def add(self, line: bytes) -> None:
        self.lines += 1
        self.size += len(line)
        self._digest.update(line)
        self.raw.write(self._packer.compress(line))

    def member(self) -> form.Member:
        return form.Member(self.name, self.size, self.lines, self._digest.hexdigest())

    def content(self) -> Iterator[bytes]:
        self.raw.write(self._packer.flush())
        self.raw.seek(0)
        with zstd.ZstdFile(self.raw, "rb") as stream:
            while piece := stream.read(form.PIECE):
                yield piece


def _spooled(
    tx: Transaction, snapshot: Snapshot, folder: Path, stack: ExitStack
) -> dict[str, _Spool]:
    """Write every line once, so that the manifest in front can tell of them."""
    spools: dict[str, _Spool] = {}
    for name in form.MEMBERS:
        raw = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, the stack closes it
        spools[name] = _Spool(name, stack.enter_context(raw))
    for line in form.EXPLANATION.splitlines(keepends=True):
        spools[form.README].add(line.encode())
    ids, made = past.people(tx), dict[str, str]()
    for kind in KINDS:
        for each in past.held(tx, snapshot.remote, snapshot.run, kind):
            person = ids[each.created_by] if each.created_by is not None else None
            if person is not None:
                made[person] = each.created_by or ""
            spools[form.RECORDS[kind]].add(_line(snapshot, each, person))
    for id, profile in sorted(made.items()):
        spools[form.PEOPLE].add(msgspec.json.encode(form.PersonLine(id, profile)) + b"\n")
    return spools


def _line(snapshot: Snapshot, each: Past, person: str | None) -> bytes:
    try:
        if not each.broken:
            return form.line_of(each, person)
    except ValueError as error:
        raise _damaged(snapshot, f"{each.kind} {each.key} cannot be read ({error})") from None
    raise _damaged(snapshot, f"{each.kind} {each.key} no longer says what the server sent")


def _origin(tx: Transaction, name: str) -> form.Origin:
    [found] = [each for each in remotes.known(tx) if each.name == name]
    return form.Origin(
        found.name, found.host, found.scope, found.project, found.contract, found.team
    )


def _manifest(origin: form.Origin, snapshot: Snapshot, spools: dict[str, _Spool]) -> form.Manifest:
    taken = form.Taken(
        snapshot.run,
        snapshot.taken_at,
        snapshot.datasets,
        snapshot.items,
        tuple(form.Hole(each.kind, each.key, each.place) for each in snapshot.unread),
        snapshot.seal.hex(),
    )
    members = tuple(spool.member() for spool in spools.values())
    made = form.Manifest(form.WHAT, form.FORMAT, version(), origin, taken, members)
    return msgspec.structs.replace(made, digest=made.computed())


def _put(stream: BinaryIO, manifest: form.Manifest, spools: dict[str, _Spool]) -> None:
    writer = FrameWriter(stream)
    size = 0
    readme, *rest = spools.values()
    text = manifest.text()
    for name, length, pieces in chain(
        [(readme.name, readme.size, readme.content()), (form.MANIFEST, len(text), iter([text]))],
        ((spool.name, spool.size, spool.content()) for spool in rest),
    ):
        head, pad = form.header(name, length, manifest.mtime), form.padding(length)
        for piece in chain([head], pieces, [pad]):
            writer.write(piece)
        size += len(head) + length + len(pad)
    writer.write(form.ending(size))
    writer.close()


@contextmanager
def _partial(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Give a file beside the one that is to be, for nobody else to read, and take it away again."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield partial, stream
    finally:
        partial.unlink(missing_ok=True)


def _name(partial: Path, path: Path, *, force: bool) -> None:
    """Let the whole file appear under its name, at once and for good."""
    if force:
        partial.replace(path)
    else:
        try:
            path.hardlink_to(partial)  # unlike a rename, never takes the place of another file
        except FileExistsError:
            raise _exists(path) from None
        except OSError:  # a file system without links, such as a memory stick's
            if path.exists():
                raise _exists(path) from None
            partial.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _exists(path: Path) -> UsageError:
    return UsageError(f"{path} exists", hint="name another file, or add --force to replace it")
