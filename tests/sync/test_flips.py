"""Every bit that flips is found by `verify`, or shows as an edit; none is carried on unseen."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from random import Random

import pytest

from dssync.errors import DssyncError, MirrorDamaged, NoMirror
from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from dssync.sync.comparing import compare_remotes
from dssync.sync.verifier import Verified, verify
from tests.clock import FakeClock
from tests.sync.flipping import Spot, Value, columns, fill, flip, flipped, spots
from tests.sync.world import World

PROVED_BY_SNAPSHOTS = ("key", "run", "absent_since")
"""Since when a record is so is proved by the snapshots; a wrong key is named as it is."""

Pending = dict[tuple[str, str], object]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    clock = FakeClock()
    path = tmp_path_factory.mktemp("full") / "mirror.db"
    with Mirror.open(path, create=True) as mirror:
        world = World(Sandbox(now=clock.now, limits=()), clock, mirror)
        fill(world)
        yield world


def damaged(path: Path) -> Verified | None:
    """Return what `verify` says, None where the file is no mirror any more."""
    try:
        with Mirror.open(path) as mirror:
            return verify(mirror)
    except (MirrorDamaged, NoMirror):
        return None


def pending(world: World) -> Pending:
    plan = world.plan()
    shown: Pending = {change.spot: change.deltas for change in plan.changes}
    return shown | {(c.kind, c.key): c.conflicts for c in plan.conflicts}


def copied(full: World, path: Path) -> World:
    """Open a copied mirror, with a server of its own that holds the same."""
    clock = FakeClock(full.clock.now())
    sandbox = Sandbox(now=clock.now, limits=())
    for name in ("_tables", "_people", "_last"):
        setattr(sandbox.state, name, deepcopy(getattr(full.sandbox.state, name)))
    return World(sandbox, clock, Mirror.open(path))


def test_the_mirror_has_every_class_of_row_and_is_whole(full: World) -> None:
    found = verify(full.mirror)
    assert found.damages == ()
    assert len({spot.name for spot in spots(full.mirror.path)}) >= 20


Case = tuple[Spot, str, Value]


def cases(full: World) -> list[Case]:
    path = full.mirror.path
    return [(spot, name, value) for spot in spots(path) for name, value in columns(path, spot)]


def hidden(full: World, path: Path, chosen: list[Case], bit: int) -> Iterator[str]:
    """Yield the flips that neither `verify` nor `diff` shows."""
    before = pending(full)
    for spot, column, value in chosen:
        copy(full, path)
        if not flip(path, spot, column, flipped(value, bit)):
            continue
        found = damaged(path)
        if found is None:
            continue
        if found.damages:
            named = {damage.key for damage in found.damages}
            if spot.key and column not in PROVED_BY_SNAPSHOTS and spot.key not in named:
                yield f"{spot}: {column} {value!r}: not named: {found.damages}"
            continue
        with Mirror.open(path) as mirror:
            if pending(World(full.sandbox, full.clock, mirror)) == before:
                yield f"{spot}: {column} {value!r} -> {flipped(value, bit)!r}"


def carried(full: World, path: Path, chosen: list[Case], bit: int) -> Iterator[str]:
    """Yield what a pull and a push carry on of a flip that nobody was shown."""
    usual = pending(full)
    for spot, column, value in chosen:
        copy(full, path)
        if not flip(path, spot, column, flipped(value, bit)):
            continue
        found = damaged(path)
        if found is None:
            continue
        told = {damage.key for damage in found.damages}
        world = copied(full, path)
        with world.mirror:
            shown = pending(world)
            sent = synced(world, shown)
            fresh = {s: d for s, d in sent.items() if d != usual.get(s) and s[1] not in told}
            if any(shown.get(spot) != deltas for spot, deltas in fresh.items()):
                yield f"{spot}: {column} {value!r}: pushed {fresh}"
            yield from (f"{spot}: {column} {value!r}: {what}" for what in taken(world, told))


def synced(world: World, shown: Pending) -> Pending:
    """Pull and push, and return what was sent; a refusal sends nothing."""
    try:
        world.pull()
        prepared = world.prepare()
        world.apply(prepared)
    except DssyncError:
        return {}
    return {change.spot: change.deltas for change in prepared.plan.changes}


def taken(world: World, told: set[str | None]) -> Iterator[object]:
    """Pull once more, and yield what is wrong in the newest snapshot that nobody was told."""
    try:
        world.pull()
        [compared] = compare_remotes(world.mirror, world.remotes, world.session)
    except DssyncError:
        return
    ids: dict[str, str] = dict(
        world.sql("SELECT id, key FROM items UNION SELECT id, key FROM datasets")
    )
    for difference in compared.differences:
        if ids.get(difference.id) not in told and difference.found == "damaged":
            yield difference
    newest = compared.snapshot.run if compared.snapshot else 0
    for damage in verify(world.mirror).damages:
        if newest in damage.snapshots and (damage.key not in told if damage.key else not told):
            yield damage


def copy(full: World, path: Path) -> None:
    for beside in ("", "-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    with closing(sqlite3.connect(full.mirror.path)) as whole, closing(sqlite3.connect(path)) as to:
        whole.backup(to)


def test_a_flip_in_any_column_of_any_class_is_seen(full: World, tmp_path: Path) -> None:
    some = Random(1).sample(cases(full), 30)
    assert list(hidden(full, tmp_path / "mirror.db", some, 0)) == []


def test_a_flip_is_carried_nowhere_unseen(full: World, tmp_path: Path) -> None:
    some = Random(2).sample(cases(full), 5)
    assert list(carried(full, tmp_path / "mirror.db", some, 0)) == []


@pytest.mark.soak
@pytest.mark.parametrize("bit", range(7))
def test_every_flip_in_every_column_of_every_class(full: World, tmp_path: Path, bit: int) -> None:
    assert list(hidden(full, tmp_path / "mirror.db", cases(full), bit)) == []
    assert list(carried(full, tmp_path / "mirror.db", cases(full), bit)) == []


TABLES = [
    *(f"{kind}{part}" for kind in ("datasets", "items") for part in ("", "_pending", "_history")),
    "snapshots",
    "people",
]
"""What `verify` proves; receipts and the journal are notes."""


def proved(path: Path) -> list[list[tuple[object, ...]]]:
    """Return every row of these tables, whatever damage made of its text."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        return [
            connection.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall() for name in TABLES
        ]


def broken_by(full: World, path: Path, at: int, bit: int) -> str:
    """Flip a bit of the file, use it in every way, and say what nobody was shown."""
    copy(full, path)
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)
    found = damaged(path)
    if found is None:
        return ""
    try:
        world = copied(full, path)
        with world.mirror:
            unseen = not found.damages and pending(world) == pending(full)
            if unseen and proved(path) != proved(full.mirror.path):
                return f"byte {at}, bit {bit}: not seen"
            world.pull()
            world.apply(world.prepare())
            verify(world.mirror)
    except DssyncError:
        pass
    return ""


@pytest.mark.parametrize("count", [5, pytest.param(500, marks=pytest.mark.soak)])
def test_a_flipped_bit_of_the_file(full: World, tmp_path: Path, count: int) -> None:
    random, size = Random(count), full.mirror.path.stat().st_size
    path = tmp_path / "mirror.db"
    flips = [(random.randrange(size), random.randrange(8)) for _ in range(count)]
    assert [said for at, bit in flips if (said := broken_by(full, path, at, bit))] == []
