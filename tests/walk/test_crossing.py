"""The look across unreadable rows, answer by answer."""

import pytest

from dssync.core.crossing import Crossed, Dead, Moved, Witness, cross, prove_end
from dssync.core.scan import Answer, Failed, Page
from tests.walk.listserver import position

BAD = Failed("HTTP 500")
NONE = Page(())
A, B, C, D = (Page([position(n)]) for n in range(4))
DEAD = Dead("a row that was readable a moment ago fails too")
WITNESS = Witness(4, position(0))


def drive(crossing, answers: list[Answer]):  # type: ignore[no-untyped-def]
    """Feed the answers; return what was asked and what came of it."""
    asked = [next(crossing)]
    try:
        for answer in answers:
            asked += [crossing.send(answer)]
    except StopIteration as stop:
        assert len(asked) == len(answers)
        return [offset for offset, _ in asked], stop.value
    raise AssertionError("it asks for more")


@pytest.mark.parametrize(
    ("answers", "asked", "result"),
    [
        ([BAD, A, B, BAD, B, A], [5, 4, 6, 5, 6, 4], Crossed(5, 1, position(1))),
        (
            [BAD, A, BAD, A, B, BAD, BAD, B, A],
            [5, 4, 6, 4, 7, 5, 6, 7, 4],
            Crossed(5, 2, position(1)),
        ),
        ([B], [5], Moved()),
        ([NONE], [5], Moved()),
        ([BAD, C], [5, 4], Moved()),
        ([BAD, A, B, C], [5, 4, 6, 5], Moved()),
        ([BAD, A, B, BAD, C], [5, 4, 6, 5, 6], Moved()),
        ([BAD, A, B, BAD, B, D], [5, 4, 6, 5, 6, 4], Moved()),
        ([BAD, BAD, A, B, BAD, B, A], [5, 4, 4, 6, 5, 6, 4], Crossed(5, 1, position(1))),
        ([BAD, BAD, BAD, A], [5, 4, 4, 5], Moved()),
        ([BAD, BAD, BAD, BAD], [5, 4, 4, 5], DEAD),
        ([BAD, A, NONE, BAD, NONE, A, NONE, A], [5, 4, 6, 5, 6, 4, 6, 4], Crossed(5, 1, None)),
        ([BAD, A, NONE, BAD, NONE, A, B], [5, 4, 6, 5, 6, 4, 6], Moved()),
    ],
)
def test_crossing_behind_a_readable_row(
    answers: list[Answer], asked: list[int], result: object
) -> None:
    assert drive(cross(5, WITNESS), answers) == (asked, result)


@pytest.mark.parametrize(
    ("answers", "asked", "result"),
    [
        ([B, BAD, B, B, BAD, B, B], [1, 0, 1, 1, 0, 1, 1], Crossed(0, 1, position(1))),
        ([NONE, BAD, NONE, BAD, NONE], [1, 0, 1, 0, 1], Crossed(0, 1, None)),
        (
            [BAD, NONE, NONE, BAD, BAD, NONE, BAD, BAD, NONE],
            [1, 3, 2, 0, 1, 2, 0, 1, 2],
            Crossed(0, 2, None),
        ),
        ([NONE, BAD, Page((), more=True)], [1, 0, 1], Moved()),
        ([NONE, BAD, Page((), count=2)], [1, 0, 1], Moved()),
        ([NONE, BAD, BAD], [1, 0, 1], Moved()),
        ([NONE, BAD, B], [1, 0, 1], Moved()),
        ([NONE, BAD, NONE, NONE], [1, 0, 1, 0], Moved()),
        # the leaps passed over the readable row of a short list
        (
            [BAD, BAD, NONE, NONE, NONE, BAD, BAD, C, BAD, C, BAD, C, C, BAD, BAD, C, C],
            [1, 3, 7, 5, 4, 0, 1, 2, 0, 2, 1, 2, 2, 0, 1, 2, 2],
            Crossed(0, 2, position(2)),
        ),
    ],
)
def test_crossing_at_the_head_of_the_list(
    answers: list[Answer], asked: list[int], result: object
) -> None:
    assert drive(cross(0, None), answers) == (asked, result)


@pytest.mark.parametrize(
    ("answers", "asked", "result"),
    [
        ([NONE, A, NONE, A], [5, 4, 5, 4], Crossed(5, 0, None)),
        ([B], [5], Moved()),
        ([BAD], [5], Moved()),
        ([Page((), more=True)], [5], Moved()),
        ([Page((), count=6)], [5], Moved()),
        ([NONE, B], [5, 4], Moved()),
        ([NONE, A, B], [5, 4, 5], Moved()),
        ([NONE, A, NONE, C], [5, 4, 5, 4], Moved()),
    ],
)
def test_the_end_behind_a_readable_row(
    answers: list[Answer], asked: list[int], result: object
) -> None:
    assert drive(prove_end(5, WITNESS), answers) == (asked, result)
