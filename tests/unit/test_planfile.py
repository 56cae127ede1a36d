"""A kept plan comes back as it was, and anything else is refused in a sentence."""

import json
import random
import string
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.core.fields import KINDS
from dssync.core.plan import ORDER, Change, Delta, Plan
from dssync.core.planfile import PlannedRemote, SavedPlan, _seal, dump_plan, load_plan
from dssync.errors import DssyncError, Refused, StalePlan, UsageError

PROD = PlannedRemote("prod", "https://eu.posthog.com", "project", "7", "classic")
PLAN = Plan.of(
    [
        Change(
            "prod",
            "dataset",
            "d1",
            "d1",
            "update",
            (Delta("name", "a", 'b "é" \u202e'), Delta("metadata", None, '{"n": 1e2, "a": [1]}')),
            "Support",
        ),
        Change("prod", "item", "new-1", None, "create", (Delta("dataset", None, "d1"),), "", "S"),
        Change("prod", "item", "i1", "i1", "delete", (Delta("deleted", 0, 1),), "i1", "Support"),
    ]
)
SAVED = SavedPlan(PLAN, (PROD,), "2026-11-23T18:00:00.000000Z", "0.1.0")
TEXT = dump_plan(SAVED)


def test_a_plan_comes_back_as_it_was() -> None:
    assert load_plan(TEXT, "plan.json") == SAVED
    assert dump_plan(load_plan(TEXT, "plan.json")) == TEXT
    assert TEXT.isascii()
    empty = SavedPlan(Plan(()), (), SAVED.made_at, "1")
    assert load_plan(dump_plan(empty), "plan.json") == empty


def test_white_space_and_the_order_of_keys_may_change() -> None:
    document = json.loads(TEXT)
    turned = dict(reversed(document.items()))
    assert load_plan(json.dumps(turned), "plan.json") == SAVED


texts = st.text(max_size=20)
values = st.none() | texts


@st.composite
def changes(draw: st.DrawFn) -> Change:
    kind = draw(st.sampled_from(list(KINDS.values())))
    names = draw(st.lists(st.sampled_from(kind.names), min_size=1, unique=True))
    flags = st.sampled_from([None, 0, 1])
    deltas = tuple(
        Delta(name, *(draw(flags if kind.by_name[name].type == "flag" else values) for _ in "ab"))
        for name in names
    )
    action = draw(st.sampled_from([action for action, of in ORDER if of == kind.name]))
    id = None if action == "create" else draw(texts)
    key = draw(st.uuids()).hex
    return Change("prod", kind.name, key, id, action, deltas, draw(texts), draw(texts))


@given(st.lists(changes(), max_size=5, unique_by=lambda change: change.key))
def test_any_plan_comes_back_as_it_was(found: list[Change]) -> None:
    saved = SavedPlan(Plan.of(found), (PROD,), SAVED.made_at, "x")
    assert load_plan(dump_plan(saved), "plan.json") == saved


def refused(text: str) -> DssyncError:
    with pytest.raises(DssyncError) as caught:
        load_plan(text, "plan.json")
    error = caught.value
    assert error.exit_code in (2, 6)
    assert error.message.startswith("plan.json ")
    assert error.hint
    return error


Mutation = Callable[[dict[str, Any]], object]

