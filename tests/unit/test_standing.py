"""A reviewed change stands, is held already, or has moved: the table of `core.standing`."""

from dataclasses import dataclass, replace

import pytest

from dssync.core.fields import Values
from dssync.core.plan import Change, Delta
from dssync.core.records import Triple
from dssync.core.standing import Moved, Sides, Standing, stand

FIRST: Values = {"name": "a", "description": "x", "metadata": '{"k": 1}', "deleted": 0}
PLANNED = Change("main", "dataset", "d", "d", "update", (Delta("name", "a", "b"),))
JSON = replace(PLANNED, deltas=(Delta("metadata", '{"k":1}', '{"k": 2}'),))
DELETION = replace(PLANNED, action="delete", deltas=(Delta("deleted", 0, 1),))
CREATE = Change("main", "dataset", "n", None, "create", (Delta("name", None, "b"),))

HERE = "it was edited here after the plan was made"
BACK = "it was taken back here after the plan was made"
THERE = "somebody else changed it on the server after the plan was made"


def triple(ours: Values, theirs: Values | None = None, base: Values | None = None) -> Triple:
    """Return three values, each told by what it has that the first state has not."""
    first = {**FIRST, **(base or {})}
    return Triple(
        "dataset", "d", "d", "main", {**first, **ours}, first, {**first, **(theirs or {})}
    )


@dataclass(frozen=True)
class Case:
    name: str
    planned: Change
    now: Triple | None
    outcome: Standing | str

    def __str__(self) -> str:
        return self.name


CASES = (
    Case("nothing moved", PLANNED, triple({"name": "b"}), Standing.STANDS),
    Case("another spelling of a name", PLANNED, triple({"name": " b "}), Standing.STANDS),
    Case("JSON spelled otherwise", JSON, triple({"metadata": '{ "k":2 }'}), Standing.STANDS),
    Case("another field moved there", PLANNED, triple({"name": "b"}, {"description": "y"}),
         Standing.STANDS),
    Case("another value here", PLANNED, triple({"name": "c"}), HERE),
    Case("one more field here", PLANNED, triple({"name": "b", "description": "y"}), HERE),
    Case("taken back here", PLANNED, triple({}), BACK),
    Case("deleted here", PLANNED, triple({"name": "b", "deleted": 1}), HERE),
    Case("the same value there", PLANNED, triple({"name": "b"}, {"name": "b"}), Standing.HELD),
    Case("the same there, more here", PLANNED,
         triple({"name": "b", "description": "y"}, {"name": "b"}), Standing.HELD),
    Case("applied and pulled", PLANNED, triple({}, base={"name": "b"}), Standing.HELD),
    Case("another value there", PLANNED, triple({"name": "b"}, {"name": "c"}),
         "name: changed on both sides"),
    Case("taken back here, moved there", PLANNED, triple({}, {"name": "c"}), THERE),
    Case("another key of the JSON there", JSON,
         triple({"metadata": '{"k": 2}'}, {"metadata": '{"k": 1, "l": 1}'}), THERE),
    Case("pulled since, and merged", JSON,
         triple({"metadata": '{"k": 2, "l": 1}'}, base={"metadata": '{"k": 1, "l": 1}'}), THERE),
    Case("deleted there", PLANNED, triple({"name": "b"}, {"deleted": 1}),
         "deleted: edited here, deleted there"),
    Case("deletion stands", DELETION, triple({"deleted": 1}), Standing.STANDS),
    Case("deletion was done", DELETION, triple({"deleted": 1}, {"deleted": 1}), Standing.HELD),
    Case("deletion with one more edit", DELETION, triple({"deleted": 1, "name": "c"}), HERE),
    Case("dropped here", PLANNED, None, "it was dropped here after the plan was made"),
    Case("create stands", CREATE,
         Triple("dataset", "n", None, "main", {**dict.fromkeys(FIRST), "name": "b"}, None, None),
         Standing.STANDS),
    Case("create edited here", CREATE,
         Triple("dataset", "n", None, "main", {**dict.fromkeys(FIRST), "name": "c"}, None, None),
         HERE),
    Case("created by now", CREATE, triple({}, base={"name": "b"}), Standing.HELD),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    found = stand(case.planned, case.now)
    if isinstance(case.outcome, Standing):
        assert found is case.outcome
    else:
        assert isinstance(found, Moved)
        assert found.reason == case.outcome
        assert found.change is case.planned


def test_what_moved_comes_with_three_values_of_each_field_concerned() -> None:
    now = triple({"name": "c", "description": "y"}, {"metadata": "1"})
    found = stand(PLANNED, now)
    assert isinstance(found, Moved)
    assert found.sides == (Sides("name", "a", "a", "c"), Sides("description", "x", "x", "y"))
    clash = stand(PLANNED, triple({"name": "b"}, {"name": "c", "deleted": 1}))
    assert isinstance(clash, Moved)
    assert clash.conflicted
    assert clash.sides == (Sides("name", "a", "c", "b"), Sides("deleted", 0, 1, 0))


def test_a_plan_for_another_id_or_remote_has_moved() -> None:
    now = triple({"name": "b"})
    for other in (replace(PLANNED, id="other"), replace(PLANNED, remote="other")):
        assert isinstance(stand(other, now), Moved)
