"""The walk, case by case."""

import pytest

from dssync.core.records import Position
from dssync.core.scan import (
    Accepted,
    Ask,
    Complete,
    CompleteWithHoles,
    Discarded,
    Hole,
    KnownHole,
    Page,
    Partial,
)
from dssync.core.sizing import Sizing
from dssync.core.walk import Walk
from tests.walk.listserver import (
    Hints,
    ListServer,
    ending,
    endless,
    honest,
    position,
    positions,
    run,
    silent,
)


def hole(offset: int, before: int | None, after: int | None) -> Hole:
    return Hole(
        offset,
        None if before is None else position(before),
        None if after is None else position(after),
    )


@pytest.mark.parametrize(
    ("size", "page", "asked"),
    [
        (0, 10, [(0, 10)]),
        (1, 10, [(0, 10), (1, 1), (0, 1), (1, 2), (0, 1)]),
        (2, 10, [(0, 10), (1, 10)]),
        (10, 10, [(0, 10), (9, 10)]),
        (11, 10, [(0, 10), (9, 10), (10, 10)]),
        (19, 10, [(0, 10), (9, 10), (18, 10)]),
    ],
)
def test_requests_of_a_still_list(size: int, page: int, asked: list[tuple[int, int]]) -> None:
    server = ListServer(range(size))
    result = run(server, page)
    assert server.requests == asked
    assert result.outcome == Complete()
    assert result.accepted == positions(range(size))


@pytest.mark.parametrize("hints", [honest, silent, ending])
@pytest.mark.parametrize("clamp", [2, 3, 99])
def test_a_short_page_is_not_the_end(hints: Hints, clamp: int) -> None:
    result = run(ListServer(range(30), clamp=clamp, hints=hints), 10)
    assert result.outcome == Complete()
    assert result.accepted == positions(range(30))


@pytest.mark.parametrize("hints", [honest, silent, ending, endless])
def test_a_server_that_grants_one_row_is_never_complete(hints: Hints) -> None:
    result = run(ListServer(range(5), clamp=1, hints=hints), 10)
    assert result.partial
    assert result.requests < 100


@pytest.mark.parametrize("size", [0, 1, 7, 30])
def test_a_server_that_always_promises_more_is_partial(size: int) -> None:
    result = run(ListServer(range(size), hints=endless), 10)
    assert result.outcome == Partial("the server says that more rows follow, but shows none")
    assert result.accepted == positions(range(size))
    assert result.requests < 10


def test_equal_timestamps_are_told_apart_by_id() -> None:
    ties = [Position(0, row.id) for row in positions(range(500))]
    walk = Walk(Sizing(23))
    seen: list[Position] = []
    while not walk.done:
        for ask in walk.asks():
            shown = ties[ask.offset :][: ask.limit]
            for verdict in walk.take(ask, Page(shown), 1, 0.1):
                if isinstance(verdict, Accepted):
                    seen += shown[verdict.start :]
    assert seen == ties


def test_a_deletion_ahead_is_noticed() -> None:
    def delete(server: ListServer) -> None:
        if len(server.requests) == 1:
            server.live -= {0, 1, 2}

    server = ListServer(range(20), before_each=delete)
    result = run(server, 10)
    assert server.requests[:4] == [(0, 10), (9, 10), (8, 10), (6, 10)]
    assert result.accepted == positions(range(20))


def test_an_undelete_that_keeps_the_count_is_noticed() -> None:
    def swap(server: ListServer) -> None:
        if len(server.requests) == 1:
            server.live = server.live - {3} | {100}

    result = run(ListServer(range(20), before_each=swap), 10)
    assert result.accepted == positions([*range(20), 100])


@pytest.mark.parametrize("inserted", [1, 9, 10, 50, 20_000])
def test_insertions_ahead_only_repeat_rows(inserted: int) -> None:
    def insert(server: ListServer) -> None:
        if len(server.requests) == 1:
            server.live |= set(range(-inserted, 0))

    result = run(ListServer(range(30), before_each=insert), 10)
    assert result.outcome == Complete()
    assert result.accepted == positions(range(30))
    assert result.requests < 40


