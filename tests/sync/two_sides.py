"""A state machine: people edit mirror and server, dssync pulls and pushes, and things break."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from dssync.core.fields import KINDS, KindName
from dssync.core.receipt import Receipt
from dssync.mirror import Mirror
from dssync.sync import read_status
from tests.sync.breaking import BREAKS, LATE, Killed, Mortal
from tests.sync.sides import COLUMN, LEAVES, WIRE, Sides, choose, spread

picks = st.integers(0, 99)
kinds = st.sampled_from(tuple(KINDS))
leaves = st.sampled_from(LEAVES)


class TwoSides(Sides):
    """Every edit writes a value that was never written before, so each tells where it comes from.

    It goes into a text, or into one of two keys of a JSON object. One dataset and one item are
    never deleted, so that no list is ever suddenly empty. Time passes before whatever happens on
    the server, as it does there: an edit comes a second after the creation at least.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pull()

    # What happens on the server.

    @rule(kind=kinds, pick=picks)
    def create_there(self, kind: KindName, pick: int) -> None:
        self.create_on_server(kind, pick)

    @rule(kind=kinds, pick=picks, leaf=leaves)
    def edit_there(self, kind: KindName, pick: int, leaf: str) -> None:
        self.world.clock.advance(2)
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
            self.world.clock.advance(2)
            id = choose(ids, pick)
            if not self.world.sql(f"SELECT 1 FROM {KINDS[kind].table} WHERE id = ?", id):
                self.gone_unseen.add(id)
            self.state.update(kind, id, deleted=deleted)
            self.changed_there.add((kind, id))

    @rule(kind=kinds, pick=picks)
    def create_the_same_there(self, kind: KindName, pick: int) -> None:
        """A colleague makes what somebody here is about to make, too."""
        if key := self.unsent(kind, pick):
            values, parent = self.content_of(kind, key)
            if kind == "dataset" or parent in self.there("dataset", deleted=False):
                home: dict[str, Any] = {} if parent is None else {"dataset": parent}
                metadata = json.loads(values.pop("metadata"))
                text = values.pop(COLUMN[kind])
                self.state.insert(kind, metadata=metadata, **{WIRE[kind]: text}, **home)

    # What breaks.

    @rule(seconds=st.sampled_from((1, 30, 130)))
    def wait(self, seconds: int) -> None:
        """Let time pass; what is late arrives within two minutes."""
        if seconds > 30:
            self.net.deliver()
        self.world.clock.advance(seconds)

    @rule()
    def deliver(self) -> None:
        self.net.deliver()

    @rule(
        method=st.sampled_from(("GET", "POST", "POST", "POST", "PATCH", "PATCH")),
        name=st.sampled_from((*BREAKS, LATE)),
        after=st.integers(1, 6),
        times=st.sampled_from((1, 1, 1, 2, 9)),
    )
    def break_next(self, method: str, name: str, after: int, times: int) -> None:
        if name != LATE or method == "POST":
            self.net.armed.append((method, name, after, times))

    @rule(at=st.integers(1, 90))
    def die_in_a_push(self, at: int) -> None:
        """Die at a commit, or just before it."""
        seams = Mortal(at)
        with seams.watching_commits():
            self.run(self.world.push)

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

    @rule(kind=kinds, pick=picks)
    def create_the_same_here(self, kind: KindName, pick: int) -> None:
        if key := self.unsent(kind, pick):
            values, _ = self.content_of(kind, key)
            if kind == "item":
                values["dataset"] = self.world.ours("item", key, "dataset")
            twin = self.world.mirror.new(kind, None, values)
            new = spread(values[COLUMN[kind]], values["metadata"])
            self.last_here |= {((kind, twin), leaf): value for leaf, value in new.items()}

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
            if self.world.sql("SELECT 1 FROM journal WHERE key = ? AND closed_at IS NULL", key):
                self.deleted_here.add((kind, key))  # it goes once it is known not to be made
            if not self.world.sql(f"SELECT 1 FROM {KINDS[kind].table} WHERE key = ?", key):
                for leaf in LEAVES:
                    del self.last_here[(kind, key), leaf]

    @rule(kind=kinds, pick=picks)
    def undelete_here(self, kind: KindName, pick: int) -> None:
        if keys := self.here(kind, deleted=True):
            self.world.mirror.undelete(kind, choose(keys, pick))

    # What dssync does.

    def run(self, command: Callable[[], Receipt]) -> Receipt | None:
        """Run a command; None when it was killed."""
        try:
            receipt = command()
        except Killed:
            path = self.world.mirror.path
            self.world.mirror.close()
            self.world.mirror = Mirror.open(path)
            return None
        finally:
            self.net.mend()
        assert receipt.balanced
        for entry in receipt.entries:
            if entry.outcome == "applied" and entry.action != "create" and entry.attempts:
                self.check_nothing_unseen_was_overwritten(entry)
        return receipt

    @rule()
    def pull(self) -> None:
        broken = bool(self.net.armed)
        receipt = self.run(self.world.pull)
        if receipt and not broken:
            assert receipt.exit_code in (0, 3), receipt
            assert {scan.outcome for scan in receipt.scans} == {"complete"}
            assert {entry.outcome for entry in receipt.entries} <= {"in doubt", "conflicted"}

    @rule()
    def push(self) -> None:
        broken = bool(self.net.armed)
        receipt = self.run(self.world.push)
        if receipt and not broken:
            assert not {entry.outcome for entry in receipt.entries} & {"failed", "unreadable"}
            assert receipt.exit_code in (0, 3, 4), receipt

    # What must hold in the end.

    def teardown(self) -> None:
        try:
            self.net.mend()
            self.net.deliver()
            self.world.clock.advance(130)
            self.settle()
            self.give_up_what_nobody_can_tell()
            self.settle()
            plan = self.world.plan()
            assert not plan.changes
            self.check_no_edit_is_lost({(c.kind, c.key) for c in plan.conflicts})
            for conflict in plan.conflicts:
                assert (conflict.kind, str(conflict.id)) in self.changed_there
                self.world.mirror.revert(conflict.kind, conflict.key)
            self.settle()
            self.check_both_sides_are_equal()
            self.check_nothing_was_made_twice()
        finally:
            self.world.mirror.close()
            self.folder.cleanup()

    def settle(self) -> None:
        for step in (self.pull, self.push, self.pull):
            step()
            self.watch()

    def give_up_what_nobody_can_tell(self) -> None:
        """Do what the receipts say of creates in doubt; items go before their dataset."""
        for intent in sorted(read_status(self.world.mirror).in_doubt, key=lambda i: i.kind)[::-1]:
            assert intent.action == "create"
            if intent.kind == "dataset":
                for (item,) in self.world.sql(
                    "SELECT key FROM items WHERE dataset = ?", intent.key
                ):
                    self.world.set("item", item, dataset=self.anchor_key("dataset"))
            assert self.world.mirror.revert(intent.kind, intent.key)
            self.given_up.add((intent.kind, intent.key))
