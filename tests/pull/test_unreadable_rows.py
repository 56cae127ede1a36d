"""Rows that the server can store but not show: what a pull makes of them, and what they cost."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, log2
from pathlib import Path

import pytest

from dssync.core.receipt import Receipt
from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from dssync.sync import make_plan, pull
from dssync.sync.repair import acknowledge
from dssync.sync.status import unreadable_records
from tests.pull.harness import (
    REMOTE,
    absent,
    in_mirror,
    mirror_in,
    on_server,
    pull_all,
    session,
)

POISON = 2**64
ROWS = 5_000

PLACES = {
    "spread": (700, 2_500, 4_100),
    "adjacent": (2_500, 2_501, 2_502),
    "every other": (2_500, 2_502, 2_504),
    "around a page's end": (998, 999, 1_000),
    "head, middle, end": (0, 2_500, ROWS - 1),
    "all at the head": (0, 1, 2),
    "all at the end": (ROWS - 3, ROWS - 2, ROWS - 1),
}
"""Where in the list the three unreadable rows are."""


@dataclass
class Project:
    """A project of one dataset; `ids` are its items in list order."""

    sandbox: Sandbox
    ids: list[str]

    @classmethod
    def of(cls, rows: int) -> "Project":
        sandbox = Sandbox(limits=())
        dataset = sandbox.state.insert("dataset", name="evals")
        made = [sandbox.state.insert("item", dataset=dataset, input=n) for n in range(rows)]
        return cls(sandbox, made[::-1])

    def poison(self, *places: int) -> list[str]:
        return self._set(POISON, places)

    def heal(self, *places: int) -> None:
        self._set("healed", places)

    def _set(self, value: object, places: tuple[int, ...]) -> list[str]:
        for place in places:
            self.sandbox.state.update("item", self.ids[place], input=value)
        return [self.ids[place] for place in places]

    def pull(self, mirror: Mirror, page: int, ahead: int = 1) -> tuple[Receipt, int]:
        """Pull; return the receipt and how many requests it took, resent ones included."""
        self.sandbox.log.clear()
        receipt = pull_all(mirror, self.sandbox, page=page, ahead=ahead)
        return receipt, len(self.sandbox.log)


@pytest.fixture(scope="module")
def large() -> Project:
    return Project.of(ROWS)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with mirror_in(tmp_path) as mirror:
        yield mirror


def at_most(page: int) -> int:
    """How many requests one unreadable row may cost, once."""
    return 3 * (ceil(log2(page)) + 3)


def hours_later(mirror: Mirror, project: Project) -> int:
    """Pull when no hole is trusted any longer; return the exit code."""
    later = session(project.sandbox, page=20)
    later.clock.sleep(timedelta(hours=2).total_seconds())
    return pull(mirror, [REMOTE], later).exit_code


def play(project: Project, mirror: Mirror, page: int, ahead: int, places: tuple[int, ...]) -> None:
    project.heal(*places)
    pull_all(mirror, project.sandbox, page=1_000)
    _, clean = project.pull(mirror, page, ahead)
    poisoned = project.poison(*places)
    receipt, cost = project.pull(mirror, page, ahead)
    assert receipt.exit_code == 3
    assert [scan.outcome for scan in receipt.scans] == ["complete", "complete with holes"]
    assert receipt.scans[1].listed == ROWS - 3
    assert {entry.key for entry in receipt.entries} == set(poisoned)
    assert not absent(mirror, "item")
    assert cost <= clean + 3 * at_most(page)
    receipt, again = project.pull(mirror, page, ahead)
    assert receipt.exit_code == 3
    assert {entry.key for entry in receipt.entries} == set(poisoned)
    assert again <= clean + known_cost(page, places)
    project.heal(*places)


def known_cost(page: int, places: tuple[int, ...]) -> int:
    """What is not free of known holes: a page ends before each, and both ends of a list need care.

    The head is asked for by itself, since new rows come there, and by the look at what the server
    speaks, twice; an end that no page can show together with a row takes four looks instead of one.
    """
    gaps = [place for place in places if place - 1 not in places]
    split = 0 if places == PLACES["spread"] and page == 1_000 else len(gaps)
    return split + 2 * (0 in places) + 3 * (ROWS - 1 in places)


@pytest.mark.parametrize(
    ("page", "ahead", "name"),
    [*((250, 1, name) for name in PLACES), (1_000, 4, "spread"), (1_000, 4, "head, middle, end")],
)
def test_three_unreadable_rows_among_5000(
    large: Project, mirror: Mirror, page: int, ahead: int, name: str
) -> None:
    play(large, mirror, page, ahead, PLACES[name])


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("ahead", [1, 4])
@pytest.mark.parametrize("page", [20, 50, 100, 250, 500, 1_000])
def test_three_unreadable_rows_at_every_page_size(
    large: Project, tmp_path: Path, page: int, ahead: int
) -> None:
    for name, places in PLACES.items():
        folder = tmp_path / name
        folder.mkdir()
        with mirror_in(folder) as mirror:
            play(large, mirror, page, ahead, places)


def test_rows_that_were_never_readable_are_reported_by_position(
    large: Project, mirror: Mirror
) -> None:
    places = PLACES["spread"]
    poisoned = set(large.poison(*places))
    try:
        receipt, _ = large.pull(mirror, 500)
    finally:
        large.heal(*places)
    assert receipt.exit_code == 3
    assert [entry.key for entry in receipt.entries] == [
        f"number {n + 1} of the list" for n in places
    ]
    assert in_mirror(mirror, "item").keys() == set(large.ids) - poisoned
    assert hours_later(mirror, large) == 0
    assert in_mirror(mirror, "item") == on_server(large.sandbox, "item")


def test_two_lists_with_unreadable_rows(mirror: Mirror) -> None:
    project = Project.of(60)
    state = project.sandbox.state
    datasets = [state.insert("dataset", name=str(n)) for n in range(9)]
    assert project.pull(mirror, 20)[0].exit_code == 0
    poisoned = {*project.poison(30), datasets[4]}
    state.update("dataset", datasets[4], metadata=POISON)
    receipt, _ = project.pull(mirror, 20)
    assert {entry.key for entry in receipt.entries} == poisoned
    assert [scan.outcome for scan in receipt.scans] == ["complete with holes"] * 2


@pytest.mark.parametrize("rows", [1, 3, 20])
def test_a_list_of_nothing_but_unreadable_rows(rows: int, mirror: Mirror) -> None:
    project = Project.of(rows)
    project.pull(mirror, 100)
    everything = set(project.poison(*range(rows)))
    for _ in range(2):
        receipt, _ = project.pull(mirror, 100)
        assert receipt.exit_code == 3
        assert {entry.key for entry in receipt.entries} == everything
        assert [scan.outcome for scan in receipt.scans] == ["complete", "complete with holes"]
        assert not absent(mirror, "item")
    project.heal(*range(rows))
    assert project.pull(mirror, 100)[0].exit_code == 0
    assert in_mirror(mirror, "item") == on_server(project.sandbox, "item")


def test_a_long_list_of_nothing_but_unreadable_rows_is_left_unfinished(mirror: Mirror) -> None:
    project = Project.of(21)
    project.pull(mirror, 100)
    project.poison(*range(21))
    receipt, _ = project.pull(mirror, 100)
    assert receipt.exit_code == 5
    assert receipt.scans[1].reason == "no row of the list could be read"
    assert not absent(mirror, "item")


def test_edits_of_an_unreadable_row_stay(mirror: Mirror) -> None:
    project = Project.of(30)
    project.pull(mirror, 20)
    mirror.edit("item", project.ids[7], {"metadata": '{"mine": 1}'})
    edits = make_plan(mirror).digest
    project.poison(7, 8)
    assert project.pull(mirror, 20)[0].exit_code == 3
    assert make_plan(mirror).digest == edits
    project.heal(7, 8)
    assert hours_later(mirror, project) == 0
    assert make_plan(mirror).digest == edits


def test_a_hole_hides_no_more_than_one_lost_record_from_the_brake(mirror: Mirror) -> None:
    project = Project.of(40)
    project.pull(mirror, 100)
    project.poison(20)
    for place in [*range(5, 20), *range(21, 30)]:
        project.sandbox.state.delete("item", project.ids[place])
    receipt, _ = project.pull(mirror, 100)
    assert receipt.exit_code == 8
    assert "24 of 40" in receipt.troubles[0].message
    assert not absent(mirror, "item")


def test_an_acknowledged_row_is_news_no_longer_until_another_one_follows(mirror: Mirror) -> None:
    project = Project.of(30)
    project.pull(mirror, 20)
    project.poison(7)
    assert project.pull(mirror, 20)[0].exit_code == 3
    assert acknowledge(mirror, session(project.sandbox)) == 1
    receipt, _ = project.pull(mirror, 20)
    assert (receipt.exit_code, receipt.entries) == (0, ())
    project.poison(15)
    receipt, _ = project.pull(mirror, 20)
    assert receipt.exit_code == 3
    assert [entry.key for entry in receipt.entries] == [project.ids[15]]


def test_after_an_hour_each_known_hole_is_asked_for_once_more(mirror: Mirror) -> None:
    project = Project.of(60)
    project.pull(mirror, 20)
    project.poison(10, 40)
    project.pull(mirror, 20)
    _, fresh = project.pull(mirror, 20)
    project.sandbox.log.clear()
    assert hours_later(mirror, project) == 3
    # the row itself, and its record, which a 500 in HTML makes twice
    assert len(project.sandbox.log) == fresh + 2 * 3
    assert len(unreadable_records(mirror)) == 2


@pytest.mark.parametrize("gone", [*itertools.product((False, True), repeat=2)])
def test_an_unreadable_row_that_is_deleted_becomes_a_tombstone(
    gone: tuple[bool, bool], mirror: Mirror
) -> None:
    project = Project.of(30)
    project.pull(mirror, 20)
    ids = project.poison(7, 8)
    project.pull(mirror, 20)
    deleted = {id for id, each in zip(ids, gone, strict=True) if each}
    for id in deleted:
        project.sandbox.state.delete("item", id)
    receipt, _ = project.pull(mirror, 20)
    assert receipt.exit_code == (0 if len(deleted) == 2 else 3)
    hours_later(mirror, project)
    assert absent(mirror, "item") == deleted