EDITS: dict[str, Mutation] = {
    "another value": lambda d: d["changes"][0]["fields"][0].update(after="c"),
    "another before": lambda d: d["changes"][0]["fields"][0].update(before="c"),
    "another spelling": lambda d: d["changes"][0]["fields"][1].update(after='{"n":100.0,"a":[1]}'),
    "another key": lambda d: d["changes"][0].update(key="d2"),
    "another id": lambda d: d["changes"][0].update(id="d2"),
    "another action": lambda d: d["changes"][0].update(action="delete"),
    "another label": lambda d: d["changes"][0].update(label="Harmless"),
    "another dataset": lambda d: d["changes"][1].update(dataset="Other"),
    "a change less": lambda d: d["changes"].pop(),
    "a change twice": lambda d: d["changes"].append(d["changes"][0]),
    "turned round": lambda d: d["changes"].reverse(),
    "another host": lambda d: d["remotes"][0].update(host="https://us.posthog.com"),
    "a remote less": lambda d: d["remotes"].clear(),
    "made later": lambda d: d.update(made_at="2027"),
    "another program": lambda d: d.update(program="0.2.0"),
    "another digest": lambda d: d.update(digest="0" * 16),
    "another seal": lambda d: d.update(seal="0" * 16),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_plan_is_found_out(name: str) -> None:
    document = json.loads(TEXT)
    EDITS[name](document)
    error = refused(json.dumps(document))
    assert isinstance(error, StalePlan)
    assert "edited" in error.message


def resealed(edit: Mutation) -> str:
    document = json.loads(TEXT)
    edit(document)
    document["seal"] = _seal(document)
    return json.dumps(document)


FORGED: dict[str, tuple[Mutation, str]] = {
    "a digest that is not its own": (lambda d: d.update(digest="0" * 16), "digest"),
    "a change twice": (lambda d: d["changes"].append(d["changes"][0]), "twice"),
    "an unknown remote": (lambda d: d["changes"][0].update(remote="dev"), "'dev'"),
    "no remotes": (lambda d: d.update(remotes=[]), "'prod'"),
    "an unknown action": (lambda d: d["changes"][0].update(action="drop"), "no change"),
    "an unknown kind": (lambda d: d["changes"][0].update(kind="project"), "no change"),
    "a list for a kind": (lambda d: d["changes"][0].update(kind=["item"]), "not text"),
    "an update without an id": (lambda d: d["changes"][0].update(id=None), "'id'"),
    "a create with an id": (lambda d: d["changes"][1].update(id="x"), "'id'"),
    "a number for an id": (lambda d: d["changes"][0].update(id=1), "'id'"),
    "an unknown field": (lambda d: d["changes"][0]["fields"][0].update(field="team"), "'team'"),
    "a list for a field": (lambda d: d["changes"][0]["fields"][0].update(field=[]), "no field"),
    "a field twice": (
        lambda d: d["changes"][0].update(fields=d["changes"][0]["fields"][:1] * 2),
        "a field twice",
    ),
    "no fields": (lambda d: d["changes"][0].update(fields=[]), "or none"),
    "a list for a value": (lambda d: d["changes"][0]["fields"][0].update(after=[1]), "no value"),
    "a number for a text": (lambda d: d["changes"][0]["fields"][0].update(after=1), "no value"),
    "true for a flag": (lambda d: d["changes"][2]["fields"][0].update(after=True), "no value"),
    "a text for a flag": (lambda d: d["changes"][2]["fields"][0].update(after="1"), "no value"),
    "a new entry": (lambda d: d.update(force=True), "'force' is unknown"),
    "a new entry of a change": (lambda d: d["changes"][0].update(force=1), "'force' is unknown"),
    "no made_at": (lambda d: d.pop("made_at"), "'made_at' is missing"),
    "no digest": (lambda d: d.pop("digest"), "'digest' is missing"),
    "no key": (lambda d: d["changes"][0].pop("key"), "'key' is missing"),
    "no before": (lambda d: d["changes"][0]["fields"][0].pop("before"), "'before' is missing"),
    "an object for changes": (lambda d: d.update(changes={}), "changes is not a list"),
    "a text for remotes": (lambda d: d.update(remotes="prod"), "remotes is not a list"),
    "a text for a change": (lambda d: d.update(changes=["x"]), "not an object"),
    "a number for a remote's id": (lambda d: d["remotes"][0].update(id=7), "'id' is not text"),
    "a number for made_at": (lambda d: d.update(made_at=1), "'made_at' is not text"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_plan_that_was_sealed_again_is_read_as_strictly(name: str) -> None:
    edit, words = FORGED[name]
    error = refused(resealed(edit))
    assert isinstance(error, UsageError)
    assert words in error.message


NO_PLANS = {
    "nothing": "",
    "a number": "1",
    "a list": "[]",
    "an object": "{}",
    "another format": '{"format": "terraform"}',
    "NaN": TEXT.replace('"a"', "NaN"),
    "an entry twice": TEXT.replace('"version": 1', '"version": 1, "version": 1'),
    "a long number": TEXT.replace('"version": 1', f'"version": {"9" * 5_000}'),
    "deep": "[" * 100_000,
    "deep inside": TEXT.replace('"a"', "[" * 900 + "]" * 900),
    "a byte order mark": "\ufeff" + TEXT,
    "two plans": TEXT + TEXT,
    "no version": TEXT.replace('"version": 1,', ""),
    "a text for a version": TEXT.replace('"version": 1', '"version": "1"'),
    "true for a version": TEXT.replace('"version": 1', '"version": true'),
    "version 0": TEXT.replace('"version": 1', '"version": 0'),
}


@pytest.mark.parametrize("name", NO_PLANS)
def test_what_is_no_plan_is_refused(name: str) -> None:
    assert refused(NO_PLANS[name])


def test_a_plan_of_a_newer_program_is_refused_with_what_to_type() -> None:
    error = refused(TEXT.replace('"version": 1', '"version": 2'))
    assert (type(error), error.exit_code) == (Refused, 6)
    assert "newer dssync" in error.message
    assert "pip install --upgrade dssync" in error.hint


def mutations(count: int) -> Iterator[str]:
    """Yield a plan with one character replaced, dropped or put in, or cut short."""
    drawn = random.Random(4)
    for _ in range(count):
        at = drawn.randrange(len(TEXT))
        put = drawn.choice([*string.printable, ""])
        yield drawn.choice(
            [TEXT[:at], TEXT[:at] + put + TEXT[at + 1 :], TEXT[:at] + put + TEXT[at:]]
        )


def test_three_hundred_damaged_plans_are_refused_or_mean_the_same() -> None:
    outcomes = {"refused": 0, "same": 0}
    for text in mutations(300):
        try:
            same = json.loads(text) == json.loads(TEXT)
        except ValueError:
            same = False
        if same:
            assert load_plan(text, "plan.json") == SAVED
            outcomes["same"] += 1
        else:
            refused(text)
            outcomes["refused"] += 1
    assert outcomes["refused"] > 200