@pytest.mark.parametrize("deleted", [50, 20_000])
def test_a_large_deletion_ahead_is_found_by_leaps(deleted: int) -> None:
    def delete(server: ListServer) -> None:
        if len(server.requests) == deleted // 100 + 3:
            server.live -= set(range(deleted))

    result = run(ListServer(range(deleted + 1_000), before_each=delete), 101)
    assert result.outcome == Complete()
    assert result.accepted == positions(range(deleted + 1_000))
    assert result.requests < (deleted + 1_000) / 100 + 50


def test_a_list_that_runs_away_is_partial() -> None:
    def insert(server: ListServer) -> None:
        first = min(server.live)
        server.live |= set(range(first - 100, first))

    result = run(ListServer(range(30), before_each=insert), 10)
    assert result.partial
    assert result.requests < 50


def test_a_server_that_always_sends_the_first_page_is_partial() -> None:
    class Stuck(ListServer):
        def get(self, ask: Ask) -> Page | None:
            self.requests.append((ask.offset, ask.limit))
            return Page(positions(range(min(10, ask.limit))))

    result = run(Stuck([]), 10)
    assert result.partial
    assert result.accepted == positions(range(10))


@pytest.mark.parametrize("fault", ["repeat", "empty", "fail"])
@pytest.mark.parametrize("number", range(1, 5))
def test_one_slip_of_the_server_loses_nothing(fault: str, number: int) -> None:
    result = run(ListServer(range(28), hints=silent, faults={number: fault}), 10)
    assert result.outcome == Complete()
    assert result.accepted == positions(range(28))


@pytest.mark.parametrize(
    ("poison", "holes"),
    [
        ({0}, [hole(0, None, 1)]),
        ({0, 1}, [hole(0, None, 2), hole(1, None, 2)]),
        ({5}, [hole(5, 4, 6)]),
        ({5, 6}, [hole(5, 4, 7), hole(6, 4, 7)]),
        ({5, 7}, [hole(5, 4, 6), hole(7, 6, 8)]),
        ({29}, [hole(29, 28, None)]),
        ({28, 29}, [hole(28, 27, None), hole(29, 27, None)]),
        (set(range(20)), [hole(n, None, 20) for n in range(20)]),
        (set(range(1, 30)), [hole(n, 0, None) for n in range(1, 30)]),
        (set(range(29)), [hole(n, None, 29) for n in range(29)]),
    ],
)
@pytest.mark.parametrize("ahead", [1, 4])
def test_holes_are_found_and_everything_around_is_accepted(
    poison: set[int], holes: list[Hole], ahead: int
) -> None:
    result = run(ListServer(range(30), poison), 10, ahead)
    assert result.outcome == CompleteWithHoles(tuple(holes))
    assert result.accepted == positions(n for n in range(30) if n not in poison)


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_server_that_dies_is_partial_soon(after: int) -> None:
    faults = dict.fromkeys(range(after, 5_000), "fail")
    result = run(ListServer(range(5_000), faults=faults), 100)
    assert result.partial
    assert result.requests <= after + 20


@pytest.mark.parametrize("when", range(15))
@pytest.mark.parametrize("gone", [2, 5])
def test_a_deletion_around_a_hole_hides_no_neighbour(when: int, gone: int) -> None:
    def delete(server: ListServer) -> None:
        if len(server.requests) == when:
            server.live.discard(gone)

    result = run(ListServer(range(12), {5}, before_each=delete), 8)
    assert not result.partial
    assert set(result.accepted) >= set(positions(set(range(12)) - {5, gone}))


def test_time_outs_of_large_pages_are_no_holes() -> None:
    class Slow(ListServer):
        def get(self, ask: Ask) -> Page | None:
            answer = super().get(ask)
            return None if ask.limit > 30 else answer

    server = Slow(range(1_000))
    result = run(server)
    assert result.outcome == Complete()
    assert result.accepted == positions(range(1_000))
    assert result.requests < 250


KNOWN = [KnownHole(hole(15, 14, 16)), KnownHole(hole(16 + 9, 24, 26))]


def test_pages_are_split_around_known_holes() -> None:
    server = ListServer(range(40), {15, 25})
    result = run(server, 10, known=KNOWN)
    assert server.requests == [(0, 10), (9, 6), (16, 9), (26, 10), (35, 10), (39, 10)]
    assert result.outcome == CompleteWithHoles((hole(15, 14, 16), hole(25, 24, 26)))


