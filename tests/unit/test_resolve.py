"""What each decision makes of a conflict, case by case, and what holds for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.core.differ import difference
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.merge import merge
from dssync.core.plan import Change
from dssync.core.pointer import MISSING
from dssync.core.records import Triple
from dssync.core.resolve import (
    Choice,
    Clash,
    Edited,
    Side,
    clashes,
    decided,
    other_edits,
    weave,
)
from dssync.core.values import equal
from tests.property.sides import TRIPLES
from tests.unit.merge_cases import BLANK

UNSENT: Values = {}
"""What is pending when nothing is."""


@dataclass(frozen=True)
class Case:
    """`after` is what a push would then send."""

    name: str
    base: Values
    theirs: Values
    ours: Values
    choices: Mapping[str, Choice]
    after: Values
    kind: KindName = "dataset"
    reverted: frozenset[str] = frozenset()


def text(side: Choice) -> Mapping[str, Choice]:
    return {"description": side}


def json(side: Choice) -> Mapping[str, Choice]:
    return {"metadata": side}


TEXTS: tuple[Values, Values, Values] = (
    {"description": "old"},
    {"description": "theirs"},
    {"description": "ours"},
)
KEYS: tuple[Values, Values, Values] = (
    {"metadata": '{"a":1,"b":1}'},
    {"metadata": '{"a":2,"b":1,"their":1}'},
    {"metadata": '{"a":3,"b":1,"our":1}'},
)
GONE: tuple[Values, Values, Values] = (
    {"description": "old"},
    {"description": "old", "deleted": 1},
    {"description": "ours"},
)
BOTH: tuple[Values, Values, Values] = (
    {"description": "old"},
    {"description": "theirs", "deleted": 1},
    {"description": "ours", "metadata": "1"},
)
BACK: tuple[Values, Values, Values] = (
    {"description": "old"},
    {"description": "old"},
    {"description": "ours"},
)
ONE_KEY_BACK: tuple[Values, Values, Values] = (
    {"metadata": '{"a":1,"b":1}'},
    {"metadata": '{"a":1,"b":5}'},
    {"metadata": '{"a":2,"b":1}'},
)
REVERTED = frozenset({"description", "metadata"})

CASES = (
    Case("text, ours", *TEXTS, text("ours"), {"description": "ours"}),
    Case("text, theirs", *TEXTS, text("theirs"), UNSENT),
    Case("text, written", *TEXTS, text(Edited("new")), {"description": "new"}),
    Case("text, written as theirs", *TEXTS, text(Edited("theirs")), UNSENT),
    Case("text, null written", *TEXTS, text(Edited(None)), {"description": None}),
    Case("keys, ours", *KEYS, json("ours"), {"metadata": '{"a":3,"b":1,"their":1,"our":1}'}),
    Case("keys, theirs", *KEYS, json("theirs"), {"metadata": '{"a":2,"b":1,"their":1,"our":1}'}),
    Case(
        "a key removed here and edited there, ours",
        {"metadata": '{"a":1,"b":1}'},
        {"metadata": '{"a":2,"b":1}'},
        {"metadata": '{"b":1}'},
        json("ours"),
        {"metadata": '{"b":1}'},
    ),
    Case(
        "a key removed here and edited there, theirs",
        {"metadata": '{"a":1,"b":1}'},
        {"metadata": '{"a":2,"b":1}'},
        {"metadata": '{"b":1}'},
        json("theirs"),
        UNSENT,
    ),
    Case(
        "keys deep inside, ours",
        {"metadata": '{"x":{"a":1,"b":1}}'},
        {"metadata": '{"x":{"a":2,"b":2}}'},
        {"metadata": '{"x":{"a":3,"b":1}}'},
        json("ours"),
        {"metadata": '{"x":{"a":3,"b":2}}'},
    ),
    Case(
        "lists are one value, ours",
        {"metadata": '{"l":[1]}'},
        {"metadata": '{"l":[1,2]}'},
        {"metadata": '{"l":[0,1]}'},
        json("ours"),
        {"metadata": '{"l":[0,1]}'},
    ),
    Case(
        "another type, theirs",
        {"metadata": "1"},
        {"metadata": '{"a":1}'},
        {"metadata": '"text"'},
        json("theirs"),
        UNSENT,
    ),
    Case(
        "another type, ours keeps its text",
        {"metadata": "1"},
        {"metadata": '{"a":1}'},
        {"metadata": "[1, 2.0]"},
        json("ours"),
        {"metadata": "[1, 2.0]"},
    ),
    Case("deleted there, ours", *GONE, {"deleted": "ours"}, {"description": "ours", "deleted": 0}),
    Case("deleted there, theirs", *GONE, {"deleted": "theirs"}, UNSENT),
    Case(
        "edited on both sides and deleted there, ours",
        *BOTH,
        {"deleted": "ours", "description": "ours"},
        {"description": "ours", "metadata": "1", "deleted": 0},
    ),
    Case(
        "edited on both sides and deleted there, theirs",
        *BOTH,
        {"deleted": "theirs", "description": "theirs"},
        UNSENT,
    ),
    Case("reverted, ours", *BACK, text("ours"), {"description": "ours"}, reverted=REVERTED),
    Case("reverted, theirs", *BACK, text("theirs"), UNSENT, reverted=REVERTED),
    Case(
        "reverted in one key, ours keeps the neighbour's other key",
        *ONE_KEY_BACK,
        json("ours"),
        {"metadata": '{"a":2,"b":5}'},
        reverted=REVERTED,
    ),
    Case("reverted in one key, theirs", *ONE_KEY_BACK, json("theirs"), UNSENT, reverted=REVERTED),
    Case(
        "a deletion reverted, ours deletes again",
        {},
        {},
        {"deleted": 1},
        {"deleted": "ours"},
        {"deleted": 1},
        reverted=frozenset({"deleted"}),
    ),
    Case(
        "a deletion reverted, theirs lets it live",
        {},
        {},
        {"deleted": 1},
        {"deleted": "theirs"},
        UNSENT,
        reverted=frozenset({"deleted"}),
    ),
    Case(
        "an item moved to two datasets, ours",
        {"dataset": "a"},
        {"dataset": "b"},
        {"dataset": "c"},
        {"dataset": "ours"},
        {"dataset": "c"},
        kind="item",
    ),
)


def settle(found: Triple, choices: Mapping[str, Choice]) -> Triple:
    """Do with a record what the mirror does with a decision."""
    ours, moved = decided(found, choices)
    assert found.base is not None
    assert found.theirs is not None
    base = {n: found.theirs[n] if n in moved else value for n, value in found.base.items()}
    return replace(found, ours=ours, base=base, reverted=found.reverted - moved)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: Case) -> None:
    base, theirs, ours = ({**BLANK[case.kind], **s} for s in (case.base, case.theirs, case.ours))
    found = Triple(case.kind, "k", "id", "main", ours, base, theirs, reverted=case.reverted)
    assert set(case.choices) == {c.field for c in merge(found).conflicts}
    settled = settle(found, case.choices)
    said = difference(settled)
    assert not merge(settled).conflicts
    assert (said.after if isinstance(said, Change) else {}) == case.after


def test_an_edit_to_a_record_that_lives_again_is_an_undelete() -> None:
    base, theirs, ours = ({**BLANK["dataset"], **side} for side in GONE)
    found = Triple("dataset", "k", "id", "main", ours, base, theirs)
    said = difference(settle(found, {"deleted": "ours"}))
    assert isinstance(said, Change)
    assert said.action == "undelete"


def test_what_was_edited_besides_is_told() -> None:
    base, theirs, ours = ({**BLANK["dataset"], **side} for side in BOTH)
    found = Triple("dataset", "k", "id", "main", ours, base, theirs)
    assert [(d.field, d.before, d.after) for d in other_edits(found)] == [("metadata", None, "1")]


def test_a_field_that_is_not_in_conflict_cannot_be_decided() -> None:
    base, theirs, ours = ({**BLANK["dataset"], **side} for side in TEXTS)
    with pytest.raises(LookupError):
        decided(Triple("dataset", "k", "id", "main", ours, base, theirs), {"name": "ours"})


def test_clashes_are_named_by_their_keys() -> None:
    base, theirs, ours = ({**BLANK["dataset"], **side} for side in KEYS)
    theirs["metadata"] = '{"a":2,"b":{"c":1}}'
    [conflict] = merge(Triple("dataset", "k", "id", "main", ours, base, theirs)).conflicts
    field = KINDS["dataset"].by_name["metadata"]
    assert dict(clashes(weave(field, conflict))) == {("a",): Clash(1, 2, 3)}
    bare = replace(conflict, ours='{"b":1}', theirs='{"a":2,"b":1}')
    assert dict(clashes(weave(field, bare))) == {("a",): Clash(1, 2, MISSING)}


@given(found=TRIPLES, side=st.sampled_from(["ours", "theirs"]))
def test_whatever_is_decided_conflicts_no_longer(found: Triple, side: Side) -> None:
    conflicts = merge(found).conflicts
    settled = settle(found, {conflict.field: side for conflict in conflicts})
    result = merge(settled)
    assert not result.conflicts
    again = merge(replace(settled, ours=result.ours, base=result.base))
    assert again == result


@given(found=TRIPLES)
def test_theirs_is_sent_nowhere_but_inside_json(found: Triple) -> None:
    conflicts = merge(found).conflicts
    result = merge(settle(found, {conflict.field: "theirs" for conflict in conflicts}))
    assert found.theirs is not None
    for conflict in conflicts:
        field = KINDS[found.kind].by_name[conflict.field]
        if field.type != "json":
            assert equal(field, result.ours[field.name], found.theirs[field.name])
