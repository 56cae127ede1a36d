"""The table in `core/adoption.py`, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from dssync.core.adoption import (
    Adopt,
    Adoption,
    Candidate,
    NotMade,
    Sought,
    Undecided,
    decide,
    fitting,
    same_content,
)
from dssync.core.fields import Stored

SENT_AT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
SENT: dict[str, Stored] = {"name": "new ", "metadata": '{"b": 1e2, "a": 1}'}
SAME: dict[str, Stored] = {
    "name": "new",
    "description": None,
    "metadata": '{"a":1,"b":100.0}',
    "deleted": 0,
}
OTHER = {**SAME, "description": "else"}


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def made(
    id: str, values: dict[str, Stored], at: float = 1, edited_after: float = 0, edited: bool = False
) -> Candidate:
    created = SENT_AT + seconds(at)
    return Candidate(id, values, created, created + seconds(edited_after), edited)


EDITED = ("it may have been made, and edited there since", ("y",))
SEVERAL = ("any of 2 equal records made since may be it", ("x", "y"))
BOTH = ("it was made, but edited there and here", ("x",))
WAIT = ("it is not there yet, and for two minutes it may still appear", ())

CASES: dict[str, tuple[list[Candidate], float, bool, Adoption]] = {
    "nothing yet": ([], 0, False, Undecided(*WAIT)),
    "nothing just before the time is up": ([], 119.9, False, Undecided(*WAIT)),
    "nothing when the time is up": ([], 120, False, NotMade()),
    "one equal": ([made("x", SAME)], 0, False, Adopt("x")),
    "one equal, long after": ([made("x", SAME, at=900)], 1000, False, Adopt("x")),
    "one equal, by a machine whose clock is late": ([made("x", SAME, -4)], 0, False, Adopt("x")),
    "two equal": ([made("x", SAME), made("y", SAME)], 999, False, Undecided(*SEVERAL)),
    "one equal beside another": ([made("x", SAME), made("y", OTHER)], 0, False, Adopt("x")),
    "one equal beside an edited one": (
        [made("x", SAME), made("y", OTHER, 1, 60)],
        0,
        False,
        Adopt("x"),
    ),
    "only others": ([made("y", OTHER)], 120, False, NotMade()),
    "one that was edited since": ([made("y", OTHER, 1, 60)], 999, False, Undecided(*EDITED)),
    "one edited since, made in time": ([made("y", OTHER, 125, 60)], 999, False, Undecided(*EDITED)),
    "one edited since, made too late": ([made("y", OTHER, 126, 60)], 999, False, NotMade()),
    "edited here, untouched there": ([made("x", SAME)], 0, True, Adopt("x")),
    "edited only as a second record": ([made("x", SAME, edited=True)], 0, False, Adopt("x")),
    "edited as both": ([made("x", SAME, edited=True)], 0, True, Undecided(*BOTH)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_verdict(name: str) -> None:
    candidates, waited, edited, verdict = CASES[name]
    sought = Sought("dataset", SENT, SENT_AT, edited)
    assert decide(sought, candidates, SENT_AT + seconds(waited)) == verdict


def test_what_may_be_it_is_what_a_person_is_told_of() -> None:
    candidates = [made("x", SAME), made("o", OTHER), made("y", OTHER, 1, 60)]
    found = fitting(Sought("dataset", SENT, SENT_AT), candidates)
    assert [candidate.id for candidate in found] == ["x", "y"]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (SENT, SAME, True),
        (SENT, OTHER, False),
        (SENT, {**SAME, "deleted": 1}, False),
        (SENT, {**SENT, "description": ""}, False),
        (SENT, {**SENT, "metadata": '{"a": 1.0, "b": 100.0}'}, False),
        ({}, {"metadata": "null"}, True),
    ],
)
def test_content_is_compared_as_the_server_stores_it(
    left: dict[str, Stored], right: dict[str, Stored], same: bool
) -> None:
    assert same_content("dataset", left, right) == same
    assert same_content("dataset", right, left) == same