def test_later_known_holes_are_met_where_the_first_one_was_shifted_to() -> None:
    server = ListServer(range(-3, 40), {15, 25})
    result = run(server, 10, known=KNOWN)
    failed = [(o, n) for o, n in server.requests if o <= 28 < o + n]
    assert failed == []
    assert result.outcome == CompleteWithHoles((hole(18, 14, 16), hole(28, 24, 26)))


@pytest.mark.parametrize("repaired", [set(), {15}])
def test_a_recheck_asks_for_the_row_itself(repaired: set[int]) -> None:
    server = ListServer(range(40), {15} - repaired)
    result = run(server, 10, known=[KnownHole(hole(15, 14, 16), recheck=True)])
    assert server.requests.count((15, 1)) == 1
    assert result.accepted == positions(n for n in range(40) if n not in {15} - repaired)
    assert (result.outcome == Complete()) == bool(repaired)


def test_a_known_hole_with_another_neighbour_is_searched_for() -> None:
    server = ListServer(range(40), {15})
    result = run(server, 10, known=[KnownHole(hole(15, 14, 17))])
    assert result.outcome == CompleteWithHoles((hole(15, 14, 16),))


def test_new_rows_before_a_known_hole_at_the_head_are_seen() -> None:
    server = ListServer(range(-1, 10), {0})
    server.live.discard(0)
    result = run(server, 10, known=[KnownHole(hole(0, None, 1))])
    assert result.accepted == positions([-1, *range(1, 10)])


def test_rows_out_of_order_end_the_walk() -> None:
    walk = Walk(Sizing())
    [ask] = walk.asks()
    assert walk.take(ask, Page(positions([2, 1])), 1, 0.1) == [Discarded(ask)]
    assert walk.outcome == Partial("the rows from 0 on are not in the list's order")


def measured() -> Sizing:
    """Pages of ten rows, as if one had come already, so that the walk fetches ahead at once."""
    sizing = Sizing(10)
    sizing.measure(10, 1_000, 0.1)
    return sizing


def test_a_fatal_failure_ends_the_walk_and_frees_what_came_early() -> None:
    walk = Walk(measured(), ahead=3)
    first, second, third = walk.asks()
    assert walk.asks() == []
    assert walk.take(second, Page(positions(range(9, 19))), 1, 0.1) == []
    assert walk.fail(first, "the key was revoked", fatal=True) == [Discarded(second)]
    assert walk.outcome == Partial("the key was revoked")
    assert walk.take(third, Page(positions(range(18, 28))), 1, 0.1) == [Discarded(third)]


def test_early_pages_are_accepted_in_list_order() -> None:
    walk = Walk(measured(), ahead=2)
    first, second = walk.asks()
    assert walk.take(second, Page(positions(range(9, 19))), 1, 0.1) == []
    assert walk.take(first, Page(positions(range(10))), 1, 0.1) == [
        Accepted(first, 0),
        Accepted(second, 1),
    ]


def test_an_answer_nobody_waits_for_is_refused() -> None:
    walk = Walk(Sizing())
    [ask] = walk.asks()
    walk.take(ask, Page(()), 1, 0.1)
    with pytest.raises(ValueError, match="is not under way"):
        walk.fail(ask, "HTTP 500")


def test_a_row_that_came_back_behind_a_known_last_hole_is_seen() -> None:
    result = run(ListServer(range(30), {28}), 10, known=[KnownHole(hole(28, 27, None))])
    assert result.outcome == CompleteWithHoles((hole(28, 27, 29),))
    assert result.accepted == positions(n for n in range(30) if n != 28)


def test_fetching_ahead_wastes_little_on_a_server_that_clamps() -> None:
    server = ListServer(range(1_000), clamp=50)
    assert run(server, 100, ahead=4).requests <= 21 + 1 + 3


def test_fetching_ahead_stops_where_the_list_should_end() -> None:
    server = ListServer(range(500))
    run(server, 100, ahead=8)
    assert max(offset for offset, _ in server.requests) < 500
    assert len(server.requests) == 6 + 1
