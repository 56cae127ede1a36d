"""Whatever was edited and pushed: an undo gives every record back what it held."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dssync.core.fields import KINDS, KindName
from dssync.core.values import poison
from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from tests.clock import FakeClock
from tests.sync.sides import empty_mirror
from tests.sync.test_undo import both, keys, run_of, undo
from tests.sync.world import World

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | texts
    | st.floats(allow_nan=False, allow_infinity=False, width=32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
).filter(lambda value: not poison(value))  # fmt: skip
documents = st.none() | values.map(json.dumps)
flags = st.just(0) | st.just(0) | st.just(1)
names = texts.filter(str.strip)

EDITS: dict[KindName, dict[str, st.SearchStrategy[Any]]] = {
    "dataset": {
        "name": names,
        "description": st.none() | texts,
        "metadata": documents,
        "deleted": flags,
    },
    "item": {
        "input": documents,
        "expected_output": documents,
        "metadata": documents,
        "trace_id": st.none() | texts,
        "dataset": st.integers(0, 1),
        "deleted": flags,
    },
}
dataset, item = (st.fixed_dictionaries({}, optional=EDITS[kind]) for kind in KINDS)
edits = st.tuples(dataset, dataset, item, item, item)


@contextmanager
def a_world() -> Iterator[World]:
    clock = FakeClock()
    sandbox = Sandbox(now=clock.now, limits=())
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mirror.db"
        path.write_bytes(empty_mirror())
        with Mirror.open(path) as mirror:
            world = World(sandbox, clock, mirror)
            one = sandbox.state.insert("dataset", name="one", metadata={"a": 1})
            two = sandbox.state.insert("dataset", name="two", description="second")
            for n, parent in enumerate((one, one, two)):
                sandbox.state.insert("item", dataset=parent, input=n, ref_trace_id=f"t{n}")
            world.pull()
            yield world


def check(edits: tuple[Any, ...], *, pulled: bool, again: bool) -> None:
    with a_world() as world:
        before = both(world)
        datasets = keys(world, "dataset")
        spots = [(kind, key) for kind in KINDS for key in keys(world, kind)]
        for (kind, key), chosen in zip(spots, edits, strict=True):
            parent = {"dataset": datasets[chosen["dataset"]]} if "dataset" in chosen else {}
            if chosen:
                world.set(kind, key, **chosen | parent)
        pushed = world.push()
        assert pushed.exit_code == 0
        after = both(world)
        if pulled:
            world.pull()
        undone = undo(world, run_of(pushed))
        assert undone.exit_code == 0
        assert both(world) == before
        assert world.nothing_planned()
        if again:
            assert undo(world, run_of(undone)).exit_code == 0
            assert both(world) == after
        world.pull()
        assert both(world) == (after if again else before)
        assert world.nothing_planned()


@settings(max_examples=8)
@given(edits, st.booleans(), st.booleans())
def test_an_undo_is_the_identity(edits: tuple[Any, ...], pulled: bool, again: bool) -> None:
    check(edits, pulled=pulled, again=again)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(edits, st.booleans(), st.booleans())
def test_an_undo_is_the_identity_again_and_again(
    edits: tuple[Any, ...], pulled: bool, again: bool
) -> None:
    check(edits, pulled=pulled, again=again)
