"""`dssync undo`, as a person types it."""

import pytest

from dssync.sandbox import Sandbox
from tests.cli.shell import Shell
from tests.cli.test_log import COLOUR, steady

NAME = "Tool calls: calendar and weather"


def description(sandbox: Sandbox) -> object:
    (row,) = [r for r in sandbox.state.rows("dataset") if r["name"] == NAME]
    return row["description"]


@pytest.fixture
def pushed(pulled: Shell) -> Shell:
    """Return a shell whose run 2 changed one dataset and made another."""
    pulled("set", NAME, "description", "Ours.").well()
    pulled("new", "dataset", "Fresh").well()
    pulled("push", "-y").well()
    return pulled


PLAN = """\
prod / "Fresh"
  - delete dataset "Fresh" (new-0123…)

prod / "Tool calls: calendar and weather"
  ~ update dataset "Tool calls: calendar and weather" (019ca168…)
      description: "Ours." -> null

1 update, 1 delete.
"""

REFUSED = """\
prod / "Tool calls: calendar and weather"
  ! conflict in dataset "Tool calls: calendar and weather" (019ca168…)
      description: changed since
        base    "Ours."
        theirs  "Theirs."
        ours    null

1 conflict.
"""


def test_the_plan_is_shown_and_one_question_asked(pushed: Shell, sandbox: Sandbox) -> None:
    declined = pushed("undo", "2", stdin="n\n", terminal=True)
    assert declined.code == 6
    assert PLAN in steady(COLOUR.sub("", declined.err))
    assert "nothing was sent" in declined.err
    assert description(sandbox) == "Ours."
    assert pushed("diff", "--exit-code").code == 0

    done = pushed("undo", "2", stdin="y\n", terminal=True).well()
    assert "Send 1 update, 1 delete to prod?" in done.err
    assert "2 planned, 2 applied" in done.last
    assert description(sandbox) is None
    assert "  undone   by run 3\n" in pushed("log", "2").well().out
    assert pushed("log", "-n", "1").well().out.split("\t")[2] == "undo 2"


def test_a_dry_run_shows_the_plan_and_writes_nothing(pushed: Shell, sandbox: Sandbox) -> None:
    before = len(sandbox.log)
    shown = pushed("undo", "2", "-n").well()
    *plan, last = steady(shown.out).splitlines(keepends=True)
    assert "".join(plan) == PLAN
    assert last.startswith("digest ")
    assert {entry.method for entry in sandbox.log[before:]} == {"GET"}
    assert "no run: 2 planned, 2 skipped" in shown.last
    assert description(sandbox) == "Ours."


def test_a_digest_is_the_consent_to_one_plan(pushed: Shell, sandbox: Sandbox) -> None:
    digest = pushed("undo", "2", "-n", "--json").well().document["result"]["plan"]["digest"]
    last = f"digest {digest}; send this: dssync undo 2 --checksum {digest}\n"
    assert pushed("undo", "2", "-n").well().out.endswith(last)
    refused = pushed("undo", "2", "--checksum", "0123456789abcdef")
    assert refused.code == 6
    assert description(sandbox) == "Ours."
    pushed("undo", "2", "--checksum", digest).well()
    assert description(sandbox) is None


def test_what_changed_since_is_shown_with_its_values(pushed: Shell, sandbox: Sandbox) -> None:
    (row,) = [r for r in sandbox.state.rows("dataset") if r["name"] == NAME]
    sandbox.state.update("dataset", row["id"], description="Theirs.")
    shown = pushed("undo", "2", NAME, "-n")
    assert shown.code == 4
    assert shown.out == REFUSED
    done = pushed("undo", "2", "-y", "--json")
    assert done.code == 4
    assert done.document["result"]["undoes"] == 2
    assert done.document["receipt"]["counts"]["applied"] == 1
    assert done.document["receipt"]["counts"]["conflicted"] == 1
    assert description(sandbox) == "Theirs."


def test_an_undone_run_says_so(pushed: Shell) -> None:
    pushed("undo", "2", "-y").well()
    again = pushed("undo", "2", "-y").well()
    assert "nothing can be undone of run 2; see run 3, which undid it" in again.err
    assert again.out == ""
    assert pushed("log", "-n", "1").well().out.startswith("3\t")
    pushed("undo", "3", "-y").well()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("2",), 2, "there is nobody to ask whether to undo, so nothing was sent"),
        (("1", "-y"), 2, "run 1 is a pull, and only a push, a migrate or an undo can"),
        (("9", "-y"), 2, "there is no run 9; the newest is 2"),
        (("999",), 2, "there is no run 999; the newest is 2"),
        (("abc",), 2, "'abc' is not a run's number"),
        (("-y", "0"), 2, "there is no run 0; the newest is 2"),
        ((), 2, "which run is to be undone?"),
        (("2", "Summaries: one breath", "-y"), 2, "run 2 had nothing to do with"),
    ],
)
def test_what_cannot_be_taken_back(
    pushed: Shell, sandbox: Sandbox, words: tuple[str, ...], code: int, sentence: str
) -> None:
    before = len(sandbox.log)
    failed = pushed("undo", *words)
    assert failed.code == code
    assert sentence in failed.err
    assert len(sandbox.log) == before


@pytest.mark.parametrize("words", [("abc",), ("999",), ("1",), ()])
def test_what_cannot_be_taken_back_names_what_can(pushed: Shell, words: tuple[str, ...]) -> None:
    assert (
        pushed("undo", *words).last == "hint: the newest push: dssync undo 2; all runs: dssync log"
    )
    pushed("undo", "2", "-y").well()
    assert (
        pushed("undo", *words).last == "hint: the newest undo: dssync undo 3; all runs: dssync log"
    )


def test_where_nothing_was_pushed_nothing_can_be_taken_back(pulled: Shell) -> None:
    failed = pulled("undo", "abc")
    assert failed.code == 2
    assert failed.last == "hint: nothing was pushed yet; see the runs: dssync log"
