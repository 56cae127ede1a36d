"""A plan that was used is known again, and a file that is no plan of this mirror is refused."""

import json
from pathlib import Path

import pytest

from dssync.sandbox import Fault, Sandbox
from tests.cli.reviewing import (
    ALL,
    BOT,
    RAG,
    SQL,
    check_left_out,
    descriptions,
    digest_of,
    key_of,
    move,
    runs,
    sql,
    writes,
)
from tests.cli.shell import Result, Shell

# A used plan.


def test_a_plan_applied_twice_does_nothing_the_second_time_and_says_so(
    edited: Shell, sandbox: Sandbox
) -> None:
    digest = digest_of(edited)
    edited("push", "plan.json", "-y").well()
    sandbox.log.clear()
    for words in (["plan.json", "-y"], ["plan.json"], ["--checksum", digest]):
        again = edited("push", *words, "--json").well()
        assert len(sandbox.log) == 0
        assert "run 2 applied 3 of 3 changes of this plan, at 20" in again.err
        assert "nothing of this plan is left to push" in again.err
        [use] = again.document["result"]["applied_before"]
        assert (use["run"], use["applied"], use["planned"]) == (2, 3, 3)
    assert runs() == 2


def test_an_ordinary_push_of_the_same_uses_a_saved_plan_up(edited: Shell, sandbox: Sandbox) -> None:
    edited("push", "-y").well()
    again = edited("push", "plan.json", "-y").well()
    assert "run 2 applied 3 of 3 changes of this plan" in again.err
    assert writes(sandbox) == 3


def test_a_plan_applied_twice_is_not_applied_to_what_was_made_again(
    edited: Shell, sandbox: Sandbox
) -> None:
    edited("push", "plan.json", "-y").well()
    old = sandbox.state.get("dataset", key_of(BOT))["description"]
    edited("set", BOT, "description", "Questions that customers really asked, with the answers our "
           "support team agreed on.").well()  # fmt: skip
    edited("push", "-y").well()
    edited("set", BOT, "description", old).well()
    sandbox.log.clear()
    edited("push", "plan.json", "-y").well()
    assert writes(sandbox) == 0
    edited("diff", "-o", "plan.json").well()
    edited("push", "plan.json", "-y").well()
    assert writes(sandbox) == 1


def test_a_plan_applied_in_part_says_so_and_sends_what_is_still_pending(
    edited: Shell, sandbox: Sandbox
) -> None:
    digest = digest_of(edited)
    move(edited, sandbox)
    assert edited("push", "plan.json", "-y").code == 6
    sandbox.log.clear()
    again = edited("push", "plan.json", "-y")
    assert (again.code, writes(sandbox)) == (6, 0)
    assert "run 2 applied 1 of 3 changes of this plan" in again.err
    assert "2 of 2 planned changes moved after the review, and were left out" in again.err
    edited("set", BOT, "description", f"New: {BOT}").well()
    edited("new", "dataset", "Not reviewed").well()
    rest = edited("push", "--checksum", digest)
    assert (rest.code, writes(sandbox)) == (6, 1)
    assert "1 of 2 planned changes moved after the review, and was left out" in rest.err
    assert descriptions(sandbox)[BOT] == f"New: {BOT}"
    sandbox.log.clear()
    for approval in (("plan.json", "-y"), ("--checksum", digest)):
        last = edited("push", *approval)
        assert (last.code, writes(sandbox)) == (6, 0)
    assert "applied 1 of 3 changes of this plan" in last.err
    assert "pending: 1 create, 1 conflict" in last.err


def test_a_create_is_made_once_however_often_its_plan_is_applied(
    pulled: Shell, sandbox: Sandbox
) -> None:
    pulled("new", "dataset", "Fresh").well()
    pulled("diff", "-o", "plan.json").well()
    before = len(sandbox.state.rows("dataset"))
    for _ in range(3):
        pulled("push", "plan.json", "-y").well()
    assert len(sandbox.state.rows("dataset")) == before + 1


