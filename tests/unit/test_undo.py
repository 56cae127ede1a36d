"""What takes a run's change back, as a table of named cases."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from dssync.core.fields import KINDS, KindName, Stored, Values
from dssync.core.merge import Reason
from dssync.core.plan import Action, Conflicted, Delta
from dssync.core.planned import PlannedEdit, judge
from dssync.core.receipt import Entry
from dssync.core.records import Triple
from dssync.core.undo import BACK, inverse_action, undo

KIND: dict[KindName, Values] = {
    "dataset": {"name": "n", "description": "d", "metadata": '{"a": 1}', "deleted": 0},
    "item": dict.fromkeys(KINDS["item"].names) | {"dataset": "D", "input": "1", "deleted": 0},
}


def triple(kind: KindName, theirs: Values, ours: Values | None = None) -> Triple:
    held = {**KIND[kind], **theirs}
    mine = {**held, **(ours or {})}
    return Triple(kind, "k", "k", "prod", mine, held, held)


def entry(kind: KindName, action: Action, **deltas: tuple[Stored, Stored]) -> Entry:
    parts = tuple(Delta(name, *values) for name, values in deltas.items())
    return Entry("prod", kind, "k", action, "applied", parts, label="label")


@dataclass(frozen=True)
class Case:
    """What the run did, what the server holds now, what is edited here, and what comes of it.

    `outcome` is the edit, or the conflicting fields with their reason, or the sentence.
    """

    did: Entry
    now: Values
    outcome: Mapping[str, Stored | Reason] | str
    here: Values | None = None
    left: Values | None = None


SENT = entry("dataset", "update", description=("d", "new"))
JSON = entry("dataset", "update", metadata=('{"a": 1}', '{"a": 2}'))
BOTH = entry("dataset", "update", name=("n", "m"), description=("d", "new"))
MADE = entry("dataset", "create", name=(None, "made"))
GONE = entry("dataset", "delete", deleted=(0, 1))
GONE_EDITED = entry("dataset", "delete", name=("n", "m"), deleted=(0, 1))
BROUGHT = entry("dataset", "undelete", deleted=(1, 0))
MOVED = entry("item", "update", dataset=("D", "E"))
BARE: dict[str, Stored] = {"name": "made", "description": None, "metadata": None}

CASES = {
    "an update stands": Case(SENT, {"description": "new"}, {"description": "d"}),
    "an item was moved": Case(MOVED, {"dataset": "E"}, {"dataset": "D"}),
    "an update stands, written differently": Case(
        JSON, {"metadata": '{ "a":2 }'}, {"metadata": '{"a": 1}'}
    ),
    "a text stands, trimmed": Case(
        entry("dataset", "update", name=("n", " m ")), {"name": "m"}, {"name": "n"}
    ),
    "another field was changed since": Case(
        SENT, {"description": "new", "name": "theirs"}, {"description": "d"}
    ),
    "the field was changed since": Case(
        SENT, {"description": "theirs"}, {"description": Reason.SINCE}
    ),
    "another key of the field was changed since": Case(
        JSON, {"metadata": '{"a": 2, "b": 3}'}, {"metadata": Reason.SINCE}
    ),
    "one of two fields was changed since": Case(
        BOTH, {"name": "m", "description": "theirs"}, {"description": Reason.SINCE}
    ),
    "the field is back already": Case(SENT, {"description": "d"}, BACK),
    "one of two fields is back already": Case(
        BOTH, {"name": "n", "description": "new"}, {"name": "n", "description": "d"}
    ),
    "it was deleted since": Case(
        SENT, {"description": "new", "deleted": 1}, {"deleted": Reason.SINCE}
    ),
    "it was deleted before already": Case(
        SENT,
        {"description": "new", "deleted": 1},
        {"description": "d"},
        left={**KIND["dataset"], "description": "new", "deleted": 1},
    ),
    "the same field is edited here": Case(
        SENT, {"description": "new"}, {"description": Reason.EDITED}, here={"description": "mine"}
    ),
    "another field is edited here": Case(
        SENT, {"description": "new"}, {"name": Reason.EDITED}, here={"name": "mine"}
    ),
    "it is deleted here": Case(
        SENT, {"description": "new"}, {"deleted": Reason.EDITED}, here={"deleted": 1}
    ),
    "a create stands": Case(MADE, BARE, {"deleted": 1}),
    "a create stands as the server completed it": Case(
        MADE,
        {"name": "made", "description": "", "metadata": "{}"},
        {"deleted": 1},
        left={"name": "made", "description": "", "metadata": "{}", "deleted": 0},
    ),
    "a created record was changed since": Case(
        MADE, {**BARE, "name": "theirs"}, {"name": Reason.SINCE}
    ),
    "a created record was completed since": Case(
        MADE, {**BARE, "description": "theirs"}, {"description": Reason.SINCE}
    ),
    "a created record was deleted since": Case(MADE, {**BARE, "deleted": 1}, BACK),
    "a created record is edited here": Case(
        MADE, BARE, {"description": Reason.EDITED}, here={"description": "mine"}
    ),
    "a deletion stands": Case(GONE, {"deleted": 1}, {"deleted": 0}),
    "a deletion was taken back since": Case(GONE, {"deleted": 0}, BACK),
    "a deletion of an edited record stands": Case(
        GONE_EDITED, {"name": "m", "deleted": 1}, {"name": "n", "deleted": 0}
    ),
    "a deleted record of no flag": Case(
        entry("dataset", "delete", deleted=(None, 1)), {"deleted": 1}, {"deleted": 0}
    ),
    "an undeletion stands": Case(BROUGHT, {"deleted": 0}, {"deleted": 1}),
    "an undeletion was taken back since": Case(BROUGHT, {"deleted": 1}, BACK),
    "an undeleted record was changed since": Case(
        BROUGHT, {"deleted": 0, "name": "theirs"}, {"name": Reason.SINCE}, left=KIND["dataset"]
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_takes_a_change_back(name: str) -> None:
    case = CASES[name]
    now = triple(case.did.kind, case.now, case.here)
    found = undo(case.did, now, case.left)
    if isinstance(found, Conflicted):
        assert {c.field: c.reason for c in found.conflicts} == case.outcome
        assert found.label == "label"
    elif isinstance(found, PlannedEdit):
        assert found.values == case.outcome
    else:
        assert found == case.outcome


def test_a_conflict_shows_what_was_sent_what_is_there_and_what_was_before() -> None:
    found = undo(SENT, triple("dataset", {"description": "theirs"}))
    assert isinstance(found, Conflicted)
    (conflict,) = found.conflicts
    assert (conflict.base, conflict.theirs, conflict.ours) == ("new", "theirs", "d")


def test_what_waits_to_be_resolved_is_left_to_whoever_resolves_it() -> None:
    clash = replace(
        triple("dataset", {"description": "theirs"}, {"description": "mine"}),
        base={**KIND["dataset"], "description": "new"},
    )
    found = undo(SENT, clash)
    assert isinstance(found, Conflicted)
    assert [c.reason for c in found.conflicts] == [Reason.BOTH_CHANGED]


def test_what_a_push_sent_and_nobody_saw_again_is_no_edit_of_here() -> None:
    pushed = replace(triple("dataset", {"description": "new"}), base=KIND["dataset"], pushed_run=7)
    found = undo(SENT, pushed)
    assert isinstance(found, PlannedEdit)
    assert found.values == {"description": "d"}


def test_what_a_run_sent_and_never_read_again_is_taken_back_all_the_same() -> None:
    """A run that was killed after the answer leaves the mirror as before, and ours as sent."""
    unread = triple("dataset", {}, {"description": "new"})
    found = undo(SENT, unread)
    assert isinstance(found, PlannedEdit)
    assert found.values == {"description": "d"}
    and_edited = triple("dataset", {}, {"description": "new", "name": "mine"})
    refused = undo(SENT, and_edited)
    assert isinstance(refused, Conflicted)
    assert [c.field for c in refused.conflicts] == ["name"]


def test_every_action_has_an_inverse() -> None:
    actions: tuple[Action, ...] = ("create", "update", "delete", "undelete")
    assert [inverse_action(entry("dataset", action)) for action in actions] == [
        "delete",
        "update",
        "undelete",
        "delete",
    ]


def test_an_edit_that_expects_nothing_is_planned_like_any_other() -> None:
    now = triple("dataset", {})
    change = judge(now, PlannedEdit({"name": "m"}))
    assert change is not None
    assert not isinstance(change, Conflicted)
    assert change.after == {"name": "m"}
    assert judge(now, PlannedEdit({"name": "n"})) is None
