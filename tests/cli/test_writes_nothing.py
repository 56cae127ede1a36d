"""`diff` and `push -n` write to the terminal and nowhere else."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dssync.sandbox import Fault, Sandbox
from tests.cli.shell import Shell

NOBODY = 65534
DIFFS = (("diff",), ("diff", "--format", "json"), ("diff", "--json"), ("diff", "--exit-code"))
SHOWN = (("push", "-n"), ("push", "-n", "--json"), ("push", "-n", "-y"))

Situation = Callable[[Shell, Sandbox], None]


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return every file below a folder with its bytes and the time it was written."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def first(sandbox: Sandbox, at: int = 0) -> tuple[str, str]:
    row = sandbox.state.rows("dataset")[at]
    return row["id"], row["name"]


def as_it_is(dssync: Shell, sandbox: Sandbox) -> None:
    pass


def edited(dssync: Shell, sandbox: Sandbox) -> None:
    dssync("set", first(sandbox)[0], "description", "mine").well()
    dssync("new", "dataset", "Made here").well()
    dssync("delete", sandbox.state.rows("item")[0]["id"]).well()


def conflicting(dssync: Shell, sandbox: Sandbox) -> None:
    edited(dssync, sandbox)
    sandbox.state.update("dataset", first(sandbox)[0], description="theirs")
    dssync("pull").well()


def moved_there(dssync: Shell, sandbox: Sandbox) -> None:
    edited(dssync, sandbox)
    sandbox.state.update("dataset", first(sandbox)[0], description="theirs")
    sandbox.state.delete("dataset", first(sandbox, 1)[0])


def in_doubt(dssync: Shell, sandbox: Sandbox) -> None:
    edited(dssync, sandbox)
    sandbox.faults.add(Fault("drop", method="POST"))
    assert dssync("push", "-y").code == 3
    sandbox.faults.clear()


def pushed(dssync: Shell, sandbox: Sandbox) -> None:
    edited(dssync, sandbox)
    dssync("push", "-y").well()


SITUATIONS = (as_it_is, edited, conflicting, moved_there, in_doubt, pushed)


@pytest.fixture(params=SITUATIONS, ids=lambda situation: situation.__name__)
def situation(pulled: Shell, sandbox: Sandbox, request: pytest.FixtureRequest) -> Shell:
    request.param(pulled, sandbox)
    sandbox.log.clear()
    return pulled


def test_diff_asks_nobody_and_writes_nothing(
    situation: Shell, sandbox: Sandbox, folder: Path, tmp_path: Path
) -> None:
    before = contents(tmp_path)
    for words in DIFFS:
        assert situation(*words).code in (0, 20)
    assert contents(tmp_path) == before
    assert sandbox.log == []


def test_push_n_only_reads_and_writes_nothing_beside_the_budget(
    situation: Shell, sandbox: Sandbox, folder: Path, tmp_path: Path
) -> None:
    before, here = contents(tmp_path), contents(folder)
    rows = [sandbox.state.rows(kind) for kind in ("dataset", "item")]
    for words in SHOWN:
        assert situation(*words).code in (0, 3, 4)
    assert contents(folder) == here
    assert {name for name, _ in contents(tmp_path).items() ^ before.items()} <= {
        name for name in contents(tmp_path) if name.startswith("state/")
    }
    assert set(sandbox.log.by_method()) <= {"GET"}
    assert [sandbox.state.rows(kind) for kind in ("dataset", "item")] == rows


def test_what_a_killed_program_left_is_kept_and_no_trace_of_the_reading_remains(
    pulled: Shell, sandbox: Sandbox, folder: Path
) -> None:
    child = os.fork()
    if child == 0:
        edit = sqlite3.connect(folder / "mirror.db", isolation_level=None)
        edit.execute("UPDATE datasets SET description = 'from the log'")
        os._exit(0)
    os.waitpid(child, 0)
    assert (folder / "mirror.db-wal").stat().st_size > 0
    assert "from the log" in pulled("diff").well().out
    assert {path.name for path in folder.iterdir() if "-" in path.name} == set()
    with closing(sqlite3.connect(folder / "mirror.db")) as mirror:
        found = mirror.execute("SELECT DISTINCT description FROM datasets").fetchall()
    assert found == [("from the log",)]


@pytest.fixture
def locked_folder(
    situation: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Copy the folder to where nobody can write, and go there."""
    locked = Path(tempfile.mkdtemp(prefix="dssync-"))
    for name in ("mirror.db", "dssync.toml"):
        shutil.copy(folder / name, locked)
        if os.geteuid() == 0:
            os.chown(locked / name, NOBODY, NOBODY)
    for name in ("HOME", "XDG_CONFIG_HOME", "DSSYNC_STATE_DIR"):
        monkeypatch.setenv(name, str(locked / "state"))
    monkeypatch.chdir(locked)
    locked.chmod(0o555)
    yield locked
    locked.chmod(0o755)
    shutil.rmtree(locked)


def as_nobody(work: Callable[[], bool]) -> bool:
    """Run something in a child that may not do what root may."""
    child = os.fork()
    if child == 0:
        right = False
        try:
            if os.geteuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            right = work()
        finally:
            os._exit(0 if right else 1)
    return os.waitpid(child, 0)[1] == 0


def test_a_folder_that_cannot_be_written_is_read_all_the_same(
    situation: Shell, sandbox: Sandbox, locked_folder: Path
) -> None:
    before = contents(locked_folder)
    said = {words: situation(*words) for words in (DIFFS[0], SHOWN[0])}
    assert contents(locked_folder).keys() - before.keys() <= {"state"} | {
        name for name in contents(locked_folder) if name.startswith("state/")
    }
    shutil.rmtree(locked_folder / "state", ignore_errors=True)

    def the_same_is_said() -> bool:
        return all(
            (result.code, result.out) == (found.code, found.out)
            for words, found in said.items()
            for result in [situation(*words)]
        )

    known, _ = first(sandbox, -1)

    def changes_are_refused() -> bool:
        refused = [situation("pull"), situation("set", known, "description", "x")]
        return all(r.code == 6 and "nothing can be written" in r.err for r in refused)

    assert as_nobody(the_same_is_said)
    assert as_nobody(changes_are_refused)
    assert contents(locked_folder) == before
    assert set(sandbox.log.by_method()) <= {"GET"}
