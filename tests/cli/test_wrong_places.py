"""Where a bundle or a snapshot is asked for that is not there: which thing, and what to type."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.shell import Shell

NO_BUNDLE = "dssync: mirror.db is no bundle, but a database"
NO_REMOTE = "dssync: the mirror holds no remote yet"


def first(shell: Shell, *words: str) -> tuple[int, str]:
    done = shell(*words)
    return done.code, done.err.splitlines()[0]


def test_a_mirror_is_not_called_a_damaged_bundle(offline: Shell) -> None:
    assert first(offline, "verify", "mirror.db") == (2, NO_BUNDLE)
    assert first(offline, "restore", "mirror.db") == (2, NO_BUNDLE)


def test_a_folder_that_is_not_there_is_named(offline: Shell) -> None:
    code, said = first(offline, "bundle", "nowhere/b.tar.zst")
    assert (code, "tmp" in said.rpartition("/")[2], "nowhere is no folder" in said) == (
        2,
        False,
        True,
    )


def test_a_file_that_is_not_there_is_no_time(offline: Shell) -> None:
    code, said = first(offline, "restore", "b.tar.zst")
    assert (code, said.endswith("and no file is called so")) == (2, True)


def test_an_empty_mirror_says_to_pull(dssync: Shell, folder: Path) -> None:
    dssync("init").well()
    for words in (("bundle", "b.tar.zst"), ("forget", "--keep-last", "1"), ("forget", "--prune")):
        done = dssync(*words)
        assert (done.code, done.err.startswith(NO_REMOTE), "-r NAME" in done.err) == (
            2,
            True,
            False,
        )
        assert "hint: dssync pull" in done.err


def test_a_bundle_of_an_unknown_project_says_which(offline: Shell, folder: Path) -> None:
    offline("bundle", "b.tar.zst").well()
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as mirror:
        mirror.execute("UPDATE remotes SET project = '77'")
    refused = offline("restore", "b.tar.zst")
    assert refused.code == 2
    assert "b.tar.zst is of project 1 of http" in refused.err
    assert "--to REMOTE" in refused.err
    assert "dssync pull -r" not in refused.err


def test_a_run_of_another_remote_is_not_denied(offline: Shell) -> None:
    assert first(offline, "forget", "9", "-r", "project-1", "-n") == (
        2,
        "dssync: run 9 has no snapshot that is kept of project-1",
    )