@pytest.mark.parametrize("by_digest", [False, True])
def test_a_push_that_broke_off_is_finished_by_the_same_command(
    edited: Shell, sandbox: Sandbox, by_digest: bool
) -> None:
    words = ["--checksum", digest_of(edited)] if by_digest else ["plan.json", "-y"]
    refusal = {"type": "authentication_error", "code": "authentication_failed", "detail": "No."}
    sandbox.faults.add(Fault("status", 401, method="PATCH", nth=2, times=None, body=refusal))
    assert edited("push", *words).code == 7
    assert sum(descriptions(sandbox)[name] == text for name, text in ALL.items()) == 1
    sandbox.faults.clear()
    sandbox.log.clear()
    edited("push", *words).well()
    assert (descriptions(sandbox), writes(sandbox)) == (ALL, 2)
    edited("pull").well()
    sandbox.log.clear()
    last = edited("push", *words).well()
    assert "run 2 applied 1 of 3 changes of this plan" in last.err
    assert (len(sandbox.log), last.code) == (0, 0)


# Files that are no plan of this mirror.


def test_an_edited_plan_a_lost_one_and_one_of_elsewhere_are_refused(
    edited: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path("plan.json").read_text()
    Path("edited.json").write_text(text.replace(f"New: {BOT}", "Mine"))
    Path("half.json").write_text(text[: len(text) // 2])
    Path("bytes.json").write_bytes(b"\xff\xfe" + text.encode())
    wanted = {"edited.json": 6, "half.json": 2, "bytes.json": 2, "none.json": 2, ".": 2}
    for name, code in wanted.items():
        refused = edited("push", name, "-y")
        assert (refused.code, len(sandbox.log)) == (code, 0), name
        assert "Traceback" not in refused.err
    sql("UPDATE remotes SET project = '2', team = NULL")
    refused = edited("push", "plan.json", "-y")
    assert (refused.code, len(sandbox.log)) == (6, 0)
    assert "the plan is for prod" in refused.err


def test_a_plan_is_saved_whole_or_not_at_all(edited: Shell, folder: Path) -> None:
    before = Path("plan.json").read_text()
    assert edited("diff", "-o", "no/such/plan.json").code == 2
    edited("diff", "-o", "plan.json").well()
    assert {path.name for path in folder.iterdir() if "plan" in path.name} == {"plan.json"}
    again = json.loads(Path("plan.json").read_text())
    assert {**again, "made_at": "", "seal": ""} == {**json.loads(before), "made_at": "", "seal": ""}
    edited("revert", "--all").well()
    edited("diff", "-o", "plan.json").well()
    assert json.loads(Path("plan.json").read_text())["changes"] == []


def test_diff_writes_nothing_but_the_file_that_was_asked_for(
    edited: Shell, sandbox: Sandbox
) -> None:
    before = Path("mirror.db").read_bytes(), len(sandbox.log)
    for form in ("text", "json", "md"):
        edited("diff", "--format", form).well()
        edited("push", "plan.json", "-n") if form == "text" else None
    assert Path("mirror.db").read_bytes() == before[0]
    assert not sandbox.log.writes()


def test_a_dry_push_of_a_plan_shows_what_would_go(edited: Shell, sandbox: Sandbox) -> None:
    move(edited, sandbox)
    shown: Result = edited("push", "plan.json", "-n", "--json")
    assert (shown.code, writes(sandbox), runs()) == (6, 0, 1)
    result = shown.document["result"]
    assert result["dry_run"] is True
    assert [each["label"] for each in result["plan"]["changes"]] == [SQL]
    check_left_out(result["left_out"])


def test_a_dry_push_names_a_digest_only_if_a_push_would_take_it(
    edited: Shell, sandbox: Sandbox
) -> None:
    assert f"--checksum {digest_of(edited)}" in edited("push", "-n").out
    sandbox.state.update("dataset", key_of(RAG), description="theirs")
    moved = edited("push", "-n")
    assert "--checksum" not in moved.out + moved.err
    assert "dssync pull, then dssync diff" in moved.out
