"""What the server would refuse, or could never show again, is listed before anything is sent."""

import json
import re

import pytest

from dssync.errors import InvalidRecords
from tests.sync.world import World


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


POISON = {
    "an integer beyond 64 bits": (str(2**64), "64 bits"),
    "an integer far below zero": (f'{{"a": [{-(2**63) - 1}]}}', "64 bits"),
    "a float that becomes such an integer": ("1.9e19", "too large"),
    "nesting": (deep(252), "252"),
    "a null character": (r'"a\u0000b"', "U+0000"),
    "a null character in a key": (r'{"a\u0000": 1}', "U+0000"),
    "half a surrogate pair": (r'"\ud800"', "surrogate"),
}


@pytest.fixture
def dataset(world: World) -> str:
    id = world.sandbox.state.insert("dataset", name="one")
    world.pull()
    world.sandbox.log.clear()
    return id


@pytest.mark.parametrize("name", POISON)
def test_a_value_that_would_poison_a_row_is_refused(world: World, dataset: str, name: str) -> None:
    text, words = POISON[name]
    world.set("dataset", dataset, metadata=text)
    with pytest.raises(InvalidRecords, match=re.escape(words)) as refused:
        world.push()
    assert refused.value.exit_code == 2
    assert not world.sandbox.log
    assert world.ours("dataset", dataset, "metadata") == text


def test_what_is_just_possible_goes_through(world: World, dataset: str) -> None:
    text = f"[{2**64 - 1}, {-(2**63)}, 1.8e19, {deep(250)}]"
    world.set("dataset", dataset, metadata=text, name="n" * 400)
    assert world.push().exit_code == 0
    assert json.loads(world.raw("dataset", dataset)["metadata"])[0] == 2**64 - 1
    assert world.pull().exit_code == 0
    assert world.nothing_planned()


def test_all_bad_values_are_listed_at_once_and_nothing_is_sent(world: World) -> None:
    state = world.sandbox.state
    datasets = [state.insert("dataset", name=f"{n}") for n in range(3)]
    item = state.insert("item", dataset=datasets[0])
    world.pull()
    world.set("dataset", datasets[0], metadata=str(2**64))
    world.set("dataset", datasets[2], metadata="[1e400]")
    world.set("dataset", datasets[1], description="fine")
    world.set("item", item, input=deep(252), metadata="1e300", expected_output="1")
    new = world.mirror.new("dataset", None, {"name": "new"})
    world.set("dataset", new, metadata=r'"\u0000"')
    runs, pending = world.sql("SELECT * FROM runs"), world.dump()
    with world.watched() as seen, pytest.raises(InvalidRecords) as refused:
        world.push()
    assert seen == []
    assert (world.sql("SELECT * FROM runs"), world.dump()) == (runs, pending)
    listed = str(refused.value)
    expected = [
        (datasets[0], "metadata"),
        (datasets[2], "metadata"),
        (item, "input"),
        (item, "metadata"),
        (new, "metadata"),
    ]
    assert len(refused.value.problems) == len(expected)
    for key, field in expected:
        assert any(key in line and f", {field}: " in line for line in listed.splitlines())
    assert "dssync" in refused.value.hint


def test_bad_values_of_one_edit_do_not_outlive_their_mending(world: World, dataset: str) -> None:
    world.set("dataset", dataset, metadata=str(2**64))
    with pytest.raises(InvalidRecords):
        world.push()
    world.set("dataset", dataset, metadata="1")
    assert world.push().exit_code == 0
    assert world.raw("dataset", dataset)["metadata"] == "1"
