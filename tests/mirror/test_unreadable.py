"""Holes of a list are remembered by the rows around them."""

from datetime import timedelta

from dssync.core.records import Position
from dssync.core.scan import Hole
from dssync.mirror import unreadable
from dssync.mirror.unreadable import Unreadable
from tests.clock import BEGIN
from tests.mirror.conftest import Home
from tests.mirror.served import D1, I1

A, B, C = (Position.of(f"2026-11-23T18:00:0{n}.000001Z", f"id{n}") for n in (3, 2, 1))
HOUR = timedelta(hours=1)


def keep(
    home: Home, *found: tuple[Hole, str | None], after: timedelta = timedelta(0)
) -> list[Unreadable]:
    """Keep what a walk of the items found, in a run of its own."""
    run = home.run()
    with home.mirror.database.unit(run) as tx:
        return unreadable.keep(tx, "main", "item", found, run, BEGIN + after)


def known(home: Home, *remotes: str) -> list[Unreadable]:
    with home.mirror.database.read() as tx:
        return unreadable.known(tx, remotes)


def test_a_hole_is_read_back_as_it_was_found(home: Home) -> None:
    found = keep(home, (Hole(4, A, B), I1), (Hole(0, None, A), None), (Hole(9, B, None), None))
    assert sorted(found, key=lambda each: each.hole.offset) == known(home)
    assert known(home, "main") == known(home)
    assert known(home, "other") == []
    assert [each.label for each in known(home)] == [
        "number 1 of the list",
        I1,
        "number 10 of the list",
    ]


def test_the_same_hole_keeps_its_story_wherever_it_lies(home: Home) -> None:
    (first,) = keep(home, (Hole(4, A, B), I1))
    with home.mirror.database.unit(1) as tx:
        assert unreadable.acknowledge(tx, ["other"], BEGIN) == 0
        assert unreadable.acknowledge(tx, ["main"], BEGIN) == 1
        assert unreadable.acknowledge(tx, [], BEGIN) == 0
    (moved,) = keep(home, (Hole(7, A, B), None))
    assert (moved.hole.offset, moved.key, moved.first_run) == (7, I1, first.first_run)
    assert moved.acknowledged_at == "2026-11-23T18:00:00.000000Z"
    (other,) = keep(home, (Hole(7, A, C), None))
    assert (other.key, other.acknowledged_at) == (None, None)
    assert other.first_run > first.first_run
    assert known(home) == [other]


def test_neighbouring_holes_are_told_apart(home: Home) -> None:
    first = keep(home, (Hole(4, A, B), I1), (Hole(5, A, B), D1))
    again = keep(home, (Hole(5, A, B), None), (Hole(6, A, B), None), (Hole(7, A, B), None))
    assert [each.key for each in again] == [I1, D1, None]
    assert [each.first_run for each in again[:2]] == [each.first_run for each in first]


def test_a_walk_without_holes_forgets_them(home: Home) -> None:
    keep(home, (Hole(4, A, B), None))
    with home.mirror.database.unit(1) as tx:
        unreadable.keep(tx, "main", "dataset", [(Hole(1, A, B), None)], 1, BEGIN)
    keep(home)
    assert [each.kind for each in known(home)] == ["dataset"]


def test_a_hole_is_asked_for_again_after_an_hour(home: Home) -> None:
    keep(home, (Hole(4, A, B), None))

    def due(after: timedelta) -> list[bool]:
        with home.mirror.database.read() as tx:
            hints = unreadable.hints(tx, "main", "item", BEGIN + after)
            assert unreadable.hints(tx, "main", "dataset", BEGIN) == []
        assert [hint.hole for hint in hints] == [Hole(4, A, B)]
        return [hint.recheck for hint in hints]

    assert due(HOUR) == [False]
    assert due(HOUR + timedelta(seconds=1)) == [True]
    keep(home, (Hole(4, A, B), None), after=HOUR / 2)
    assert due(HOUR + timedelta(seconds=1)) == [True]
    keep(home, (Hole(4, A, B), None), after=HOUR + timedelta(seconds=1))
    assert due(HOUR + timedelta(seconds=1)) == [False]


def test_a_repaired_hole_is_forgotten(home: Home) -> None:
    first, second = keep(home, (Hole(4, A, B), None), (Hole(5, A, B), None))
    with home.mirror.database.unit(1) as tx:
        unreadable.forget(tx, first)
    assert known(home) == [second]
