"""What it takes for one record to be as it was, case by case."""

from dataclasses import replace

import pytest

from dssync.core.fields import Values
from dssync.core.records import Triple
from dssync.core.restoring import step

THEN: Values = {"name": "a", "description": None, "metadata": '{"a":1}', "deleted": None}
OTHER: Values = {**THEN, "metadata": "{}"}


def stands(
    ours: Values, *, theirs: Values | None = None, id: str | None = "1", absent: bool = False
) -> Triple:
    there = None if id is None else theirs or ours
    return Triple("dataset", "1", id, "prod", ours, there, there, absent=absent)


GONE = stands({**THEN, "deleted": 1}, absent=True)
UNDELETED = replace(GONE, ours={**THEN, "deleted": 0})

CASES = {
    "the same": (THEN, stands(THEN), "nothing", {}),
    "the same, written in another way": (THEN, stands({**THEN, "metadata": ' {"a" : 1} '}),
                                         "nothing", {}),
    "one field differs": (THEN, stands(OTHER), "edit", {"metadata": '{"a":1}'}),
    "null was a value": (OTHER, stands({**THEN, "metadata": None}), "edit", {"metadata": "{}"}),
    "a null key is not an absent one": (
        {**THEN, "metadata": '{"a":null}'}, stands(OTHER), "edit", {"metadata": '{"a":null}'},
    ),
    "JSON null and no value are one": (
        {**THEN, "metadata": None}, stands({**THEN, "metadata": "null"}), "nothing", {},
    ),
    "deleted here": (THEN, stands({**THEN, "deleted": 1}), "edit", {"deleted": 0}),
    "deleted there": (THEN, GONE, "edit", {"deleted": 0}),
    "deleted there, and other then": (OTHER, GONE, "edit", {"metadata": "{}", "deleted": 0}),
    "its undelete waits": (THEN, UNDELETED, "nothing", {}),
    "never known": (THEN, None, "create",
                    {"name": "a", "description": None, "metadata": '{"a":1}'}),
    "made here, other now": (THEN, stands(OTHER, id=None), "edit", {"metadata": '{"a":1}'}),
    "not there then": (None, stands(THEN), "edit", {"deleted": 1}),
    "not there then nor now": (None, GONE, "nothing", {}),
    "not there then, undeleted here": (None, UNDELETED, "edit", {"deleted": 1}),
    "not there then, made here": (None, stands(THEN, id=None), "drop", {}),
    "never there": (None, None, "nothing", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_record_of_then_and_now(name: str) -> None:
    then, now, action, values = CASES[name]
    found = step("dataset", then, now, "classic")
    assert (found.name, found.values, found.reason) == (action, values, "")


def test_what_the_server_refused_to_undelete_is_made_again() -> None:
    for now in (GONE, UNDELETED):
        found = step("dataset", OTHER, now, "classic", refused=True)
        assert found.name == "remake"
        assert found.values["metadata"] == "{}"
    assert step("dataset", THEN, stands(THEN), "classic", refused=True).name == "nothing"
    assert step("dataset", None, GONE, "classic", refused=True).name == "nothing"


ITEM: Values = {
    "dataset": "d",
    "input": '"q"',
    "expected_output": None,
    "source_output": '"said"',
    "metadata": None,
    "trace_id": "t",
    "event_id": None,
    "trace_timestamp": "2026-11-23T18:13:50Z",
    "client_item_id": "c",
    "deleted": 0,
}


def test_a_field_that_the_contract_lacks_is_named_and_left_out() -> None:
    found = step("item", ITEM, None, "classic")
    assert (found.name, found.lost) == ("create", ("source_output", "client_item_id"))
    assert not {"source_output", "client_item_id", "deleted"} & found.values.keys()
    assert step("item", ITEM, None, "versioned").lost == ()


def test_what_is_only_set_at_the_making_is_named_and_stays() -> None:
    now = Triple("item", "i", "i", "new", {**ITEM, "dataset": "e", "input": "1"}, ITEM, ITEM)
    found = step("item", ITEM, now, "versioned")
    assert (found.name, found.values, found.stuck) == ("edit", {"input": '"q"'}, ("dataset",))


def test_nothing_is_said_as_the_contract_says_it() -> None:
    then = {**THEN, "metadata": None}
    found = step("dataset", then, None, "versioned")
    assert found.values == {"name": "a", "description": "", "metadata": "{}"}
    assert step("dataset", then, stands({**then, **found.values}), "versioned").name == "nothing"


def test_a_value_that_the_contract_refuses_keeps_the_record_out() -> None:
    found = step("dataset", {**THEN, "metadata": "[1]"}, None, "versioned")
    assert (found.name, found.reason) == ("refuse", "metadata: it must be a JSON object")
    assert "input" in step("item", {**ITEM, "input": None}, None, "versioned").reason
