"""A record's story, from the states that were seen and what runs said of it."""

from dataclasses import replace

import pytest

from dssync.core.fields import Stored, Values
from dssync.core.plan import Action, Delta
from dssync.core.receipt import Entry, Outcome
from dssync.core.story import Event, Pruned, State, tell

Told = tuple[object, ...]

BASE: Values = {"name": "n", "description": "d", "metadata": None, "deleted": 0}


def state(run: int, *, absent: str | None = None, **values: Stored) -> State:
    return State(run, "id", {**BASE, **values}, "made", f"at {run}", absent, "ana@example.com")


def said(
    run: int,
    action: Action,
    outcome: Outcome = "applied",
    **deltas: tuple[Stored, Stored],
) -> tuple[int, Entry]:
    parts = tuple(Delta(name, *values) for name, values in deltas.items())
    return run, Entry("prod", "dataset", "k", action, outcome, parts, reason=f"why {run}")


def short(event: Event) -> Told:
    fields = {delta.field: (delta.before, delta.after) for delta in event.deltas}
    outcome = () if event.outcome == "applied" else (event.outcome,)
    return (event.run, event.who, event.what, fields, *outcome)


SEEN: Told = (1, "there", "first seen", {})
GONE = {"deleted": (0, 1)}
BACK = {"deleted": (1, 0)}

