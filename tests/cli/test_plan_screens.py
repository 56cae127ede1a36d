"""What people see of a plan, at 80 columns."""

import json
from pathlib import Path

import pytest

from dssync.sandbox import Sandbox
from tests.cli.golden import check_screen
from tests.cli.reviewing import BOT, RAG, SQL, key_of, sql
from tests.cli.shell import Shell


@pytest.fixture
def planned(pulled: Shell, sandbox: Sandbox) -> Shell:
    """Something of everything: text, JSON, a deletion, a new item, a conflict."""
    items = [
        key for (key,) in sql("SELECT key FROM items WHERE dataset = ? ORDER BY key", key_of(BOT))
    ]
    sandbox.state.update("dataset", key_of(SQL), description="Theirs, and `evil` <b>too</b>")
    sql("UPDATE datasets SET description = 'Ours' WHERE key = ?", key_of(SQL))
    pulled("pull").well()
    pulled(
        "set", BOT, "description", "Questions that customers really asked, with the answers our"
        " billing and support teams agreed on. @everyone: [look](https://evil.example) \x1b[31m",
    ).well()  # fmt: skip
    pulled("set", BOT, "/metadata/threshold", "0.9").well()
    pulled("set", BOT, "/metadata/reviewers", '["ana", "ben"]').well()
    pulled("set", items[0], "/metadata/difficulty", "hard").well()
    pulled("delete", items[1]).well()
    sql(
        "UPDATE items SET expected_output = ? WHERE key = ?",
        json.dumps("One.\nTwo.\nThree.\n"),
        items[2],
    )
    sandbox.log.clear()
    return pulled


def at_most_80(text: str) -> None:
    assert max(map(len, text.splitlines())) <= 80


def test_diff_as_text(planned: Shell) -> None:
    shown = planned("diff", "-o", "plan.json").well()
    at_most_80(shown.out)
    check_screen("diff.txt", shown.out + shown.err)


def test_diff_as_markdown(planned: Shell) -> None:
    check_screen("diff.md", planned("diff", "--format", "md").well().out)


def test_a_plan_with_changes_that_dropped_out(planned: Shell, sandbox: Sandbox) -> None:
    planned("set", RAG, "description", "New").well()
    planned("diff", "-o", "plan.json").well()
    planned("set", BOT, "description", "Edited later").well()
    sandbox.state.update("dataset", key_of(RAG), description="Somebody else's")
    shown = planned("push", "plan.json", "-y")
    assert shown.code == 6
    check_screen("push_left_out.txt", shown.err)


def test_a_plan_applied_a_second_time(planned: Shell) -> None:
    planned("diff", "-o", "plan.json").well()
    planned("push", "plan.json", "-y").well()
    shown = planned("push", "plan.json", "-y").well()
    at_most_80(shown.err)
    check_screen("push_again.txt", shown.err)


@pytest.fixture
def moved(pulled: Shell, sandbox: Sandbox) -> Shell:
    """Two items move between datasets; the second was moved elsewhere there."""
    one, two = (
        key
        for (key,) in sql(
            "SELECT key FROM items WHERE dataset = ? ORDER BY key LIMIT 2", key_of(BOT)
        )
    )
    pulled("set", one, "dataset", key_of(RAG)).well()
    pulled("set", two, "dataset", key_of(RAG)).well()
    sandbox.state.update("item", two, dataset=key_of(SQL))
    pulled("pull").well()
    return pulled


def test_a_dataset_that_an_item_refers_to_goes_by_its_name(moved: Shell) -> None:
    text, marked = moved("diff").well(), moved("diff", "--format", "md").well()
    settle = moved("resolve")
    moved("diff", "-o", "plan.json").well()
    pushed = moved("push", "plan.json", "-y").well()
    run, [(item,)] = moved("log", "3").well(), sql("SELECT key FROM receipts WHERE run = 3")
    story = moved("log", item).well()
    screens = (text.out, marked.out, settle.out, pushed.err, run.out, story.out)
    at_most_80("".join(screen for screen in screens if screen != marked.out))
    check_screen("references.txt", "\n\n".join(screens))


