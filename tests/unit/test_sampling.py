"""The odds of a sample, against numbers counted exactly."""

from fractions import Fraction
from math import comb

import pytest

from dssync.core.damage import Span, allowed_gap, disorder
from dssync.core.sampling import Size, choose, odds

TABLE = [
    # population, changed, sample, the odds in percent
    (100, 1, 5, 5.0),
    (100, 1, 100, 100.0),
    (100, 0, 50, 0.0),
    (100, 96, 5, 100.0),
    (100, 95, 5, 99.999998671),
    (1_000, 10, 50, 40.268870709),
    (1_000, 10, 400, 99.413358783),
    (20_000, 1, 1_000, 5.0),
    (20_000, 200, 1_000, 99.996674773),
    (200_000, 2_000, 400, 98.212174388),
]


@pytest.mark.parametrize(("population", "changed", "sample", "percent"), TABLE)
def test_odds(population: int, changed: int, sample: int, percent: float) -> None:
    missed = Fraction(comb(population - changed, sample), comb(population, sample))
    exact = float(1 - missed) if changed else 0.0
    assert odds(population, changed, sample) == pytest.approx(exact, abs=1e-12)
    assert odds(population, changed, sample) * 100 == pytest.approx(percent, abs=1e-6)


SIZES = [
    ("5%", 1_000, 50),
    ("5%", 3, 1),
    ("100%", 7, 7),
    ("12", 7, 7),
    ("12", 70, 12),
    ("5%", 0, 0),
]


@pytest.mark.parametrize(("text", "population", "wanted"), SIZES)
def test_sizes(text: str, population: int, wanted: int) -> None:
    assert Size.parse(text).of(population) == wanted


@pytest.mark.parametrize("text", ["", "0", "-1", "0%", "101%", "x", "5 %%"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError):
        Size.parse(text)


def test_a_seed_chooses_the_same_again() -> None:
    assert choose(1_000, 50, 7) == choose(1_000, 50, 7)
    assert len(choose(1_000, 50, 7)) == 50


PASTS = [
    ("one after another", [(1, 3), (3, 5), (5, None)], []),
    ("seen and ended in one run", [(1, 3), (3, 3), (3, None)], []),
    ("one alone", [(4, None)], []),
    ("an overlap", [(1, 4), (3, None)], [((3, 4), "two contents of it stand at run 3")]),
    ("a gap", [(1, 2), (4, None)], [((2, 4), "what it was between run 2 and run 4 is missing")]),
    ("no present", [(1, 2)], [((2, None), "what it is since run 2 is missing")]),
    ("two presents", [(1, None), (3, None)], [((3, None), "two contents of it stand at run 3")]),
    ("backwards", [(5, 3), (5, None)], [((5, 3), "it ends with run 3, before its beginning")]),
]


@pytest.mark.parametrize(
    ("spans", "wrong"), [case[1:] for case in PASTS], ids=[c[0] for c in PASTS]
)
def test_pasts(spans: list[tuple[int, int | None]], wrong: list[tuple[Span, str]]) -> None:
    found = list(disorder([Span(*each) for each in spans], 0, []))
    assert found[: len(wrong)] == wrong
    assert bool(found) == bool(wrong)


GAPS = [
    ("nothing was pruned", (2, 4, 0, []), False),
    ("pruned behind it", (2, 4, 4, []), True),
    ("pruned inside it", (2, 4, 3, []), False),
    ("a snapshot that is kept lies in it", (2, 4, 9, [3]), False),
    ("a snapshot at its end", (2, 4, 9, [4]), True),
    ("a snapshot at its beginning", (2, 4, 9, [2]), False),
]


@pytest.mark.parametrize(("gap", "allowed"), [case[1:] for case in GAPS], ids=[c[0] for c in GAPS])
def test_gaps(gap: tuple[int, int, int, list[int]], allowed: bool) -> None:
    assert allowed_gap(*gap) is allowed
