"""Each fault, alone and in pairs, at every page: no false tombstone, no lost edit, right codes."""

import itertools
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dssync.sandbox import Fault, Sandbox
from dssync.sync import make_plan
from tests.pull.harness import absent, in_mirror, mirror_in, on_server, pull_all

ITEMS, PAGE = 110, 23
OFFSETS = (0, 22, 44, 66, 88, 109)
"""Where the pages of a walk of 110 rows by 23 begin, the probe of its end included."""


@dataclass(frozen=True)
class Case:
    """A fault, and the exit codes it may end in: when it strikes once, and when it lasts."""

    name: str
    fault: Fault
    once: set[int]
    lasting: set[int]


CASES = (
    Case("500 html", Fault("status", 500), {0}, {3, 5}),
    Case("500 json", Fault("status", 500, body={"type": "server_error", "code": "error",
                                                "detail": "x", "attr": None}), {0}, {3, 5}),
    Case("502", Fault("status", 502), {0}, {3, 5}),
    Case("429", Fault("status", 429, retry_after=7, body={"type": "throttled_error",
         "code": "throttled", "detail": "x", "attr": None}), {0}, {5}),
    Case("401", Fault("status", 401, body={"type": "authentication_error", "code": "x",
                                           "detail": "x", "attr": None}), {7}, {7}),
    Case("403", Fault("status", 403, body={"type": "authentication_error", "code": "x",
                                           "detail": "x", "attr": None}), {7}, {7}),
    Case("connection dropped", Fault("drop"), {0}, {3, 5}),
    Case("truncated", Fault("truncate"), {0, 5}, {3, 5}),
    Case("login page", Fault("login_page"), {6}, {6}),
    Case("redirect", Fault("redirect", "https://elsewhere.example/"), {6}, {6}),
    Case("a list for an answer", Fault("wrong_shape", []), {6}, {6}),
    Case("rows without fields", Fault("wrong_shape", {"count": 1, "next": None, "previous": None,
                                                      "results": [{"id": "x"}]}), {6}, {6}),
    Case("page repeated", Fault("repeat_page"), {0, 5}, {0, 5}),
    Case("empty page", Fault("empty_list"), {0, 5, 8}, {0, 5, 8}),
    Case("clamped", Fault("clamp", 5), {0}, {0}),
    Case("clamped to one", Fault("clamp", 1), {0, 5}, {0, 5}),
    Case("no next link", Fault("no_next"), {0}, {0}),
    Case("count of none", Fault("claim", {"count": 0}), {0}, {0}),
    Case("count of too many", Fault("claim", {"count": 10_000}), {0}, {0, 5}),
    Case("next link for ever", Fault("claim", {"next": "http://localhost/?offset=9"}), {0}, {0, 5}),
    Case("404 project", Fault("status", 404, body={"type": "invalid_request", "code": "not_found",
                              "detail": "Project not found.", "attr": None}), {6}, {6}),
    Case("400", Fault("status", 400, body={"type": "validation_error", "code": "invalid",
                                           "detail": "x", "attr": "limit"}), {3}, {3}),
)  # fmt: skip


def at(case: Case, offset: int, times: int | None) -> Fault:
    # The first request for items is the look at what the server speaks, at offset 0 as well.
    nth = 2 if offset == 0 else 1
    return replace(
        case.fault, path="dataset_items", method="GET", offset=offset, times=times, nth=nth
    )


def play(folder: Path, faults: Sequence[Fault], codes: set[int]) -> None:
    folder.mkdir(exist_ok=True)
    sandbox = Sandbox(limits=())
    dataset = sandbox.state.insert("dataset", name="faulty")
    ids = [sandbox.state.insert("item", dataset=dataset, input=n) for n in range(ITEMS)]
    with mirror_in(folder) as mirror:
        assert pull_all(mirror, sandbox, page=200).exit_code == 0
        mirror.edit("item", ids[3], {"input": '"mine"'})
        mirror.edit("item", ids[50], {"input": '"mine too"'})
        sandbox.state.update("item", ids[7], input="theirs")
        edits = make_plan(mirror).digest
        sandbox.faults.add(*faults)
        code = pull_all(mirror, sandbox, page=PAGE).exit_code
        assert not absent(mirror, "item")
        assert make_plan(mirror).digest == edits
        assert code in codes
        sandbox.faults.clear()
        assert pull_all(mirror, sandbox, page=PAGE).exit_code == 0
        assert not absent(mirror, "item")
        ours = in_mirror(mirror, "item")
        theirs = on_server(sandbox, "item")
        assert {id for id in theirs if ours.get(id) != theirs[id]} == {ids[3], ids[50]}
        assert make_plan(mirror).digest == edits


@pytest.mark.parametrize("offset", [0, 44, 109])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_that_strikes_once(case: Case, offset: int, tmp_path: Path) -> None:
    play(tmp_path, [at(case, offset, 1)], case.once)


@pytest.mark.parametrize("offset", [0, 44, 109])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_that_lasts(case: Case, offset: int, tmp_path: Path) -> None:
    play(tmp_path, [at(case, offset, None)], case.lasting | case.once)


PAIRS = tuple(itertools.product(CASES, CASES, OFFSETS, OFFSETS))


def play_pair(pair: tuple[Case, Case, int, int], folder: Path) -> None:
    """The first fault lasts, the second one strikes once."""
    first, second, one, other = pair
    codes = first.once | first.lasting | second.once | second.lasting
    play(folder, [at(first, one, None), at(second, other, 1)], codes)


def test_some_pairs_of_faults(tmp_path: Path) -> None:
    for number, pair in enumerate(random.Random(7).sample(PAIRS, 40)):
        play_pair(pair, tmp_path / str(number))


@pytest.mark.soak
@pytest.mark.parametrize("offset", OFFSETS)
def test_every_fault_at_every_page(offset: int, tmp_path: Path) -> None:
    for case in CASES:
        play(tmp_path / f"{case.name} once", [at(case, offset, 1)], case.once)
        play(tmp_path / f"{case.name} lasting", [at(case, offset, None)], case.lasting | case.once)


BLOCKS = 20


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_pair_of_faults(block: int, tmp_path: Path) -> None:
    for pair in PAIRS[block::BLOCKS]:
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            play_pair(pair, Path(folder))
