"""`dssync log`: what people and programs see of what happened."""

import re
from pathlib import Path

import pytest

from dssync.sandbox import Sandbox
from tests.cli.shell import Shell
from tests.sync.world import sql

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NAME = "Tool calls: calendar and weather"
COLOUR = re.compile("\x1b\\[[0-9;]*m")
MADE = re.compile(r"new-[0-9a-f]{8,16}")


def steady(text: str) -> str:
    """Write what differs from run to run in one way."""
    return MADE.sub("new-0123", TIME.sub("2026-11-24T18:00:00Z", text))


@pytest.fixture
def told(pulled: Shell, sandbox: Sandbox) -> Shell:
    """Pull, edit and push; somebody changes one of the records; pull again."""
    pulled("set", NAME, "description", "Short ones.").well()
    pulled("new", "dataset", "Fresh", "--metadata", '{"team": "search"}').well()
    pulled("push", "-y").well()
    (row,) = [r for r in sandbox.state.rows("dataset") if r["name"] == NAME]
    sandbox.state.update("dataset", row["id"], description="Shorter ones.", metadata={"lines": 1})
    pulled("pull").well()
    return pulled


RUNS = """\
run  started               command  remotes  exit  outcome
3    2026-11-24T18:00:00Z  pull     prod     0     1 changed
2    2026-11-24T18:00:00Z  push     prod     0     2 applied
1    2026-11-24T18:00:00Z  pull     prod     0     66 new
"""

PUSH = """\
run 2: push
  started  2026-11-24T18:00:00Z
  ended    2026-11-24T18:00:00Z
  exit     0
  remotes  prod
  version  0.1.0
applied: create dataset "Fresh" (new-0123…), prod
  1 request, answered 201, updated 2026-11-24T18:00:00Z
    name: "Fresh"
    metadata: {"team":"search"}
applied: update dataset "Tool calls: calendar and weather" (019ca168…), prod
  1 request, answered 200, updated 2026-11-24T18:00:00Z
    description: null -> "Short ones."
2 planned = 2 applied + 0 skipped + 0 conflicted + 0 failed + 0 in doubt.
"""

STORY = """\
dataset "Tool calls: calendar and weather" (019ca168…), prod
  019ca168-34ee-88bd-ad52-0fa5050f1498

not pushed yet: changed here
    /metadata/lines: 1 -> 2

run 3 (pull), 2026-11-24T18:00:00Z: changed on the server
  last changed there 2026-11-24T18:00:00Z
    description: "Short ones." -> "Shorter ones."
    metadata: null -> {"lines":1}

run 2 (push), 2026-11-24T18:00:00Z: changed by this mirror
    description: null -> "Short ones."

run 1 (pull), 2026-11-24T18:00:00Z: first seen
  made there 2026-11-24T18:00:00Z by jonas.oneill@northwind.example
"""


def test_the_screens(told: Shell) -> None:
    told("set", NAME, "/metadata/lines", "2").well()
    runs = steady(COLOUR.sub("", told("log", terminal=True).well().out))
    assert "\n".join(line.rstrip() for line in runs.split("\n")) == RUNS
    assert steady(told("log", "2").well().out) == PUSH
    assert steady(told("log", NAME).well().out) == STORY


def test_the_list_for_programs(told: Shell) -> None:
    lines = [line.split("\t") for line in told("log").well().out.splitlines()]
    assert [(number, *rest) for number, _, *rest in lines] == [
        ("3", "pull", "prod", "0", "1 changed"),
        ("2", "push", "prod", "0", "2 applied"),
        ("1", "pull", "prod", "0", "66 new"),
    ]
    runs = told("log", "--json", "-n", "2", "--command", "pull").well().document["result"]["runs"]
    assert [(run["run"], run["command"], run["exit_code"]) for run in runs] == [
        (3, "pull", 0),
        (1, "pull", 0),
    ]
    assert runs[1]["scanned"] == {"listed": 66, "new": 66, "changed": 0, "absent": 0}
    assert told("log", "--command", "undo").well().out == ""
    assert told("log", "-r", "prod", "-n", "1").well().out.startswith("3\t")


