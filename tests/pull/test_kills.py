"""A pull killed at every commit and every request; one more pull makes it whole."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dssync.core.fields import KINDS
from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from dssync.sync import pull
from tests.pull.harness import (
    REMOTE,
    InProcess,
    absent,
    dump,
    in_mirror,
    mirror_in,
    on_server,
    pull_all,
    session,
)
from tests.seams import Seams, Watched, killed_at


def run(path: Path, sandbox: Sandbox, seams: Seams) -> None:
    plain = session(sandbox, page=20)
    watched = replace(plain, network=lambda remote: Watched(InProcess(app=sandbox), seams))
    with Mirror.open(path, create=True) as mirror, seams.watching_commits():
        pull(mirror, [REMOTE], watched)


def changed_world() -> tuple[Sandbox, Callable[[], None]]:
    """A project, and what other users do to it between two pulls."""
    sandbox = Sandbox(limits=())
    dataset = sandbox.state.insert("dataset", name="mortal")
    other = sandbox.state.insert("dataset", name="goes away")
    items = [sandbox.state.insert("item", dataset=dataset, input=n) for n in range(70)]

    def change() -> None:
        for n in range(0, 70, 9):
            sandbox.state.update("item", items[n], input=f"changed {n}")
        for n in range(1, 70, 11):
            sandbox.state.delete("item", items[n])
        sandbox.state.delete("dataset", other)
        for n in range(5):
            sandbox.state.insert("item", dataset=dataset, input=f"new {n}")

    return sandbox, change


def check(path: Path, sandbox: Sandbox, expected: str, *, since: int) -> None:
    with Mirror.open(path) as mirror:
        with mirror.database.read() as tx:
            assert tx.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert tx.exec_driver_sql("SELECT run FROM gate").scalar() is None
            rows = tx.exec_driver_sql(
                "SELECT kind FROM scans WHERE outcome = 'complete' AND run > ?",
                (since,),
            )
            claims = {row[0] for row in rows}
        for kind in KINDS:
            if kind in claims:  # what was counted complete was complete
                assert in_mirror(mirror, kind) == on_server(sandbox, kind)
        assert pull_all(mirror, sandbox).exit_code == 0
        for kind in KINDS:
            assert in_mirror(mirror, kind) == on_server(sandbox, kind)
            assert not absent(mirror, kind) & on_server(sandbox, kind).keys()
        assert dump(mirror, without=VOLATILE) == expected


VOLATILE = ("runs", "scans", "receipts", "datasets", "items", "datasets_history", "items_history",
            "remotes", "snapshots")  # fmt: skip
"""Tables that name runs or moments; their contents are compared by meaning."""


def enumerate_seams(folder: Path) -> tuple[int, int]:
    """How many seams a first pull has, and a second one after changes."""
    sandbox, change = changed_world()
    first, second = Seams(), Seams()
    run(folder / "mirror.db", sandbox, first)
    change()
    run(folder / "mirror.db", sandbox, second)
    return first.passed, second.passed


def play(folder: Path, step: int) -> int:
    counting = folder / "counting"
    counting.mkdir()
    seams_first, seams_second = enumerate_seams(counting)
    kills = 0
    for seam in range(1, seams_first + 1, step):
        sandbox, _ = changed_world()
        path = folder / f"first-{seam}.db"
        assert killed_at(path, Seams(seam), partial(run, path, sandbox))
        check(path, sandbox, _expected(folder, sandbox), since=0)
        kills += 1
    sandbox, change = changed_world()
    run(folder / "whole.db", sandbox, Seams())
    change()
    for seam in range(1, seams_second + 1, step):
        path = folder / f"second-{seam}.db"
        shutil.copy(folder / "whole.db", path)
        assert killed_at(path, Seams(seam), partial(run, path, sandbox))
        check(path, sandbox, _expected(folder, sandbox), since=1)
        kills += 1
    return kills


def _expected(folder: Path, sandbox: Sandbox) -> str:
    fresh = folder / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    with mirror_in(fresh) as mirror:
        pull_all(mirror, sandbox)
        return dump(mirror, without=VOLATILE)


def test_a_sample_of_kills(tmp_path: Path) -> None:
    assert play(tmp_path, step=9) > 5


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_kill_at_every_seam(tmp_path: Path) -> None:
    assert play(tmp_path, step=1) >= 50
