"""A state machine: people edit the mirror and the server, and dssync pulls and pushes."""

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dssync.core.fields import KINDS, KindName
from dssync.core.receipt import Entry
from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from tests.clock import FakeClock
from tests.sync.world import World

Spot = tuple[KindName, str]
Leaves = dict[str, object]
Seen = dict[tuple[Spot, str], set[object]]

LEAVES = ("text", "a", "b")
COLUMN: Mapping[KindName, str] = {"dataset": "name", "item": "trace_id"}
WIRE: Mapping[KindName, str] = {"dataset": "name", "item": "ref_trace_id"}

picks = st.integers(0, 99)
kinds = st.sampled_from(tuple(KINDS))
leaves = st.sampled_from(LEAVES)


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


class TwoSides(RuleBasedStateMachine):
    """Every edit writes a value that was never written before, so each tells where it comes from.

    It goes into a text, or into one of two keys of a JSON object. One dataset and one item are
    never deleted, so that no list is ever suddenly empty.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "mirror.db"
        path.write_bytes(empty_mirror())
        clock = FakeClock()
        self.world = World(Sandbox(now=clock.now, limits=()), clock, Mirror.open(path))
        self.state = self.world.sandbox.state
        self.numbers = iter(range(1, 10**9))
        self.last_here: dict[tuple[Spot, str], object] = {}
        self.changed_there: set[Spot] = set()
        self.held_there: Seen = defaultdict(set)
        self.shown_here: Seen = defaultdict(set)
        self.anchors = {self.create_on_server(kind, 0) for kind in KINDS}
        for kind in KINDS:
            self.create_on_server(kind, 1)
        self.pull()

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

    # What happens on the server.

    def create_on_server(self, kind: KindName, pick: int) -> Spot:
        metadata = {"a": next(self.numbers), "b": next(self.numbers)}
        values: dict[str, Any] = {WIRE[kind]: f"t{next(self.numbers)}", "metadata": metadata}
        if kind == "item":
            values["dataset"] = choose(self.there("dataset", deleted=False), pick)
        return kind, self.state.insert(kind, **values)

    @rule(kind=kinds, pick=picks)
    def create_there(self, kind: KindName, pick: int) -> None:
        self.create_on_server(kind, pick)

    @rule(kind=kinds, pick=picks, leaf=leaves)
    def edit_there(self, kind: KindName, pick: int, leaf: str) -> None:
        id = choose(self.there(kind, deleted=False), pick)
        value = next(self.numbers)
        if leaf == "text":
            change: dict[str, Any] = {WIRE[kind]: f"t{value}"}
        else:
            change = {"metadata": {**self.state.get(kind, id)["metadata"], leaf: value}}
        self.state.update(kind, id, **change)
        self.changed_there.add((kind, id))

    @rule(kind=kinds, pick=picks, deleted=st.booleans())
    def delete_or_undelete_there(self, kind: KindName, pick: int, deleted: bool) -> None:
        ids = [id for id in self.there(kind, deleted=not deleted) if (kind, id) not in self.anchors]
        if ids:
            id = choose(ids, pick)
            self.state.update(kind, id, deleted=deleted)
            self.changed_there.add((kind, id))

    # What happens in the mirror.

    @rule(kind=kinds, pick=picks)
    def create_here(self, kind: KindName, pick: int) -> None:
        new = {"text": f"t{next(self.numbers)}", "a": next(self.numbers), "b": next(self.numbers)}
        metadata = json.dumps({leaf: new[leaf] for leaf in "ab"})
        values: dict[str, Any] = {COLUMN[kind]: new["text"], "metadata": metadata}
        if kind == "item":
            values["dataset"] = choose(self.here("dataset", deleted=False), pick)
        key = self.world.mirror.new(kind, None, values)
        self.last_here |= {((kind, key), leaf): value for leaf, value in new.items()}

    @rule(kind=kinds, pick=picks, leaf=leaves)
    def edit_here(self, kind: KindName, pick: int, leaf: str) -> None:
        key = choose(self.here(kind, deleted=False), pick)
        value = next(self.numbers)
        if leaf == "text":
            self.world.set(kind, key, **{COLUMN[kind]: f"t{value}"})
        else:
            metadata = json.loads(self.world.ours(kind, key, "metadata"))
            self.world.set(kind, key, metadata=json.dumps({**metadata, leaf: value}))
        self.last_here[(kind, key), leaf] = f"t{value}" if leaf == "text" else value

    @rule(pick=picks, to=picks)
    def move_here(self, pick: int, to: int) -> None:
        item = choose(self.here("item", deleted=False), pick)
        self.world.set("item", item, dataset=choose(self.here("dataset", deleted=False), to))

    @rule(kind=kinds, pick=picks)
    def delete_here(self, kind: KindName, pick: int) -> None:
        parents = {row[0] for row in self.world.sql("SELECT dataset FROM items")}
        keys = [
            key
            for key in self.here(kind, deleted=False)
            if (kind, key) not in self.anchors and not (key.startswith("new-") and key in parents)
        ]
        if keys:
            key = choose(keys, pick)
            self.world.mirror.delete(kind, key)
            if not self.world.sql(f"SELECT 1 FROM {KINDS[kind].table} WHERE key = ?", key):
                for leaf in LEAVES:
                    del self.last_here[(kind, key), leaf]

    @rule(kind=kinds, pick=picks)
    def undelete_here(self, kind: KindName, pick: int) -> None:
        if keys := self.here(kind, deleted=True):
            self.world.mirror.undelete(kind, choose(keys, pick))

    # What dssync does.

    @rule()
    def pull(self) -> None:
        receipt = self.world.pull()
        assert receipt.exit_code == 0
        assert {scan.outcome for scan in receipt.scans} == {"complete"}

    @rule()
    def push(self) -> None:
        receipt = self.world.push()
        assert receipt.exit_code in (0, 4)
        for entry in receipt.entries:
            assert entry.outcome in ("applied", "conflicted", "skipped")
            if entry.outcome == "applied" and entry.action != "create":
                self.check_nothing_unseen_was_overwritten(entry)

    def check_nothing_unseen_was_overwritten(self, entry: Entry) -> None:
        """Only what people here had seen may be replaced by what they wrote."""
        before = {delta.field: delta.before for delta in entry.deltas}
        after = {delta.field: delta.after for delta in entry.deltas}
        column = COLUMN[entry.kind]
        old = spread(before.get(column), before.get("metadata"))
        new = spread(after.get(column), after.get("metadata"))
        for leaf in LEAVES:
            if old[leaf] != new[leaf]:
                assert old[leaf] in self.shown_here[(entry.kind, entry.key), leaf]

    # What must hold in the end.

    def teardown(self) -> None:
        try:
            self.settle()
            plan = self.world.plan()
            assert not plan.changes
            self.check_no_edit_is_lost({(c.kind, c.key) for c in plan.conflicts})
            for conflict in plan.conflicts:
                assert (conflict.kind, str(conflict.id)) in self.changed_there
                self.world.mirror.revert(conflict.kind, conflict.key)
            self.settle()
            self.check_both_sides_are_equal()
        finally:
            self.world.mirror.close()
            self.folder.cleanup()

    def settle(self) -> None:
        for step in (self.pull, self.push, self.pull):
            step()
            self.watch()

    def check_no_edit_is_lost(self, conflicted: set[Spot]) -> None:
        """The last edit of each value reached the server, or still stands in a conflict."""
        for (spot, leaf), value in self.last_here.items():
            kind, key = spot
            text, metadata = (self.world.ours(kind, key, c) for c in (COLUMN[kind], "metadata"))
            stands = spot in conflicted and spread(text, metadata)[leaf] == value
            assert stands or value in self.held_there[spot, leaf]

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
