"""The merge and the differ, case by case; the cases are docs/merge.md, which people read."""

from collections import Counter
from dataclasses import replace

import pytest

from dssync.core.differ import difference
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.merge import Merged, Reason, merge
from dssync.core.plan import Change, Conflicted
from dssync.core.pushed import look_after, settle
from dssync.core.records import Triple
from dssync.core.values import differing
from tests.unit.merge_cases import BLANK, CONFLICT, NOTHING, Case, Row, cases, rows

ROWS = list(rows())
MERGES = [row for row in ROWS if "sent" not in row]
PUSHES = [row for row in ROWS if "sent" in row]


def triple(kind: KindName, base: Values, theirs: Values, ours: Values) -> Triple:
    """Fill a record's sides in."""
    sides = [{**BLANK[kind], **side} for side in (base, theirs, ours)]
    return Triple(kind, "k", "id", "main", base=sides[0], theirs=sides[1], ours=sides[2])


def pushed(case: Case) -> Triple:
    """Return a pushed record that nobody has looked at yet."""
    assert case.sent is not None
    return replace(triple(case.kind, case.base, case.sent, case.ours), pushed_run=7)


def name_of(row: Row) -> str:
    return row["case"]


def check(case: Case, found: Triple, result: Merged) -> None:
    """Hold a record's merge and its plan against what its case says."""
    assert dict(result.ours) == case.merged
    assert result.settled == (case.outcome == NOTHING)
    clashing = {conflict.field for conflict in result.conflicts}
    agreed = [f for f in KINDS[case.kind].fields if f.name not in clashing]
    assert differing(agreed, result.base, case.theirs) == ()
    said = difference(found)
    if isinstance(said, Conflicted):
        assert case.outcome == CONFLICT
        assert {conflict.field for conflict in said.conflicts} == case.fields
        assert {conflict.reason for conflict in said.conflicts} == {case.reason}
    elif isinstance(said, Change):
        assert (said.action, frozenset(said.after)) == (case.outcome, case.fields)
        assert said.after == {name: case.merged[name] for name in case.fields}
    else:
        assert case.outcome == NOTHING


@pytest.mark.parametrize("row", MERGES, ids=name_of)
def test_case(row: Row) -> None:
    for case in cases(row):
        found = triple(case.kind, case.base, case.theirs, case.ours)
        check(case, found, merge(found))


@pytest.mark.parametrize("row", PUSHES, ids=name_of)
def test_pushed_case_by_a_later_run(row: Row) -> None:
    for case in cases(row):
        judged = settle(pushed(case), case.theirs)
        assert judged.pushed_run is None
        check(case, judged, merge(judged))


@pytest.mark.parametrize("row", PUSHES, ids=name_of)
def test_pushed_case_right_after_the_push(row: Row) -> None:
    for case in cases(row):
        kept, result = look_after(pushed(case), case.theirs)
        check(case, replace(kept, ours=result.ours), result)


@pytest.mark.parametrize("row", PUSHES, ids=name_of)
def test_a_pushed_case_seen_twice_alike_comes_to_the_same(row: Row) -> None:
    for case in cases(row):
        kept, result = look_after(pushed(case), case.theirs)
        base = kept.base if kept.pushed_run else result.base
        again = settle(replace(kept, ours=result.ours, base=base), case.theirs)
        check(case, again, merge(again))


def test_the_page_has_every_case_once_and_for_both_kinds() -> None:
    assert len(MERGES) >= 40
    names = Counter(name_of(row) for row in ROWS)
    assert [name for name, count in names.items() if count > 1] == []
    for row in ROWS:
        found = list(cases(row))
        kinds = {case.kind for case in found}
        only_items = any(word in " ".join(row.values()) for word in ("dataset `", "time `"))
        assert kinds == ({"item"} if only_items else {"dataset", "item"}), row["case"]
    tried = {(case.kind, name) for row in ROWS for case in cases(row) for name in case.fields}
    assert tried == {(kind, name) for kind in KINDS for name in KINDS[kind].names}
    outcomes = {case.outcome for row in ROWS for case in cases(row)}
    assert outcomes == {NOTHING, "update", "delete", "undelete", CONFLICT}
    undos = {Reason.SINCE, Reason.EDITED}
    assert {case.reason for row in ROWS for case in cases(row)} == set(Reason) - undos


NEW, OLD = {"description": "new"}, {"description": "old"}
WAITING = replace(triple("dataset", OLD, NEW, NEW), pushed_run=7)