def test_a_run_and_a_story_for_programs(told: Shell) -> None:
    run = told("log", "2", "--json").well().document["result"]
    assert run["run"]["run"] == 2
    assert run["undone_by"] == []
    created, updated = run["receipt"]["entries"]
    assert (created["action"], created["status"], created["attempts"]) == ("create", 201, 1)
    assert updated["fields"] == [{"field": "description", "before": None, "after": "Short ones."}]
    story = told("log", NAME, "--json").well().document["result"]
    assert [(e["run"], e["by"], e["what"]) for e in story["events"]] == [
        (3, "the server", "update"),
        (2, "this mirror", "update"),
        (1, "the server", "first seen"),
    ]
    assert story["change"] is None


def test_a_run_that_did_not_finish_says_so_and_balances(told: Shell, folder: Path) -> None:
    mirror = folder / "mirror.db"
    sql(mirror, "UPDATE runs SET ended_at = NULL, exit_code = NULL WHERE id = 2")
    sql(mirror, "UPDATE journal SET closed_at = NULL WHERE action = 'create'")
    listed = told("log", "--command", "push").well().out.split("\t")
    assert listed[4:] == ["", "did not finish, 1 applied, 1 in doubt\n"]
    shown = told("log", "2").well().out
    assert "  ended    did not finish\n" in shown
    assert "in doubt: create dataset" in shown
    assert "sent, and no answer was seen; the next pull or push finds out" in shown
    assert "2 planned = 1 applied + 0 skipped + 0 conflicted + 0 failed + 1 in doubt." in shown


def test_what_went_wrong_is_kept(pulled: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "phx_wrong")
    assert pulled("pull").code == 7
    shown = pulled("log", "2").well().out
    assert "dssync: prod: " in shown
    assert pulled("log", "-n", "1").well().out.split("\t")[3:] == ["prod", "7", "1 problem\n"]


def test_what_a_pull_finds_in_conflict_is_kept(pulled: Shell, sandbox: Sandbox) -> None:
    pulled("set", NAME, "description", "Ours.").well()
    (row,) = [r for r in sandbox.state.rows("dataset") if r["name"] == NAME]
    sandbox.state.update("dataset", row["id"], description="Theirs.")
    found = pulled("pull").well()
    assert "conflicted: dataset" in found.err
    assert "1 conflicted" in found.last
    assert "conflicted" not in pulled("pull").well().last
    synced = pulled("sync", "-y")
    assert synced.code == 4
    assert "1 planned, 1 conflicted" in synced.last
    entry = pulled("log", "2", "--json").well().document["result"]["receipt"]["entries"][0]
    assert (entry["action"], entry["outcome"]) == ("read", "conflicted")
    assert entry["fields"] == [{"field": "description", "before": "Theirs.", "after": "Ours."}]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("99",), "there is no run 99; the newest is 3"),
        (("nothing",), "no record is called 'nothing'"),
        (("2", "--limit", "3"), "--limit and --command belong to the list of runs"),
    ],
)
def test_what_cannot_be_shown(told: Shell, words: tuple[str, ...], sentence: str) -> None:
    failed = told("log", *words)
    assert failed.code == 2
    assert sentence in failed.err


def test_a_number_is_a_run_and_a_record_where_there_is_no_such_run(told: Shell) -> None:
    two = told("new", "dataset", "2").well().out.strip()
    told("new", "dataset", "77").well()
    both = told("log", "2").well()
    assert both.out.startswith("run 2: push\n")
    assert f"dssync log {two}" in both.err
    assert told("log", "77").well().out.startswith('dataset "77"')
    assert told("log", two).well().out.startswith('dataset "2"')
    assert "not pushed yet: made here" in told("log", two).well().out
