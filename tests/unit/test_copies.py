"""Copies by their names: which are whole, left over, too many."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dssync.core.copies import CopyName, ahead, leftovers, listed, newest, surplus, whole

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINE, OTHER = "3f9a1c2e", "00000000"


def name(hours: float = 0, number: int = 1, mirror: str = MINE) -> CopyName:
    return CopyName(NOON + timedelta(hours=hours), number, mirror)


def files(*names: CopyName, ends: tuple[str, ...] = (".db.zst", ".json")) -> list[str]:
    return [f"{each}{end}" for each in names for end in ends]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (name(), "dssync-3f9a1c2e-20261124T120000Z"),
        (name(number=2), "dssync-3f9a1c2e-20261124T120000Z-2"),
        (name(-12.5, 13, OTHER), "dssync-00000000-20261123T233000Z-13"),
    ],
)
def test_a_name_is_read_as_it_is_written(given: CopyName, text: str) -> None:
    assert str(given) == text
    for end in ("", ".json", ".db.zst", ".db.zst.age", ".db.zst.age.partial", ".json.partial"):
        assert CopyName.parse(f"{text}{end}") == given


def test_the_newest_is_of_all_or_of_one_mirror() -> None:
    copies = [name(1), name(2), name(3, mirror=OTHER)]
    assert newest(copies, None) == name(3, mirror=OTHER)
    assert newest(copies, f"dssync-{MINE}") == name(2)
    assert newest(copies, "dssync-") is newest(copies, str(name(1))) is newest([], None) is None


def test_copies_from_the_future_are_known() -> None:
    copies = [name(20), name(), name(0.05), name(10)]
    assert ahead(copies, NOON) == [name(10), name(20)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "README",
        "dssync-3f9a1c2e-20261124T120000Z.txt",
        "dssync-3f9a1c2e-20260230T120000Z",
        "dssync-3F9A1C2E-20261124T120000Z",
        "dssync-3f9a1c2-20261124T120000Z",
        "dssync-3f9a1c2e-20261124T120000Z-1",
        "dssync-3f9a1c2e-20261124T120000Z-02",
        "../dssync-3f9a1c2e-20261124T120000Z",
        "dssync-3f9a1c2e-20261124T120000Z\n",
        "dssync-3f9a1c2e-\uff12\uff10261124T120000Z",
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert CopyName.parse(text) is None


def test_names_are_new_and_in_utc() -> None:
    berlin = NOON.astimezone(timezone(timedelta(hours=1))) + timedelta(microseconds=5)
    assert CopyName.new(MINE, berlin, []) == name()
    assert CopyName.new(MINE, NOON, [name(), name(number=3), name(1)]) == name(number=4)
    assert CopyName.new(MINE, NOON, [name(mirror=OTHER)]) == name()


def test_the_order_is_that_of_time() -> None:
    mixed = [name(1), name(number=10), name(), name(-24, mirror=OTHER), name(number=2)]
    in_order = [name(-24, mirror=OTHER), name(), name(number=2), name(number=10), name(1)]
    assert sorted(mixed) == in_order


def test_whole_is_what_has_both_files() -> None:
    there = [
        *files(name(1), ends=(".db.zst.age", ".json")),
        *files(name(0)),
        *files(name(2), ends=(".json",)),
        *files(name(3), ends=(".db.zst",)),
        *files(name(4), ends=(".db.zst", ".json.partial")),
        "notes.json",
    ]
    assert whole(there) == [name(0), name(1)]
    assert listed(there) == [name(0), name(1), name(2)]


LEFT = (
    ("a half copy", name(-7), (".db.zst",), True),
    ("a manifest alone", name(-7), (".json",), True),
    ("what was being written", name(-7), (".db.zst.partial",), True),
    ("a whole copy", name(-7), (".db.zst", ".json"), False),
    ("what may still become one", name(-5), (".db.zst",), False),
    ("another mirror's", name(-7, mirror=OTHER), (".db.zst",), False),
)


@pytest.mark.parametrize(("case", "each", "ends", "left"), LEFT, ids=[case for case, *_ in LEFT])
def test_what_is_left_over(case: str, each: CopyName, ends: tuple[str, ...], left: bool) -> None:
    there = files(each, ends=ends)
    assert leftovers(there, MINE, NOON) == (there if left else [])


def test_a_partial_file_beside_a_whole_copy_is_left_over() -> None:
    there = [*files(name(-7)), f"{name(-7)}.json.partial"]
    assert leftovers(there, MINE, NOON) == [f"{name(-7)}.json.partial"]


@pytest.mark.parametrize(
    ("before", "keep", "pruned"),
    [
        ([], 1, []),
        ([-1], 1, [-1]),
        ([-1], 2, []),
        ([-3, -1, -2], 2, [-3, -2]),
        ([-3, -2, -1], 7, []),
        ([5, 6], 2, [5]),  # made by a clock that was ahead
        ([5, 6], 1, [5, 6]),
    ],
)
def test_what_is_too_many(before: list[int], keep: int, pruned: list[int]) -> None:
    others = [name(-9, mirror=OTHER)]
    found = surplus([*map(name, before), *others, name()], name(), keep)
    assert found == list(map(name, pruned))
