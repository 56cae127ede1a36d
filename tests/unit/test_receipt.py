"""The exit code is computed from the receipt, and from nothing else."""

from itertools import permutations

import pytest

from dssync.core.receipt import Entry, Outcome, Receipt, Trouble, worst
from dssync.errors import Brake, KeyMissing, Locked, Throttled

PRECEDENCE = (130, 143, 11, 10, 9, 7, 6, 8, 5, 4, 3)


def entry(outcome: Outcome, *, planned: bool = True) -> Entry:
    return Entry("main", "item", "k", "update" if planned else "read", outcome)


def receipt(command: str, *outcomes: Outcome, planned: int | None = None) -> Receipt:
    entries = tuple(entry(outcome, planned=planned != 0) for outcome in outcomes)
    return Receipt(command, 1, len(entries) if planned is None else planned, entries)


def test_of_two_codes_the_graver_one_wins_in_any_order() -> None:
    for graver, lesser in permutations(PRECEDENCE, 2):
        expected = min(graver, lesser, key=PRECEDENCE.index)
        assert worst([graver, lesser]) == expected
    assert worst(reversed(PRECEDENCE)) == 130
    assert worst([]) == 0
    assert worst([0, 0]) == 0
    assert worst([0, 3]) == 3
    assert worst([99]) == 1


OUTCOMES: tuple[tuple[str, tuple[Outcome, ...], int], ...] = (
    ("push", (), 0),
    ("push", ("applied", "skipped"), 0),
    ("push", ("applied", "conflicted"), 4),
    ("sync", ("conflicted",), 4),
    ("undo", ("conflicted", "applied"), 4),
    ("push", ("failed", "applied"), 3),
    ("push", ("in doubt",), 3),
    ("push", ("failed", "conflicted"), 4),
    ("pull", ("conflicted",), 0),
    ("pull", ("unreadable",), 3),
    ("pull", ("failed",), 3),
)


@pytest.mark.parametrize(("command", "outcomes", "code"), OUTCOMES)
def test_outcomes_make_the_exit_code(
    command: str, outcomes: tuple[Outcome, ...], code: int
) -> None:
    planned = 0 if command == "pull" else None
    assert receipt(command, *outcomes, planned=planned).exit_code == code


def test_a_record_without_an_outcome_is_a_failure() -> None:
    lost = receipt("push", "applied", planned=2)
    assert not lost.balanced
    assert lost.exit_code == 3
    assert receipt("push", "applied", "applied", planned=1).exit_code == 3
    all_of_them = receipt("push", "applied", "skipped", "conflicted", "failed", "in doubt")
    assert all_of_them.balanced
    assert [all_of_them.count(o) for o in ("applied", "skipped", "in doubt")] == [1, 1, 1]


def test_a_row_that_was_only_read_is_no_part_of_a_plan() -> None:
    assert receipt("push", "applied", "unreadable", planned=1).balanced


def test_troubles_join_in() -> None:
    troubles = [Trouble.of("a", Throttled("slow down")), Trouble.of("b", KeyMissing("no key"))]
    mixed = Receipt("push", 1, 1, (entry("failed"),), troubles=tuple(troubles))
    assert mixed.exit_code == 7
    assert Receipt("pull", 1, troubles=(troubles[0],)).exit_code == 5


def test_a_trouble_keeps_the_whole_error() -> None:
    error = Brake("too many", hint="--max-delete 30")
    assert Trouble.of("main", error) == Trouble("main", "too many", 8, "--max-delete 30", "brake")
    assert Trouble.of("main", Locked("in use")).exit_code == 11