def test_a_reviewed_move_that_moved_names_the_datasets(moved: Shell) -> None:
    moved("diff", "-o", "plan.json").well()
    [(item,)] = sql("SELECT key FROM items WHERE dataset = ? ORDER BY key LIMIT 1", key_of(RAG))
    moved("set", item, "dataset", key_of(SQL)).well()
    shown = moved("push", "plan.json", "-y")
    assert shown.code == 6
    check_screen("references_left_out.txt", shown.err)


def test_the_brake(pulled: Shell, sandbox: Sandbox) -> None:
    sql("UPDATE items SET deleted = 1 WHERE dataset IN (?, ?)", key_of(BOT), key_of(RAG))
    sandbox.log.clear()
    shown = pulled("push", "-y")
    assert (shown.code, len(sandbox.log.writes())) == (8, 0)
    at_most_80(shown.err)
    check_screen("push_brake.txt", shown.err)
    with Path("dssync.toml").open("a") as file:
        file.write('max_delete = "2%"\n')
    own = pulled("push", "-y")
    assert (own.code, len(sandbox.log.writes())) == (8, 0)
    check_screen("push_own_brake.txt", own.err)
    pulled("push", "-y", "--max-delete", "90%").well()


def test_a_saved_plan_brakes_as_well_and_undeletions_do_not(
    pulled: Shell, sandbox: Sandbox
) -> None:
    sql("UPDATE items SET deleted = 1")
    pulled("diff", "-o", "plan.json").well()
    sandbox.log.clear()
    assert pulled("push", "plan.json", "-y").code == 8
    assert not sandbox.log.writes()
    pulled("push", "plan.json", "-y", "--max-delete", "100%").well()
    sql("UPDATE items SET deleted = 0")
    pulled("push", "-y").well()
    assert not sandbox.state.rows("item", deleted=True)


def test_a_remotes_own_limit_bounds_what_a_pull_believes(pulled: Shell, sandbox: Sandbox) -> None:
    sandbox.state.update("dataset", key_of(BOT), deleted=True)
    with Path("dssync.toml").open("a") as file:
        file.write("max_delete = 0\n")
    stopped = pulled("pull")
    assert stopped.code == 8
    assert "1 of 6 datasets of prod are no longer listed" in stopped.err
    pulled("pull", "--max-delete", "1").well()


def test_everything_the_server_would_refuse(pulled: Shell, sandbox: Sandbox) -> None:
    [(item,)] = sql("SELECT min(key) FROM items")
    sql("UPDATE datasets SET metadata = ? WHERE key = ?", f'{{"n": {2**64}}}', key_of(BOT))
    sql(
        "UPDATE datasets SET description = 'fine', metadata = ? WHERE key = ?",
        "[1e400]",
        key_of(RAG),
    )
    sql("UPDATE items SET input = ?, metadata = '1e300' WHERE key = ?", "[" * 252 + "]" * 252, item)
    sql("INSERT INTO datasets (name, remote) VALUES ('Gone again', 'prod')")
    sql("UPDATE items SET dataset = ? WHERE key = ?", key_of("Gone again"), item)
    sql("UPDATE datasets SET deleted = 1 WHERE name = 'Gone again'")
    sandbox.log.clear()
    shown = pulled("push", "-y")
    assert (shown.code, len(sandbox.log)) == (2, 0)
    check_screen("push_refused.txt", shown.err)
    document = pulled("push", "-y", "--json").document
    problems = document["error"]["problems"]
    assert {(each["key"], each["field"]) for each in problems} == {
        (key_of(BOT), "metadata"),
        (key_of(RAG), "metadata"),
        (item, "input"),
        (item, "metadata"),
        (item, "dataset"),
    }
    assert all(each["reason"] and each["kind"] for each in problems)
