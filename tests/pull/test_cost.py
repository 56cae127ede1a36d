"""What a pull costs: requests as docs/pull.md counts them, and memory whatever the rows."""

import gc
import tracemalloc
from dataclasses import replace
from math import ceil
from pathlib import Path

import pytest

from dssync.sandbox import POSTHOG_LIMITS, Fault, Sandbox
from dssync.sync import pull
from tests.pull.harness import REMOTE, QuickClock, mirror_in, pull_all, session

A_TRACE = 200
"""Bytes: about the least that a pull could keep of each row, its id in some table."""


def project(datasets: int, items: int, sandbox: Sandbox | None = None) -> Sandbox:
    sandbox = sandbox or Sandbox(limits=())
    made = [sandbox.state.insert("dataset", name=str(n)) for n in range(datasets)]
    for n in range(items):
        sandbox.state.insert("item", dataset=made[n % datasets], input=n)
    return sandbox


def formula(datasets: int, items: int, page: int) -> int:
    """Count the requests as the docs do."""
    lists = (max(0, ceil((rows - 100) / (page - 1))) for rows in (datasets, items))
    return 2 + sum(lists) + 4


@pytest.mark.parametrize("ahead", [1, 4])
@pytest.mark.parametrize(
    ("datasets", "items", "page"),
    [
        (1, 0, 1_000),
        (1, 1, 1_000),
        (3, 100, 1_000),
        (5, 101, 1_000),
        (150, 1_500, 1_000),
        (150, 3_000, 200),
        (20, 2_990, 50),
    ],
)
def test_a_pull_takes_the_requests_that_the_docs_count(
    datasets: int, items: int, page: int, ahead: int, tmp_path: Path
) -> None:
    sandbox = project(datasets, items)
    if page < 1_000:
        sandbox.faults.add(Fault("clamp", page, times=None))
    expected = formula(datasets, items, page)
    of_one_row = [datasets, items].count(1)
    too_far_ahead = ahead - 1 if page < 1_000 else 0
    with mirror_in(tmp_path) as mirror:
        for _ in ("first", "again"):
            sandbox.log.clear()
            assert pull(mirror, [REMOTE], session(sandbox, ahead=ahead)).exit_code == 0
            requests = len(sandbox.log)
            assert expected - 2 <= requests <= expected + 3 * of_one_row + too_far_ahead


def test_a_pull_of_1000_requests_meets_no_429_and_uses_the_limit(tmp_path: Path) -> None:
    clock = QuickClock()
    sandbox = project(2, 2_000, Sandbox(clock.now, limits=POSTHOG_LIMITS))
    paced = replace(session(sandbox, page=3), clock=clock)
    with mirror_in(tmp_path) as mirror:
        assert pull(mirror, [REMOTE], paced).exit_code == 0
    assert len(sandbox.log) >= 1_000
    assert {entry.status for entry in sandbox.log} == {200}
    assert len(sandbox.log) / sum(clock.slept) >= 0.75 * 480 / 60


def kept(folder: Path, rows: int) -> int:
    """Measure the bytes of Python objects that a first pull keeps towards its end.

    Pages that wait to be written come and go; of the last ones, the moment with the fewest counts.
    """
    folder.mkdir()
    sandbox, moments = project(2, rows), []

    def look() -> None:
        sandbox.log.clear()
        moments.append(tracemalloc.get_traced_memory()[0])

    with mirror_in(folder) as mirror:
        pull_all(mirror, sandbox, page=100)  # whatever is made once is made by now
    (folder / "mirror.db").unlink()
    with mirror_in(folder) as mirror:
        sandbox.between_pages(look)
        gc.collect()
        tracemalloc.start()
        try:
            assert pull_all(mirror, sandbox, page=100).exit_code == 0
        finally:
            tracemalloc.stop()
    return min(moments[-8:])


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    # Python keeps up to 2,000 tuples of each length for later, so begin beyond that
    small, large = (kept(tmp_path / str(rows), rows) for rows in (2_200, 5_200))
    assert large - small < 3_000 * A_TRACE
