"""Values stay what they are on the server, and what the server rewrites is no change."""

import json

import pytest

from tests.sync.world import World


def nested(depth: int) -> object:
    value: object = "core"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


HELD = {
    "the largest integer": 2**64 - 1,
    "the smallest integer": -(2**63),
    "a float that is whole": 1.0,
    "an integer": 1,
    "a float that is no binary fraction": 0.1,
    "a small float": 1e-7,
    "a float shown as an integer": 1e16,
    "text outside ASCII": "é\u2028",
    "text with quotes and controls": '"\\\n\t\x01',
    "keys in the database's order": {"b": 1, "aa": 2, "a": {"z": 0, "yy": 0}},
    "nested 200 deep": nested(200),
    "null": None,
    "null inside": {"a": None},
    "true": True,
    "a scalar": "text",
    "a list": [1, 1.0, "1", None, []],
    "empty": {},
}

ORIGINAL_TEXT = {
    "the largest integer": "18446744073709551615",
    "a float that is whole": "1.0",
    "a small float": "1e-07",
    "a float shown as an integer": "10000000000000000",
    "keys in the database's order": '{"a":{"z":0,"yy":0},"b":1,"aa":2}',
}


@pytest.mark.parametrize("name", HELD)
def test_a_held_value_outlives_the_edit_of_another_field(world: World, name: str) -> None:
    state = world.sandbox.state
    dataset = state.insert("dataset", name="one", metadata=HELD[name])
    item = state.insert("item", dataset=dataset, input=HELD[name], output=1, metadata=HELD[name])
    before = world.raw("dataset", dataset), world.raw("item", item)
    assert before[1]["input"] == ORIGINAL_TEXT.get(name, before[1]["input"])
    world.pull()
    world.set("dataset", dataset, description="new")
    world.set("item", item, expected_output="2")
    assert world.push().exit_code == 0
    assert world.bodies() == {dataset: '{"description":"new"}', item: '{"output":2}'}
    after = world.raw("dataset", dataset), world.raw("item", item)
    assert after[0]["metadata"] == before[0]["metadata"]
    assert after[1]["input"] == before[1]["input"]
    assert after[1]["metadata"] == before[1]["metadata"]
    world.pull()
    assert world.nothing_planned()


REWRITTEN = {
    "a large float": ("1e16", "10000000000000000"),
    "a large float inside": (
        '[1e17, {"a": 1e18}]',
        '[100000000000000000,{"a":1000000000000000000}]',
    ),
    "a negative zero": ("-0.0", "0.0"),
    "a float too small": ("1e-400", "0.0"),
    "reordered keys": ('{"bb": 1, "a": 2, "c": 3}', '{"a":2,"c":3,"bb":1}'),
    "a repeated key": ('{"a": 1, "a": 2}', '{"a":2}'),
    "another way to write a number": ("[0.10, 1e2]", "[0.1,100.0]"),
    "escapes": (r'"\u00e9\/"', '"é/"'),
    "null, spelled out": ("null", "null"),
}


def check_settled_twice(world: World) -> None:
    for _ in range(2):
        assert world.nothing_planned()
        receipt = world.pull()
        assert receipt.exit_code == 0
        assert world.nothing_planned()
    assert [scan.changed for scan in receipt.scans] == [0, 0]
    assert not world.sql("SELECT key FROM datasets_pending UNION SELECT key FROM items_pending")


@pytest.mark.parametrize("name", REWRITTEN)
def test_json_that_the_server_rewrites_is_no_change_afterwards(world: World, name: str) -> None:
    sent, stored = REWRITTEN[name]
    state = world.sandbox.state
    dataset = state.insert("dataset", name="one", metadata="before")
    item = state.insert("item", dataset=dataset, input="before")
    world.pull()
    world.set("dataset", dataset, metadata=sent)
    world.set("item", item, input=sent)
    assert world.push().exit_code == 0
    assert world.bodies()[item] == f'{{"input":{sent}}}'
    assert world.raw("dataset", dataset)["metadata"] == stored
    assert world.raw("item", item)["input"] == stored
    check_settled_twice(world)


@pytest.mark.parametrize("text", ["  padded  ", "\u2003padded\u2003\n", "\tpadded"])
def test_text_that_the_server_trims_is_adopted(world: World, text: str) -> None:
    state = world.sandbox.state
    dataset = state.insert("dataset", name="one")
    item = state.insert("item", dataset=dataset)
    world.pull()
    world.set("dataset", dataset, name=text, description=text)
    world.set("item", item, trace_id=text, event_id=text)
    assert world.push().exit_code == 0
    check_settled_twice(world)
    assert world.ours("dataset", dataset, "name") == "padded"
    assert world.ours("dataset", dataset, "description") == "padded"
    assert world.ours("item", item, "trace_id") == "padded"


def test_a_new_record_with_values_that_the_server_rewrites_settles(world: World) -> None:
    world.sandbox.state.insert("dataset", name="one")
    world.pull()
    key = world.mirror.new(
        "dataset", None, {"name": "  new  ", "metadata": '{"bb": 1e16, "a": -0.0}'}
    )
    world.mirror.new(
        "item",
        None,
        {"dataset": key, "input": "1e2", "trace_timestamp": "2026-01-02T03:04:05.5+01:00"},
    )
    assert world.push().exit_code == 0
    check_settled_twice(world)
    assert world.ours("dataset", key, "name") == "new"
    [raw] = [json.loads(body) for body in world.bodies("POST").values() if "bb" in body]
    assert raw == {"name": "  new  ", "metadata": {"bb": 1e16, "a": -0.0}}


def test_rewriting_a_value_the_servers_way_is_no_edit(world: World) -> None:
    dataset = world.sandbox.state.insert("dataset", name="one", metadata={"a": 100.0, "b": 1})
    world.pull()
    world.set("dataset", dataset, metadata=' {"b" : 1, "a" : 1e2} ', name=" one ")
    assert world.nothing_planned()
    assert world.push().planned == 0


def test_one_and_one_point_zero_and_true_are_three_values(world: World) -> None:
    state = world.sandbox.state
    dataset = state.insert("dataset", name="one", metadata=1)
    world.pull()
    for text in ("1.0", "true", "1", '"1"'):
        world.set("dataset", dataset, metadata=text)
        assert world.push().count("applied") == 1
        assert world.raw("dataset", dataset)["metadata"] == text
        world.pull()
        assert world.nothing_planned()
