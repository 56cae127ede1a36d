"""A mirror and a server, what everybody wrote to either, and what must hold in the end."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from dssync.core.fields import KINDS, KindName
from dssync.core.receipt import Entry
from dssync.mirror import Mirror, snapshots
from dssync.sandbox import Sandbox
from dssync.sync.verifier import verify
from tests.clock import FakeClock
from tests.sync.breaking import Breaking
from tests.sync.world import World

Spot = tuple[KindName, str]
Leaves = dict[str, object]
Seen = dict[tuple[Spot, str], set[object]]

LEAVES = ("text", "a", "b")
COLUMN: Mapping[KindName, str] = {"dataset": "name", "item": "trace_id"}
WIRE: Mapping[KindName, str] = {"dataset": "name", "item": "ref_trace_id"}


@cache
def empty_mirror() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mirror.db"
        Mirror.open(path, create=True).close()
        return path.read_bytes()


def choose(candidates: list[str], pick: int) -> str:
    return candidates[pick % len(candidates)]


def spread(text: object, metadata: object) -> Leaves:
    parsed = json.loads(metadata) if isinstance(metadata, str) else {}
    return {"text": text, "a": parsed.get("a"), "b": parsed.get("b")}


class Sides(RuleBasedStateMachine):
    """The two sides, and what was seen where."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "mirror.db"
        path.write_bytes(empty_mirror())
        clock = FakeClock()
        sandbox = Sandbox(now=clock.now, limits=())
        self.net = Breaking(sandbox)
        self.world = World(sandbox, clock, Mirror.open(path), network=lambda remote: self.net)
        self.gone_unseen: set[str] = set()
        self.given_up: set[Spot] = set()
        self.deleted_here: set[Spot] = set()
        self.state = self.world.sandbox.state
        self.numbers = iter(range(1, 10**9))
        self.last_here: dict[tuple[Spot, str], object] = {}
        self.changed_there: set[Spot] = set()
        self.held_there: Seen = defaultdict(set)
        self.shown_here: Seen = defaultdict(set)
        self.anchors = {self.create_on_server(kind, 0) for kind in KINDS}
        for kind in KINDS:
            self.create_on_server(kind, 1)

    # What the sides hold.

    def here(self, kind: KindName, *, deleted: bool) -> list[str]:
        """Return the keys of what can be edited, in the order in which it came."""
        rows = self.world.sql(
            f"SELECT key FROM {KINDS[kind].table} WHERE coalesce(deleted, 0) = ?"
            " AND (digest IS NOT NULL OR id IS NULL) ORDER BY rowid",
            int(deleted),
        )
        return [key for (key,) in rows]

    def there(self, kind: KindName, *, deleted: bool) -> list[str]:
        return [row["id"] for row in self.state.rows(kind, deleted=deleted)]

    def all_there(self, kind: KindName) -> list[dict[str, Any]]:
        return self.state.rows(kind) + self.state.rows(kind, deleted=True)

    @invariant()
    def watch(self) -> None:
        for kind in KINDS:
            rows = self.world.sql(
                f"SELECT key, id, {COLUMN[kind]}, metadata FROM {KINDS[kind].table}"
            )
            for key, _, text, metadata in rows:
                for leaf, value in spread(text, metadata).items():
                    self.shown_here[(kind, key), leaf].add(value)
            keys = {id: key for key, id, *_ in rows}
            for row in self.all_there(kind):
                spot = (kind, keys.get(row["id"], row["id"]))
                found = spread(row[WIRE[kind]], json.dumps(row["metadata"]))
                for leaf, value in found.items():
                    self.held_there[spot, leaf].add(value)

    @invariant()
    def every_snapshot_still_stands(self) -> None:
        with self.world.mirror.database.read() as tx:
            assert snapshots.lost(tx, "prod") == []
        assert verify(self.world.mirror).damages == ()

    def create_on_server(self, kind: KindName, pick: int) -> Spot:
        metadata = {"a": next(self.numbers), "b": next(self.numbers)}
        values: dict[str, Any] = {WIRE[kind]: f"t{next(self.numbers)}", "metadata": metadata}
        if kind == "item":
            values["dataset"] = choose(self.there("dataset", deleted=False), pick)
        return kind, self.state.insert(kind, **values)

    def unsent(self, kind: KindName, pick: int) -> str | None:
        rows = self.world.sql(
            f"SELECT key FROM {KINDS[kind].table} WHERE id IS NULL"
            " AND coalesce(deleted, 0) = 0 ORDER BY rowid"
        )
        return choose([key for (key,) in rows], pick) if rows else None

    def content_of(self, kind: KindName, key: str) -> tuple[dict[str, Any], str | None]:
        parent = "(SELECT id FROM datasets WHERE key = dataset)" if kind == "item" else "NULL"
        [(text, metadata, home)] = self.world.sql(
            f"SELECT {COLUMN[kind]}, metadata, {parent} FROM {KINDS[kind].table} WHERE key = ?", key
        )
        return {COLUMN[kind]: text, "metadata": metadata}, home

    def check_nothing_unseen_was_overwritten(self, entry: Entry) -> None:
        """Only what people here had seen may be replaced by what they wrote."""
        before = {delta.field: delta.before for delta in entry.deltas}
        after = {delta.field: delta.after for delta in entry.deltas}
        column = COLUMN[entry.kind]
        old = spread(before.get(column), before.get("metadata"))
        new = spread(after.get(column), after.get("metadata"))
        for leaf in LEAVES:
            if old[leaf] != new[leaf]:
                assert old[leaf] in self.everywhere(self.shown_here, (entry.kind, entry.key), leaf)

    def everywhere(self, seen: Seen, spot: Spot, leaf: str) -> set[object]:
        """Return what was seen of a record under its key, and under the id it had on the server."""
        kind, key = spot
        ids = self.world.sql("SELECT id FROM aliases WHERE kind = ? AND key = ?", kind, key)
        return set().union(*(seen[(kind, each), leaf] for each in (key, *(id for (id,) in ids))))

    # What must hold in the end.

    def anchor_key(self, kind: KindName) -> str:
        return next(id for of, id in self.anchors if of == kind)

    def check_no_edit_is_lost(self, conflicted: set[Spot]) -> None:
        """The last edit of each value reached the server, or still stands in a conflict."""
        for (spot, leaf), value in self.last_here.items():
            if spot in self.given_up:
                continue
            kind, key = spot
            there = self.everywhere(self.held_there, spot, leaf)
            rows = self.world.sql(
                f"SELECT {COLUMN[kind]}, metadata FROM {KINDS[kind].table} WHERE key = ?", key
            )
            stands = spot in conflicted and spread(*rows[0])[leaf] == value
            # a record that became one with the row made here lives on under that one's key
            moved = self.world.sql("SELECT key FROM aliases WHERE kind = ? AND id = ?", kind, key)
            there |= self.everywhere(self.held_there, (kind, moved[0][0]), leaf) if moved else set()
            assert stands or spot in self.deleted_here or value in there

    def check_nothing_was_made_twice(self) -> None:
        """Of each content, no more rows came into being than records with it were made here.

        One that a colleague deleted before anybody saw it cannot be found, and is made again.
        """
        rows = Counter(body for id, body in self.net.made.items() if id not in self.gone_unseen)
        keys: dict[str, set[str]] = defaultdict(set)
        for key, deltas in self.world.sql(
            "SELECT key, deltas FROM journal WHERE action = 'create'"
        ):
            sent = {name: after for name, _, after in json.loads(deltas)}
            keys[str(sent.get("name") or sent.get("trace_id"))].add(key)
        for body, count in rows.items():
            sent = json.loads(body)
            assert count <= len(keys[str(sent.get("name") or sent.get("ref_trace_id"))])

    def check_both_sides_are_equal(self) -> None:
        assert self.world.nothing_planned()
        for kind in KINDS:
            assert self.world.sql(f"SELECT key FROM {KINDS[kind].table}_pending") == []
            assert self.content_here(kind) == self.content_there(kind)

    def content_here(self, kind: KindName) -> dict[str, object]:
        parent = "(SELECT id FROM datasets WHERE key = dataset)" if kind == "item" else "NULL"
        rows = self.world.sql(
            f"SELECT id, {COLUMN[kind]}, metadata, {parent} FROM {KINDS[kind].table}"
            " WHERE NOT deleted AND absent_since IS NULL"
        )
        return {id: [text, json.loads(metadata), home] for id, text, metadata, home in rows}

    def content_there(self, kind: KindName) -> dict[str, object]:
        return {
            row["id"]: [row[WIRE[kind]], row["metadata"], row.get("dataset")]
            for row in self.state.rows(kind)
        }
