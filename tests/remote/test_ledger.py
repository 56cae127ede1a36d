"""The file in which runs tell each other what they sent."""

import math
import subprocess
import sys
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from dssync.clock import SystemClock
from dssync.events import Event, Waiting
from dssync.net.budget import (
    LONGEST,
    Window,
)
from dssync.net.ledger import open_ledger, state_folder
from dssync.net.opening import Pace, open_budget
from dssync.net.pacing import Budget, Paced
from dssync.net.secret import Secret
from tests.remote.pace import GET, HOST, Script, Ticking, a_budget


def file_of(folder: Path) -> Path:
    [path] = folder.glob("*.budget")
    return path


def test_the_file_gives_nothing_away(own_state: Path, ticking: Ticking) -> None:
    a_budget(ticking, key="phx_verysecret").take()
    path = file_of(own_state)
    assert b"secret" not in path.read_bytes()
    assert "secret" not in path.name
    assert {p.stat().st_mode & 0o077 for p in [own_state, *own_state.iterdir()]} == {0}
    assert array("d", path.read_bytes()).tolist() == [0.0, ticking.now().timestamp()]


def test_the_file_forgets_what_is_past(own_state: Path, ticking: Ticking) -> None:
    budget = a_budget(ticking)
    for _ in range(5):
        budget.take()
    assert file_of(own_state).stat().st_size == 6 * 8
    ticking.sleep(LONGEST + 1)
    budget.take()
    assert file_of(own_state).stat().st_size == 2 * 8


DAMAGE: dict[str, bytes] = {
    "empty": b"",
    "torn": b"\x00" * 13,
    "text": b"this is no file of doubles, but somebody's notes",
    "no numbers": array("d", [math.nan] * 9).tobytes(),
    "endless": array("d", [math.inf] * 9).tobytes(),
    "nonsense": bytes(range(256)) * 40,
}


@pytest.mark.parametrize("data", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_counts_as_empty(data: bytes, own_state: Path, ticking: Ticking) -> None:
    budget = a_budget(ticking, (Window(2, 60),))
    budget.take()
    file_of(own_state).write_bytes(data)
    assert [budget.take(), budget.take(), budget.take()] == [0, 0, pytest.approx(60)]


def a_folder_in_its_place(folder: Path, clock: Ticking) -> None:
    a_budget(clock).take()
    path = file_of(folder)
    path.unlink()
    path.mkdir()


def a_file_as_the_folder(folder: Path, clock: Ticking) -> None:
    folder.write_text("")


def a_folder_as_the_lock(folder: Path, clock: Ticking) -> None:
    a_budget(clock).take()
    lock = next(folder.glob("*.lock"))
    lock.unlink()
    lock.mkdir()


def nothing_wrong(folder: Path, clock: Ticking) -> None:
    pass


@pytest.mark.parametrize(
    "harm", [nothing_wrong, a_folder_in_its_place, a_file_as_the_folder, a_folder_as_the_lock]
)
def test_where_no_file_can_be_kept_memory_does(
    harm: Callable[[Path, Ticking], None], own_state: Path, ticking: Ticking
) -> None:
    harm(own_state, ticking)
    ticking.sleep(LONGEST + 1)
    limits = (Window(2, 60),)
    one, other = a_budget(ticking, limits), a_budget(ticking, limits)
    assert [one.take(), other.take(), one.take(), other.take()] == [0, 0, 60, 60]


def test_a_home_that_nobody_can_find_gets_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ticking: Ticking
) -> None:
    monkeypatch.chdir(tmp_path)
    budget = open_budget(HOST, Secret("k"), ticking, Pace(folder=Path("~/state")))
    assert budget.take() == 0
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_the_users_own_unless_named(tmp_path: Path) -> None:
    assert state_folder({"DSSYNC_STATE_DIR": str(tmp_path)}) == tmp_path
    assert state_folder({"DSSYNC_STATE_DIR": "here"}) == Path.cwd() / "here"
    assert state_folder({}).name == "dssync"


TAKE = """
import sys
from dssync.clock import SystemClock
from dssync.net.budget import Window
from dssync.net.opening import Pace, open_budget
from dssync.net.secret import Secret

pace = Pace((Window(60, 600),))
budget = open_budget("https://posthog.test", Secret("phx_a"), SystemClock(), pace)
print(sum(not budget.take() for _ in range(50)))
"""


def test_processes_share_a_budget() -> None:
    runs = [
        subprocess.Popen([sys.executable, "-c", TAKE], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    taken = [int(run.communicate(timeout=60)[0]) for run in runs]
    assert sum(taken) == 60


def test_short_waits_are_not_reported_and_long_ones_once(ticking: Ticking) -> None:
    events: list[Event] = []
    budget = a_budget(ticking, (Window(1, 0.5),))
    paced = Paced(Script(), budget, ticking, events.append)
    for _ in range(5):
        paced.send(GET)
    assert events == []
    assert ticking.slept == pytest.approx(2, abs=0.01)
    budget.pause(30)
    paced.send(GET)
    assert [type(e) for e in events] == [Waiting]


def test_times_ascend_whoever_sends(own_state: Path) -> None:
    budget = Budget(open_ledger(HOST, Secret("phx_a"), own_state), SystemClock())
    with ThreadPoolExecutor(4) as pool:
        waits = list(pool.map(lambda _: budget.take(), range(200)))
    times = array("d", file_of(own_state).read_bytes())[1:]
    assert (sum(waits), len(times)) == (0, 200)
    assert all(a <= b for a, b in pairwise(times))
