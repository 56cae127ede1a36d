"""What a migration does to one record: the table of a push, and what a push does not know."""

from dataclasses import replace

import pytest

from dssync.core.fields import KINDS, Values
from dssync.core.matching import Matches, match, match_again
from dssync.core.merge import merge
from dssync.core.migration import SPARED, Manner, carry
from dssync.core.records import Triple
from dssync.core.rules import problems
from dssync.core.values import differing
from tests.unit.merge_cases import BLANK, CONFLICT, NOTHING, Case, Row, cases, rows

MERGES = [row for row in rows() if "sent" not in row]
CLASSIC = Manner("classic")


def there(case: Case) -> Triple:
    """The destination's record, which nobody edits here."""
    theirs = {**BLANK[case.kind], **case.theirs}
    return Triple(case.kind, "k", "id", "main", theirs, theirs, theirs)


def carried(case: Case) -> bool:
    """Tell whether a case is of a source that can show its record, in fields that classic has."""
    kind = KINDS[case.kind]
    lacking = [f.name for f in kind.fields if f.classic is None]
    used = differing([kind.by_name[n] for n in lacking], case.base, case.ours)
    used += differing([kind.by_name[n] for n in lacking], case.base, case.theirs)
    impossible = problems(case.kind, "k", {**case.ours, "deleted": 0}, "classic")
    return not (used or impossible or case.ours["deleted"])


TRIED = [(row["case"], case) for row in MERGES for case in cases(row) if carried(case)]


@pytest.mark.parametrize("row", MERGES, ids=lambda row: row["case"])
def test_both_sides_merge_as_in_a_push(row: Row) -> None:
    for case in filter(carried, cases(row)):
        found = carry(case.kind, case.ours, there(case), case.base, CLASSIC)
        if case.outcome == CONFLICT:
            assert found.name == "clash"
            assert found.base is not None
            handed = replace(there(case), base=found.base, ours={**case.theirs, **found.values})
            assert {conflict.field for conflict in merge(handed).conflicts} == case.fields
        else:
            assert found.name == ("nothing" if case.outcome == NOTHING else "edit")
            assert frozenset(found.values) == case.fields
            assert found.target is not None
            kept = [f for f in KINDS[case.kind].fields if f.classic]
            assert not differing(kept, found.target, case.merged)


def test_enough_of_the_table_is_of_use() -> None:
    assert len({name for name, _ in TRIED}) > 20


A: Values = {"name": "a", "description": None, "metadata": "{}", "deleted": 0}
B: Values = {**A, "name": "b"}
C: Values = {**A, "description": "c"}
GONE: Values = {**A, "deleted": 1}
MISSING = Manner("classic", missing=True)


def stands(theirs: Values | None, ours: Values | None = None) -> Triple:
    held = ours or theirs or A
    return Triple("dataset", "k", "id" if theirs else None, "main", held, theirs, theirs)


CASES = {
    "never copied": (A, None, None, CLASSIC, "create"),
    "gone, and never copied": (None, None, None, MISSING, "nothing"),
    "as it was, deleted there": (A, stands(GONE), A, CLASSIC, "nothing"),
    "changed, deleted there": (B, stands(GONE), A, CLASSIC, "clash"),
    "came back, deleted there when it was gone": (A, stands(GONE), GONE, CLASSIC, "edit"),
    "gone": (None, stands(A), A, CLASSIC, "nothing"),
    "gone, to be deleted": (None, stands(A), A, MISSING, "edit"),
    "gone, changed there": (None, stands(C), A, MISSING, "spared"),
    "gone, undeleted there": (None, stands(A), GONE, MISSING, "spared"),
    "gone, nobody knows since when": (None, stands(A), None, MISSING, "spared"),
    "gone, waits to be made": (None, stands(None, A), A, MISSING, "drop"),
    "gone, its deletion waits": (None, stands(A, GONE), A, MISSING, "waits"),
    "gone, edited here": (None, stands(A, C), A, MISSING, "edited"),
    "its create waits": (A, stands(None, A), A, CLASSIC, "waits"),
    "changed while its create waits": (B, stands(None, A), A, CLASSIC, "edit"),
    "edited while its create waits": (B, stands(None, C), A, CLASSIC, "edited"),
    "its update waits": (B, stands(A, B), A, CLASSIC, "waits"),
    "somebody else's edit, and nothing to do": (A, stands(A, C), A, CLASSIC, "nothing"),
    "somebody else's edit in the way": (B, stands(A, C), A, CLASSIC, "edited"),
    "a clash, and somebody's edit": (B, stands({**A, "name": "d"}, C), A, CLASSIC, "edited"),
    "equal, and nobody knows the base": (A, stands(A), None, CLASSIC, "nothing"),
    "other, and nobody knows the base": (A, stands(B), None, CLASSIC, "clash"),
    "other, and taken over": (A, stands(B), None, Manner("classic", taken=True), "edit"),
    "too long a name": ({**A, "name": "x" * 401}, None, None, CLASSIC, "refuse"),
    "too long a name now": ({**A, "name": "x" * 401}, stands(A), A, CLASSIC, "refuse"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_record_of_source_and_destination(name: str) -> None:
    then, now, agreed, manner, action = CASES[name]
    found = carry("dataset", then, now, agreed, manner)
    assert found.name == action
    assert (found.reason == SPARED) == (action == "spared")


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if case[-1] == "edit"])
def test_once_it_is_done_nothing_is_left_to_do(name: str) -> None:
    then, now, agreed, manner, _ = CASES[name]
    found = carry("dataset", then, now, agreed, manner)
    assert found.target is not None
    assert carry("dataset", then, stands(found.target), agreed, manner).name == "nothing"


def test_a_contract_that_lacks_a_field_keeps_its_own_value() -> None:
    base = {**BLANK["item"], "input": "1"}
    held = {**base, "source_output": '"kept"', "client_item_id": "c", "metadata": "{}"}
    now = Triple("item", "k", "id", "main", held, held, held)
    found = carry("item", {**base, "input": "2"}, now, base, Manner("versioned"))
    assert (found.name, dict(found.values), found.stuck) == ("edit", {"input": "2"}, ())


def test_matches_are_never_guessed() -> None:
    found = match({"a": 1, "b": 2, "c": 2, "d": 3, "e": 4}, {"A": 1, "B": 2, "D": 3, "DD": 3})
    assert found == Matches({"a": "A"}, {"b": ("B",), "c": ("B",), "d": ("D", "DD")})
    more = match_again(found, {"b": 7, "c": 8, "d": 9}, {"B": 7, "D": 9, "DD": 9})
    assert more == Matches({"a": "A", "b": "B"}, {"c": ("B",), "d": ("D", "DD")})