def test_a_plan_made_before_the_look_calls_what_was_sent_no_change() -> None:
    assert difference(WAITING) is None
    change = difference(replace(WAITING, ours={**WAITING.ours, "description": "again"}))
    assert isinstance(change, Change)
    assert [(d.field, d.before, d.after) for d in change.deltas] == [
        ("description", "new", "again")
    ]


def test_settling_a_record_that_was_not_pushed_only_renews_theirs() -> None:
    found = triple("dataset", {}, {}, {"description": "ours"})
    seen = {**BLANK["dataset"], "name": "Triage"}
    assert settle(found, seen) == replace(found, theirs=seen)


def test_what_others_changed_before_the_look_is_no_part_of_the_push() -> None:
    seen = {**BLANK["dataset"], "name": "theirs", "description": "new"}
    kept, result = look_after(WAITING, seen)
    assert kept.pushed_run
    later = settle(replace(kept, ours=result.ours), {**seen, "name": "Support"})
    assert merge(later).conflicts == ()
    assert merge(later).ours["name"] == "Support"


def test_a_field_that_arrived_is_watched_on_beside_one_that_was_taken_back() -> None:
    sent = {"description": "new", "metadata": '{"a":1}'}
    both = replace(triple("dataset", OLD, sent, sent), pushed_run=7)
    kept, result = look_after(both, {**BLANK["dataset"], **sent, "description": "old"})
    later = settle(replace(kept, ours=result.ours), {**BLANK["dataset"], **OLD})
    assert {(c.field, c.reason) for c in merge(later).conflicts} == {
        ("description", Reason.REVERTED),
        ("metadata", Reason.REVERTED),
    }


def test_a_key_that_arrived_is_watched_on_beside_one_that_somebody_added() -> None:
    old, sent = {"metadata": '{"a":1}'}, {"metadata": '{"a":2}'}
    added, later_seen = {"metadata": '{"a":2,"b":1}'}, {"metadata": '{"a":1,"b":1}'}
    found = replace(triple("dataset", old, sent, sent), pushed_run=7)
    kept, result = look_after(found, {**BLANK["dataset"], **added})
    later = settle(replace(kept, ours=result.ours), {**BLANK["dataset"], **later_seen})
    assert [c.reason for c in merge(later).conflicts] == [Reason.REVERTED]


def test_a_key_that_was_taken_back_shows_what_was_there_before() -> None:
    old, sent = {"metadata": '{"a":1,"b":1}'}, {"metadata": '{"a":2,"b":1}'}
    seen = {**BLANK["dataset"], "metadata": '{"a":1,"b":5}'}
    kept, result = look_after(replace(triple("dataset", old, sent, sent), pushed_run=7), seen)
    said = difference(kept)
    assert isinstance(said, Conflicted)
    for conflicts in (result.conflicts, said.conflicts, merge(settle(kept, seen)).conflicts):
        assert [(c.base, c.theirs, c.ours) for c in conflicts] == [
            (old["metadata"], seen["metadata"], sent["metadata"])
        ]


def test_a_conflict_of_the_look_is_not_hidden_by_waiting() -> None:
    edited = replace(WAITING, ours={**WAITING.ours, "description": "again"})
    kept, _ = look_after(edited, {**BLANK["dataset"], "description": "third"})
    assert kept.pushed_run is None
    assert isinstance(difference(kept), Conflicted)


def test_a_record_made_here_has_nothing_to_merge_with() -> None:
    made = Triple("dataset", "new-1", None, "main", BLANK["dataset"], None, None)
    with pytest.raises(ValueError, match="new-1 was made here"):
        merge(made)
    with pytest.raises(ValueError, match="new-1 was made here"):
        settle(made, BLANK["dataset"])


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


@pytest.mark.parametrize("deep", [200, 600, 100_000])
def test_values_nested_deeply_are_joined_or_a_conflict(deep: int) -> None:
    texts = ['{"a":' * deep + text + "}" * deep for text in ("1", "2", "3")]
    found = triple("dataset", *({"metadata": text} for text in texts))
    assert [c.field for c in merge(found).conflicts] == ["metadata"]
    waiting = replace(triple("dataset", *({"metadata": t} for t in texts)), pushed_run=7)
    assert look_after(waiting, {**BLANK["dataset"], "metadata": texts[0]})[0].reverted


def test_broken_json_is_one_value() -> None:
    sides = ({"metadata": '{"a":1}'}, {"metadata": '{"a":2}'}, {"metadata": '{"a"'})
    assert [c.field for c in merge(triple("dataset", *sides)).conflicts] == ["metadata"]
