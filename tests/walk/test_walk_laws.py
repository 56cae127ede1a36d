"""Laws of the walk, on lists that move and servers that misbehave."""

from collections.abc import Callable, Sequence
from math import ceil, log2
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from dssync.core.scan import Complete, CompleteWithHoles, Hole, KnownHole
from tests.walk.listserver import (
    Hints,
    ListServer,
    Result,
    ending,
    endless,
    honest,
    position,
    positions,
    run,
    silent,
)

sizes = st.integers(0, 60)
pages = st.integers(2, 17)
aheads = st.integers(1, 8)
seeds = st.integers(0, 2**32)
hints = st.sampled_from([honest, silent, ending, endless])
faults = st.dictionaries(st.integers(0, 25), st.sampled_from(["repeat", "empty", "fail"]))
clamps = st.sampled_from([2, 3, 7, 10**6])


KINDS = ("insert", "delete", "delete", "undelete")


def mover(
    seed: int, rate: float, still: set[int], kinds: Sequence[str] = KINDS
) -> Callable[[ListServer], None]:
    """Insert, delete and undelete rows around those that stand still; runs in bursts."""
    random, fresh = Random(seed), iter(range(-1, -(10**6), -1))

    def move(server: ListServer) -> None:
        while random.random() < rate:
            loose = sorted(server.live - still)
            kind = random.choice(kinds)
            if kind == "insert":
                server.live.add(next(fresh))
            elif kind == "delete" and loose:
                lost = random.choice(loose)
                server.live.remove(lost)
                server.gone.add(lost)
            elif kind == "undelete" and server.gone:
                back = random.choice(sorted(server.gone))
                server.gone.remove(back)
                server.live.add(back)

    return move


def check_order(result: Result) -> None:
    pairs = zip(result.accepted, result.accepted[1:], strict=False)
    assert all(one < two for one, two in pairs)


@settings(max_examples=200, deadline=None)
@given(sizes, pages, aheads, seeds, hints, faults, clamps, st.floats(0, 0.9), st.floats(0, 1))
def test_no_row_that_stood_still_is_missed(
    size: int,
    page: int,
    ahead: int,
    seed: int,
    hint: Hints,
    faults: dict[int, str],
    clamp: int,
    rate: float,
    share: float,
) -> None:
    random = Random(seed)
    still = {n for n in range(size) if random.random() < share}
    server = ListServer(
        range(size), clamp=clamp, hints=hint, before_each=mover(seed, rate, still), faults=faults
    )
    result = run(server, page, ahead, seed=seed)
    check_order(result)
    if isinstance(result.outcome, Complete):
        assert set(positions(still)) <= set(result.accepted)


@settings(max_examples=200, deadline=None)
@given(sizes, st.integers(4, 17), aheads, seeds, st.floats(0, 0.1))
def test_a_slowly_moving_list_is_walked_to_its_end(
    size: int, page: int, ahead: int, seed: int, rate: float
) -> None:
    still = set(range(0, size, 2))
    server = ListServer(range(size), before_each=mover(seed, rate, still))
    result = run(server, page, ahead, seed=seed)
    assert isinstance(result.outcome, Complete)
    assert set(positions(still)) <= set(result.accepted)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 60),
    pages,
    aheads,
    seeds,
    st.sets(st.integers(0, 60), min_size=1, max_size=6),
    st.sampled_from(["insert", "delete"]),
    st.floats(0, 0.5),
)
def test_no_row_is_missed_around_holes_while_the_list_moves_one_way(
    size: int, page: int, ahead: int, seed: int, poison: set[int], kind: str, rate: float
) -> None:
    still = set(range(0, size, 2)) - poison
    move = mover(seed, rate, still, [kind])
    result = run(ListServer(range(size), poison, before_each=move), page, ahead, seed=seed)
    check_order(result)
    assert result.partial or set(positions(still)) <= set(result.accepted)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 60),
    pages,
    aheads,
    seeds,
    clamps,
    st.sampled_from([honest, silent, ending]),
    st.sets(st.integers(0, 60), max_size=6),
)
def test_on_a_still_list_fetching_ahead_changes_nothing(
    size: int, page: int, ahead: int, seed: int, clamp: int, hint: Hints, poison: set[int]
) -> None:
    readable = [n for n in range(size) if n not in poison]
    result = run(ListServer(range(size), poison, clamp, hint), page, ahead, seed=seed)
    if not readable:
        assert result.partial
        return
    assert result.accepted == positions(readable)
    assert result.outcome == expected(size, poison)
    assert result.most_held <= ahead


