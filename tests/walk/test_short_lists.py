"""Lists of a few rows, most of them or all unreadable."""

import pytest

from dssync.core.scan import CompleteWithHoles, KnownHole, Partial
from tests.walk.listserver import ListServer, position, positions, run
from tests.walk.test_walk import hole


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_a_short_list_may_be_proved_all_unreadable(size: int) -> None:
    holes = tuple(hole(n, None, None) for n in range(size))
    result = run(ListServer(range(size), range(size)), 10)
    assert result.outcome == CompleteWithHoles(holes)
    again = ListServer(range(size), range(size))
    assert run(again, 10, known=[KnownHole(each) for each in holes]).outcome == result.outcome
    assert again.requests[:2] == [(0, 1), (1, 1)]
    assert len(again.requests) <= 2 * (size + size // 4 + 1)


def test_a_long_list_without_any_readable_row_is_partial() -> None:
    result = run(ListServer(range(21), range(21)), 10)
    assert result.outcome == Partial("no row of the list could be read")
    assert result.requests < 20


def test_an_unreadable_list_that_was_repaired_is_read() -> None:
    result = run(
        ListServer(range(3), {0}), 10, known=[KnownHole(hole(n, None, None)) for n in range(3)]
    )
    assert result.outcome == CompleteWithHoles((hole(0, None, 1),))
    assert result.accepted == positions([1, 2])


@pytest.mark.parametrize("poison", range(2**6))
def test_short_lists_are_read_whichever_rows_are_unreadable(poison: int) -> None:
    bad = {n for n in range(6) if poison >> n & 1}
    result = run(ListServer(range(6), bad), 5)
    assert not result.partial
    assert result.accepted == positions(n for n in range(6) if n not in bad)


def test_a_row_behind_holes_that_moves_on_before_it_is_accepted_is_not_lost() -> None:
    moved = {7: -1, 10: -2, 15: 1, 19: -1, 32: -3, 35: -2}

    def move(server: ListServer) -> None:
        server.live ^= {moved.get(len(server.requests), 0)} - {0}

    result = run(ListServer(range(4), {-3, -1, 0, 1, 3}, before_each=move), 5)
    assert position(2) in result.accepted
