"""One touched record in, one change or one conflict out."""

from dataclasses import replace

from dssync.core.differ import Described, difference
from dssync.core.fields import Stored, Values
from dssync.core.merge import Reason
from dssync.core.plan import Change, Conflicted, Delta
from dssync.core.records import Triple
from tests.unit.merge_cases import BLANK


def made(**values: Stored) -> Triple:
    """Return a dataset made here."""
    ours = {**BLANK["dataset"], **values}
    return Triple("dataset", "new-1", None, "main", ours=ours, base=None, theirs=None)


def touched(theirs: Values, ours: Values) -> Triple:
    """Return an item that was edited; theirs is still the base."""
    there = {**BLANK["item"], **theirs}
    return Triple("item", "i1", "1", "main", {**BLANK["item"], **ours}, there, there)


def test_a_create_sends_what_is_there_and_no_flag() -> None:
    assert difference(made(name="Triage", metadata="{}", deleted=0)) == Change(
        "main",
        "dataset",
        "new-1",
        None,
        "create",
        (Delta("name", None, "Triage"), Delta("metadata", None, "{}")),
        "new-1",
    )


def test_what_was_made_and_deleted_here_is_nobodys_business() -> None:
    assert difference(made(deleted=1)) is None


def test_an_update_names_before_and_after_in_the_fields_order() -> None:
    edited = touched({"input": "1", "trace_id": "t"}, {"trace_id": "u", "input": "[1]"})
    assert difference(edited) == Change(
        "main",
        "item",
        "i1",
        "1",
        "update",
        (Delta("input", "1", "[1]"), Delta("trace_id", "t", "u")),
        "i1",
    )


def test_before_is_theirs_as_it_is_now_not_the_base() -> None:
    edited = touched({"metadata": '{"a":1}'}, {"metadata": '{"a":1,"b":2}'})
    assert edited.theirs is not None
    moved = replace(edited, theirs={**edited.theirs, "metadata": '{"a":5}'})
    change = difference(moved)
    assert isinstance(change, Change)
    assert change.deltas == (Delta("metadata", '{"a":5}', '{"a":5,"b":2}'),)
    assert change.after == {"metadata": '{"a":5,"b":2}'}


def test_an_edit_that_the_server_would_store_alike_is_none() -> None:
    assert difference(touched({"input": '{"a":1,"bb":2}'}, {"input": '{"bb":2, "a":1}'})) is None


def test_a_conflict_carries_its_three_values() -> None:
    edited = touched({"input": "1"}, {"input": "2"})
    assert edited.theirs is not None
    found = difference(replace(edited, theirs={**edited.theirs, "input": "3"}))
    assert isinstance(found, Conflicted)
    (conflict,) = found.conflicts
    assert (conflict.field, conflict.base, conflict.theirs, conflict.ours, conflict.reason) == (
        "input",
        "1",
        "3",
        "2",
        Reason.BOTH_CHANGED,
    )


def test_label_and_place_come_from_whoever_knows_them() -> None:
    def describe(triple: Triple) -> Described:
        return f"label of {triple.key}", "Support", (("d1", "Support"),)

    change = difference(touched({}, {"deleted": 1}), describe)
    assert isinstance(change, Change)
    assert (change.action, change.label, change.where) == ("delete", "label of i1", "Support")
    clash = touched({"input": "1"}, {"input": "2"})
    assert clash.theirs is not None
    found = difference(replace(clash, theirs={**clash.theirs, "input": "3"}), describe)
    assert isinstance(found, Conflicted)
    assert (found.label, found.where) == ("label of i1", "Support")
    born = difference(made(), describe)
    assert isinstance(born, Change)
    assert (born.label, born.where) == ("label of new-1", "Support")