def expected(size: int, poison: set[int]) -> Complete | CompleteWithHoles:
    def neighbour(row: int, step: int) -> int | None:
        while row in poison:
            row += step
        return row if 0 <= row < size else None

    holes = []
    for row in sorted(row for row in poison if row < size):
        before, after = neighbour(row, -1), neighbour(row, 1)
        holes.append(
            Hole(
                row,
                None if before is None else position(before),
                None if after is None else position(after),
            )
        )
    return CompleteWithHoles(tuple(holes)) if holes else Complete()


@given(st.integers(2, 400), pages)
def test_a_still_list_costs_its_pages_and_one_probe(size: int, page: int) -> None:
    result = run(ListServer(range(size)), page)
    assert result.requests <= ceil((size - 1) / (page - 1)) + 1
    assert result.accepted == positions(range(size))


@given(st.integers(2, 5_000), st.integers(100, 1_000))
def test_pages_that_grow_cost_little_more(size: int, clamp: int) -> None:
    result = run(ListServer(range(size), clamp=clamp))
    assert result.requests <= ceil((size - 1) / (clamp - 1)) + 2


@settings(deadline=None)
@given(
    st.integers(2, 300),
    st.sampled_from([2, 3, 10, 50, 100]),
    st.sets(st.integers(0, 300), min_size=1, max_size=8),
)
def test_a_hole_costs_few_requests(size: int, page: int, poison: set[int]) -> None:
    poison = {n for n in poison if n < size}
    if len(poison) == size:
        return
    clean = run(ListServer(range(size)), page).requests
    result = run(ListServer(range(size), poison), page)
    assert isinstance(result.outcome, Complete | CompleteWithHoles)
    extra = 3 * (ceil(log2(page)) + 3)
    assert result.requests <= clean + extra * len(poison)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(2, 200),
    pages,
    aheads,
    st.sets(st.integers(0, 200), min_size=1, max_size=6),
    st.integers(0, 5),
    st.sets(st.integers(0, 200), max_size=3),
)
def test_known_holes_change_only_the_cost(
    size: int, page: int, ahead: int, poison: set[int], inserted: int, repaired: set[int]
) -> None:
    poison = {n for n in poison if n < size}
    first = run(ListServer(range(size), poison), page)
    if not isinstance(first.outcome, CompleteWithHoles):
        return
    known = [KnownHole(hole, recheck=True) for hole in first.outcome.holes]
    rows = range(-inserted, size)
    result = run(ListServer(rows, poison - repaired), page, ahead, known)
    assert result.accepted == positions(n for n in rows if n not in poison - repaired)


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 300), pages, st.sets(st.integers(0, 300), min_size=1, max_size=6))
def test_known_holes_are_not_searched_for(size: int, page: int, poison: set[int]) -> None:
    poison = {n for n in poison if n < size}
    first = run(ListServer(range(size), poison), page)
    if not isinstance(first.outcome, CompleteWithHoles):
        return
    known = [KnownHole(hole) for hole in first.outcome.holes]
    again = run(ListServer(range(size), poison), page, known=known)
    assert (again.outcome, again.accepted) == (first.outcome, first.accepted)
    look_at_head, proof_of_end = int(0 in poison), 4
    pages_and_splits = ceil((size - 1) / (page - 1)) + len(poison)
    assert again.requests <= pages_and_splits + look_at_head + proof_of_end


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 60),
    pages,
    aheads,
    seeds,
    faults,
    st.sets(st.integers(0, 60), max_size=6),
    st.floats(0, 0.9),
)
def test_whatever_happens_it_ends_in_order(
    size: int,
    page: int,
    ahead: int,
    seed: int,
    faults: dict[int, str],
    poison: set[int],
    rate: float,
) -> None:
    server = ListServer(
        range(size), poison, before_each=mover(seed, rate, set(range(0, size, 3))), faults=faults
    )
    check_order(run(server, page, ahead, seed=seed))
