"""How many rows are asked for, by what was measured."""

from itertools import pairwise

import pytest

from dssync.core.sizing import Sizing


@pytest.mark.parametrize(
    ("rows", "size_bytes", "seconds", "then"),
    [
        (100, 100_000, 0.1, 1_000),
        (100, 2_000_000, 0.1, 200),
        (100, 8_000_000, 0.1, 50),
        (100, 100_000, 4.0, 50),
        (3, 3_000, 0.5, 100),
        (3, 30_000_000, 0.5, 2),
        (0, 100, 0.5, 100),
    ],
)
def test_pages_are_sized_by_what_was_measured(
    rows: int, size_bytes: int, seconds: float, then: int
) -> None:
    sizing = Sizing()
    assert sizing.rows == 100
    sizing.measure(rows, size_bytes, seconds)
    assert sizing.rows == then


def test_pages_grow_again_after_a_failure_at_most_doubling() -> None:
    sizing = Sizing()
    sizing.measure(100, 100_000, 0.1)
    sizing.restrain(125)
    sizes = [sizing.rows]
    for _ in range(4):
        sizing.measure(100, 100_000, 0.1)
        sizes.append(sizing.rows)
    assert sizes == [125, 250, 500, 1_000, 1_000]
    assert all(two <= 2 * one for one, two in pairwise(sizes))


def test_at_most_16_megabytes_are_in_flight() -> None:
    sizing = Sizing()
    assert sizing.depth(8) == 1
    sizing.measure(100, 400_000, 0.1)
    assert (sizing.rows, sizing.depth(8)) == (1_000, 4)


def test_nothing_is_fetched_ahead_until_a_page_tells_how_long_the_list_is() -> None:
    sizing = Sizing(10)
    assert sizing.depth(8) == 1
    sizing.measure(10, 1_000, 0.1)
    assert sizing.depth(8) == 8


def test_a_page_of_one_row_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot overlap"):
        Sizing(1)
