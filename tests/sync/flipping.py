"""A mirror with every class of row in it, and ways to flip a bit of one behind the triggers."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx

from dssync.sandbox import Fault, generate
from tests.sync.world import World, sql

GHOST = "0199d009-0000-7000-8000-000000000009"
LOST = "0199d008-0000-7000-8000-000000000008"
POISON = 2**64

Value = str | int | float | bytes | None


@dataclass(frozen=True)
class Spot:
    """One row: its table, a condition that holds for it alone, its key if it is a record's."""

    name: str
    table: str
    where: str
    key: str | None

    def __str__(self) -> str:
        return self.name


def fill(world: World) -> None:
    """Let a mirror come to hold every class of row, in five runs and more."""
    state = world.sandbox.state
    generate(state, datasets=3, items=24, seed=3)
    ghost = state.insert("dataset", id=GHOST, name="ghost")
    state.insert("item", dataset=ghost, input="of a dataset that is not shown")
    state.delete("dataset", ghost)
    lost = state.insert("dataset", id=LOST, name="lost")
    state.insert("item", dataset=lost, input="of a dataset that gets lost")
    world.pull()
    world.clock.sleep(3600)
    datasets, items = _ids(world, "dataset"), _ids(world, "item")
    for kind, ids in (("dataset", datasets), ("item", items)):
        state.update(kind, ids[0], metadata={"now": "other"})  # type: ignore[arg-type]
    state.delete("item", items[1])
    state.delete("dataset", lost)
    world.pull()
    world.clock.sleep(3600)
    world.mirror.edit("item", items[2], {"metadata": '{"edited":"here"}'})
    world.mirror.edit("item", items[3], {"metadata": '{"edited":"here"}'})
    world.mirror.edit("dataset", datasets[1], {"description": "edited here"})
    state.update("item", items[3], output="changed there")
    world.mirror.recreate("dataset", lost)
    state.insert("item", dataset=datasets[0], id=items[4][:-4] + "ffff", input=POISON)
    world.pull()
    world.clock.sleep(3600)
    world.mirror.edit("item", items[5], {"metadata": '{"sent":"unread"}'})
    made = world.mirror.new("item", None, {"dataset": datasets[0], "input": '"sent"'})
    _push_blind(world, {items[5], made})
    world.mirror.new("dataset", "prod", {"name": "made here"})


def _push_blind(world: World, keys: set[str]) -> None:
    """Push some records, and let no read come through after the first answer to a write."""

    def cut(request: httpx.Request) -> None:
        if request.method in ("PATCH", "POST"):
            world.sandbox.faults.add(Fault("status", 503, method="GET", times=None))

    plan = world.plan()
    chosen = type(plan)(tuple(change for change in plan.changes if change.key in keys))
    prepared = world.prepare(plan=chosen)
    world.meddle(after=cut)
    world.apply(prepared)
    world.network = None
    world.sandbox.faults.clear()


def _ids(world: World, kind: str) -> list[str]:
    return [
        id
        for (id,) in world.sql(
            f"SELECT id FROM {kind}s WHERE id NOT IN (?, ?) AND digest IS NOT NULL ORDER BY rowid",
            GHOST,
            LOST,
        )
    ]


CLASSES = {
    "untouched": (
        "{0}",
        "key NOT IN (SELECT key FROM {0}_pending) AND length(digest) = 16 AND absent_since IS NULL",
    ),
    "tombstone": (
        "{0}",
        "key NOT IN (SELECT key FROM {0}_pending) AND length(digest) = 16"
        " AND absent_since IS NOT NULL",
    ),
    "believed": ("{0}", "key NOT IN (SELECT key FROM {0}_pending) AND length(digest) = 15"),
    "stand-in": ("{0}", "id IS NOT NULL AND digest IS NULL"),
    "named stand-in": ("{0}", "id IS NOT NULL AND digest IS NULL AND name IS NOT NULL"),
    "touched": (
        "{0}",
        "id IS NOT NULL AND key IN (SELECT key FROM {0}_pending"
        " WHERE side = 'theirs' AND length(digest) = 16)",
    ),
    "to be made again": ("{0}", "key IN (SELECT key FROM {0}_pending WHERE side = 'gone')"),
    "base": ("{0}_pending", "side = 'base' AND pushed_run IS NULL"),
    "moved base": (
        "{0}_pending",
        "side = 'base' AND pushed_run IS NULL AND digest <>"
        " (SELECT digest FROM {0} AS l WHERE l.key = {0}_pending.key)",
    ),
    "sent base": ("{0}_pending", "side = 'base' AND pushed_run IS NOT NULL"),
    "theirs": ("{0}_pending", "side = 'theirs' AND length(digest) = 16"),
    "sent theirs": ("{0}_pending", "side = 'theirs' AND length(digest) = 15"),
    "gone": ("{0}_pending", "side = 'gone'"),
    "history": ("{0}_history", "digest IS NOT NULL"),
}
"""Each class of row: its table, and the condition by which it is known."""


def spots(path: Path) -> Iterator[Spot]:
    """Yield one row of each class that there is."""
    for table in ("datasets", "items"):
        for name, (where, condition) in CLASSES.items():
            if table == "items" and "stand-in" in name:
                continue
            full = where.format(table)
            found = sql(
                path, f"SELECT rowid, key FROM {full} WHERE {condition.format(table)} LIMIT 1"
            )
            for rowid, key in found:
                yield Spot(f"{name} of {table}", full, f"rowid = {rowid}", key)
    yield Spot("person", "people", "rowid = 1", None)
    for run, unread in sql(path, "SELECT run, unread <> '[]' FROM snapshots ORDER BY run"):
        yield Spot(f"snapshot {run}{' unread' * unread}", "snapshots", f"run = {run}", None)


def columns(path: Path, spot: Spot) -> Iterator[tuple[str, Value]]:
    """Yield the columns of a row that hold anything."""
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(f"SELECT * FROM {spot.table} WHERE {spot.where}")
        names = [column[0] for column in row.description]
        for name, value in zip(names, row.fetchone(), strict=True):
            if value is not None and value != "":
                yield name, value


def flip(path: Path, spot: Spot, column: str, value: Value) -> bool:
    """Write a value where another stood, with the gate open; False where the table refuses it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE gate SET run = 0")
        try:
            connection.execute(f"UPDATE {spot.table} SET {column} = ? WHERE {spot.where}", (value,))
        except sqlite3.IntegrityError:
            return False
        connection.execute("UPDATE gate SET run = NULL")
        connection.commit()
    return True


def flipped(value: Value, bit: int) -> Value:
    """Flip one bit: of a number, of a byte in the middle, of a letter in the middle."""
    if isinstance(value, int):
        return value ^ 1 << bit % 4
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1 << bit]) + value[middle + 1 :]
    text = str(value)
    middle = len(text) // 2
    return text[:middle] + chr(ord(text[middle]) ^ 1 << bit % 7) + text[middle + 1 :]
