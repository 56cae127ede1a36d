"""`dssync restore` as a person sees it."""

from pathlib import Path

import pytest

from dssync.sandbox import Sandbox
from tests.cli.golden import check_screen
from tests.cli.reviewing import BOT, RAG
from tests.cli.shell import Shell
from tests.cli.test_plan_screens import at_most_80


@pytest.fixture
def changed(pulled: Shell, sandbox: Sandbox) -> Shell:
    """Somebody renamed a dataset, deleted one, and made one; the mirror knows it."""
    state = sandbox.state
    named = {row["name"]: row["id"] for row in state.rows("dataset")}
    state.update("dataset", named[BOT], name="Renamed \x1b[31m", description="new")
    state.delete("dataset", named[RAG])
    state.insert("dataset", id="0199d009-0000-7000-8000-000000000009", name="Made since")
    pulled("pull").well()
    return pulled


def test_the_past_comes_back_and_is_pushed(changed: Shell, sandbox: Sandbox) -> None:
    done = changed("restore", "1").well()
    at_most_80(done.err)
    check_screen("restore.txt", done.err)
    assert done.out == ""
    changed("push", "-y").well()
    changed("pull").well()
    names = {row["name"] for row in sandbox.state.rows("dataset")}
    assert BOT in names
    assert RAG in names
    assert "Made since" not in names
    again = changed("restore", "1").well()
    assert "nothing to restore: it is as it was then" in again.err


def test_a_dry_run_prints_the_plan_and_changes_nothing(changed: Shell, folder: Path) -> None:
    before = (folder / "mirror.db").read_bytes()
    done = changed("restore", "1", "-n").well()
    check_screen("restore-dry.txt", done.err + done.out)
    assert (folder / "mirror.db").read_bytes() == before
    assert "pending: nothing" in changed("status").well().out


@pytest.fixture
def two(changed: Shell, sandbox: Sandbox, url: str) -> Shell:
    sandbox.add_project(2, "Spare")
    changed("remote", "add", "spare", "--host", url, "--project", "2").well()
    changed("pull", "-r", "spare").well()
    return changed


def test_into_an_empty_project(two: Shell, sandbox: Sandbox) -> None:
    two("new", "dataset", "Their own", "-r", "spare").well()
    two("push", "-y").well()
    done = two("restore", "1", "-r", "prod", "--to", "spare").well()
    at_most_80(done.err)
    head, _, tail = done.err.partition("  + dataset")  # which are shown first is by chance
    check_screen("restore-to.txt", head + tail[tail.index("  …") :])
    two("push", "-y").well()
    two("pull").well()
    assert "nothing to restore" in two("restore", "1", "-r", "prod", "--to", "spare").well().err
    names = sorted(row["name"] for row in sandbox.state.rows("dataset", 2))
    assert [BOT in names, RAG in names, "Their own" in names] == [True] * 3


def test_what_programs_get(two: Shell) -> None:
    document = two("restore", "1", "-r", "prod", "--to", "spare", "-n", "--json").well().document
    result = document["result"]
    assert result["dry_run"] is True
    assert result["plan"]["counts"] == {
        "create": sum(result["cannot_come_back"]["new_ids"].values())
    }
    assert result["cannot_come_back"]["server_fields"].keys() == {"team"}


def test_mistakes_are_told_in_a_sentence(two: Shell) -> None:
    assert "-r prod" in two("restore", "1").err
    unknown = two("restore", "77", "-r", "prod")
    assert (unknown.code, "there is no snapshot 77 of prod" in unknown.err) == (2, True)
    assert two("restore", "yesterday", "-r", "prod").code == 2
    assert two("restore", "2020-01-01", "-r", "prod").code == 2
    two("set", "Made since", "description", "mine").well()
    pending = two("restore", "1", "-r", "prod")
    assert pending.code == 2
    assert "--discard" in pending.err
    assert "Made since" in pending.err
    two("revert", "--all").well()
    assert "nothing to restore" in two("restore", "2999-12-31", "-r", "prod").well().err


def test_a_broken_snapshot_ends_with_9(changed: Shell, folder: Path) -> None:
    import sqlite3

    with sqlite3.connect(folder / "mirror.db") as connection:
        connection.execute("UPDATE datasets_history SET description = 'forged'")
    failed = changed("restore", "1")
    assert failed.code == 9
    assert "snapshot 1 of prod is damaged" in failed.err
