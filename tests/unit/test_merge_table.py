"""The merge and the differ, case by case; the cases themselves are data that people read."""

from collections import Counter
from collections.abc import Mapping

import pytest

from dssync.core.differ import difference
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.merge import Reason, merge
from dssync.core.plan import Change, Conflicted
from dssync.core.pushed import settle
from dssync.core.records import Triple
from tests.unit.merge_cases import BLANK, CASES, CONFLICT, NOTHING, Case
from tests.unit.pushed_cases import PUSHED, Pushed


def triple(kind: KindName, base: Values, theirs: Values, ours: Values) -> Triple:
    """Fill a case's sides in."""
    sides = [{**BLANK[kind], **side} for side in (base, theirs, ours)]
    return Triple(
        kind, "k", "id", "main", base=sides[0], theirs=sides[1], ours=sides[2], pushed_run=None
    )


def check(found: Triple, case: Case | Pushed, merged: Values) -> None:
    """Hold a record's merge and difference against what its case says."""
    result = merge(found)
    assert dict(result.ours) == merged
    assert result.settled == (case.outcome == NOTHING)
    assert {c.reason for c in result.conflicts} <= {case.reason}
    said = difference(found)
    if isinstance(said, Conflicted):
        assert case.outcome == CONFLICT
        assert tuple(conflict.field for conflict in said.conflicts) == case.fields
    elif isinstance(said, Change):
        assert (said.action, tuple(said.after)) == (case.outcome, case.fields)
        assert said.after == {name: merged[name] for name in case.fields}
    else:
        assert (case.outcome, case.fields) == (NOTHING, ())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: Case) -> None:
    check(
        triple(case.kind, case.base, case.theirs, case.ours),
        case,
        {**BLANK[case.kind], **case.merged},
    )


@pytest.mark.parametrize("case", PUSHED, ids=[case.name for case in PUSHED])
def test_pushed_case(case: Pushed) -> None:
    noted = triple("dataset", case.base, case.sent, case.ours)
    waiting = Triple(
        "dataset", "k", "id", "main", noted.ours, noted.base, noted.theirs, pushed_run=7
    )
    judged = settle(waiting, {**BLANK["dataset"], **case.seen})
    assert judged.pushed_run is None
    check(judged, case, {**BLANK["dataset"], **case.merged})


def test_a_plan_made_before_the_look_calls_what_was_sent_no_change() -> None:
    old, new = {"description": "old"}, {"description": "new"}
    sent = triple("dataset", old, new, new)
    waiting = Triple("dataset", "k", "id", "main", sent.ours, sent.base, sent.theirs, pushed_run=7)
    assert difference(waiting) is None
    again = {**sent.ours, "description": "again"}
    edited = Triple("dataset", "k", "id", "main", again, sent.base, sent.theirs, pushed_run=7)
    change = difference(edited)
    assert isinstance(change, Change)
    assert [(d.field, d.before, d.after) for d in change.deltas] == [
        ("description", "new", "again")
    ]


def test_settling_a_record_that_was_not_pushed_only_renews_theirs() -> None:
    found = triple("dataset", {}, {}, {"description": "ours"})
    seen = {**BLANK["dataset"], "name": "Triage"}
    judged = settle(found, seen)
    assert (judged.base, judged.theirs, judged.ours) == (found.base, seen, found.ours)


def test_a_record_made_here_has_nothing_to_merge_with() -> None:
    made = Triple("dataset", "new-1", None, "main", BLANK["dataset"], None, None)
    with pytest.raises(ValueError, match="new-1 was made here"):
        merge(made)
    with pytest.raises(ValueError, match="new-1 was made here"):
        settle(made, BLANK["dataset"])


def test_the_table_names_every_case_once_and_knows_the_fields() -> None:
    names = [*(case.name for case in CASES), *(case.name for case in PUSHED)]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    known: Mapping[KindName, set[str]] = {kind: set(KINDS[kind].names) for kind in KINDS}
    assert all(set(BLANK[kind]) == known[kind] for kind in KINDS)
    for case in CASES:
        used = {*case.base, *case.theirs, *case.ours, *case.merged, *case.fields}
        assert used <= known[case.kind], case.name
    assert {case.outcome for case in CASES} >= {"update", "delete", "undelete", NOTHING, CONFLICT}


def test_a_deletion_there_is_told_beside_a_field_in_conflict() -> None:
    found = triple(
        "dataset",
        {"description": "old"},
        {"description": "theirs", "deleted": 1},
        {"description": "ours"},
    )
    result = merge(found)
    assert [(c.field, c.reason, c.base, c.theirs, c.ours) for c in result.conflicts] == [
        ("description", Reason.BOTH_CHANGED, "old", "theirs", "ours"),
        ("deleted", Reason.DELETED_THERE, 0, 1, 0),
    ]
    assert result.ours["deleted"] == 0


def test_values_nested_too_deeply_to_join_are_a_conflict() -> None:
    deep = ['{"a":' * 600 + text + "}" * 600 for text in ("1", "2", "3")]
    found = triple("dataset", *({"metadata": text} for text in deep))
    assert [c.field for c in merge(found).conflicts] == ["metadata"]