CASES: dict[str, tuple[list[State], list[tuple[int, Entry]], list[Told]]] = {
    "nothing ever became of it": ([state(1)], [], [SEEN]),
    "nobody knows anything": ([], [], []),
    "somebody changed it": (
        [state(1), state(4, name="m")],
        [],
        [SEEN, (4, "there", "update", {"name": ("n", "m")})],
    ),
    "only its time changed": ([state(1), state(2)], [], [SEEN]),
    "it is only written differently": (
        [state(1, metadata="{}"), state(2, metadata="{ }")],
        [],
        [SEEN],
    ),
    "a push made it again": (
        [state(1), state(2, deleted=1), state(3, description=None)],
        [said(2, "delete", deleted=(0, 1)), said(3, "create", name=(None, "n"))],
        [SEEN, (2, "here", "delete", GONE), (3, "here", "create", {"name": (None, "n")})],
    ),
    "a push changed it": (
        [state(1), state(2, name="m")],
        [said(2, "update", name=("n", "m"))],
        [SEEN, (2, "here", "update", {"name": ("n", "m")})],
    ),
    "a push changed one field, somebody another": (
        [state(1), state(2, name="m", description="e")],
        [said(2, "update", name=("n", "m"))],
        [
            SEEN,
            (2, "here", "update", {"name": ("n", "m")}),
            (2, "there", "update", {"description": ("d", "e")}),
        ],
    ),
    "a push found it changed": (
        [state(1), state(2, metadata='{"a":1,"b":2}')],
        [said(2, "update", metadata=('{"b":2}', '{"a":1,"b":2}'))],
        [
            SEEN,
            (2, "there", "update", {"metadata": (None, '{"b":2}')}),
            (2, "here", "update", {"metadata": ('{"b":2}', '{"a":1,"b":2}')}),
        ],
    ),
    "a push changed it, and a pull saw it first": (
        [state(1), state(3, name="m")],
        [said(2, "update", name=("n", "m"))],
        [SEEN, (2, "here", "update", {"name": ("n", "m")})],
    ),
    "a push changed it, and somebody took that back before anybody looked": (
        [state(1), state(3, description="e")],
        [said(2, "update", name=("n", "m"))],
        [
            SEEN,
            (2, "here", "update", {"name": ("n", "m")}),
            (3, "there", "update", {"name": ("m", "n"), "description": ("d", "e")}),
        ],
    ),
    "a push changed it, and nobody looked since": (
        [state(1)],
        [said(2, "update", name=("n", "m"))],
        [SEEN, (2, "here", "update", {"name": ("n", "m")})],
    ),
    "a push made it": (
        [state(2, name="m", description=None)],
        [said(2, "create", name=(None, "m"))],
        [(2, "here", "create", {"name": (None, "m")})],
    ),
    "a push made it, and somebody changed it": (
        [state(2, description=None), state(5, description="e")],
        [said(2, "create", name=(None, "n"))],
        [
            (2, "here", "create", {"name": (None, "n")}),
            (5, "there", "update", {"description": (None, "e")}),
        ],
    ),
    "it was deleted there and came back": (
        [state(1), state(2, deleted=1, absent="gone"), state(3, name="m")],
        [],
        [
            SEEN,
            (2, "there", "delete", GONE),
            (3, "there", "undelete", {"name": ("n", "m"), **BACK}),
        ],
    ),
    "a push deleted it, and an undo brought it back": (
        [state(1), state(2, deleted=1, absent="gone"), state(3)],
        [said(2, "delete", deleted=(0, 1)), said(3, "undelete", deleted=(1, 0))],
        [SEEN, (2, "here", "delete", GONE), (3, "here", "undelete", BACK)],
    ),
    "what did not come about is told with its reason": (
        [state(1)],
        [
            said(2, "update", "failed", name=("n", "m")),
            said(3, "update", "skipped"),
            said(4, "update", "in doubt", name=("n", "m")),
        ],
        [
            SEEN,
            (2, "here", "update", {"name": ("n", "m")}, "failed"),
            (4, "here", "update", {"name": ("n", "m")}, "in doubt"),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_story(name: str) -> None:
    states, words, expected = CASES[name]
    assert [short(event) for event in tell("dataset", states, words)] == expected


def test_an_event_says_when_and_why() -> None:
    states = [state(1), state(2, name="m"), state(3, name="m", deleted=1, absent="noticed")]
    first, ours, gone = tell("dataset", states, [said(2, "update", name=("n", "m"))])
    assert (first.at, first.reason) == ("made", "")
    assert (ours.at, ours.reason) == (None, "why 2")
    assert gone.at == "noticed"


def kept(run: int, until: int | None, **values: Stored) -> State:
    return replace(state(run), until_run=until, values={**BASE, **values})


GAPS: dict[str, tuple[list[State], list[tuple[int, Entry]], list[Told]]] = {
    "nothing can have come before the first run": ([kept(1, None)], [], [SEEN]),
    "something may have come before": ([kept(2, None)], [], [(2, "there", "pruned", {})]),
    "what was seen later is whole": ([kept(9, None)], [], [(9, "there", "first seen", {})]),
    "no gap between two": (
        [kept(1, 4), kept(4, None, name="m")],
        [],
        [SEEN, (4, "there", "update", {"name": ("n", "m")})],
    ),
    "a gap, over which it changed": (
        [kept(1, 3), kept(6, None, name="m")],
        [],
        [SEEN, (6, "there", "pruned", {"name": ("n", "m")})],
    ),
    "a gap, after which it is the same": (
        [kept(1, 3), kept(6, None)],
        [],
        [SEEN, (6, "there", "pruned", {})],
    ),
    "nobody else is blamed for what happened in a gap": (
        [kept(1, 3), kept(6, None, name="z")],
        [said(5, "update", name=("x", "y"))],
        [
            SEEN,
            (5, "here", "update", {"name": ("x", "y")}),
            (6, "there", "pruned", {"name": ("n", "z")}),
        ],
    ),
    "after a gap the story goes on": (
        [kept(1, 3), kept(6, 9, name="m"), kept(9, None, name="z")],
        [],
        [
            SEEN,
            (6, "there", "pruned", {"name": ("n", "m")}),
            (9, "there", "update", {"name": ("m", "z")}),
        ],
    ),
}


@pytest.mark.parametrize("name", GAPS)
def test_the_story_over_gaps(name: str) -> None:
    states, words, told = GAPS[name]
    events = tell("dataset", states, words, Pruned(through=7, first=1))
    assert [short(event) for event in events] == told
