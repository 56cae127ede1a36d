"""A receipt on 80 columns: long names, reasons, notes and troubles, each told once."""

from dataclasses import replace

import pytest

from dssync.cli.render.receipt import receipt_lines, whole_lines
from dssync.cli.render.text import Lines, plain
from dssync.core.adoption import Undecided
from dssync.core.plan import Action, Delta
from dssync.core.receipt import Entry, Outcome, Receipt, ScanCount, Trouble
from dssync.mirror.journal import Intent
from dssync.sync.adoption import NAMED, doubt_about
from tests.cli.golden import check_screen
from tests.cli.test_plan_screens import at_most_80

KEY = "new-0123456789abcdef"
LONG = "Questions that customers of the northern region really asked, \x1b[31mred\u202e, 2026"
IDS = [f"019bd144-1e94-7b55-11f1-20682cc85d{n:02x}" for n in range(5)]


def doubt(count: int) -> str:
    intent = Intent(1, 7, "prod", "item", KEY, "create", (), "2026-11-23T18:00:00Z", None)
    reason = f"any of {count} equal records made since may be it"
    return doubt_about(intent, Undecided(reason, tuple(IDS[:count])))


def entry(action: Action, outcome: Outcome, reason: str) -> Entry:
    deltas = (Delta("description", "Ours", LONG),)
    return Entry("production-eu", "dataset", IDS[0], action, outcome, deltas, reason, label=LONG)


RECEIPT = Receipt(
    "push",
    7,
    planned=4,
    entries=(
        entry("update", "applied", "somebody changed metadata meanwhile"),
        entry("create", "in doubt", doubt(2)),
        entry("update", "skipped", "it was edited here after the plan was made"),
        entry("update", "conflicted", "description: changed on both sides; metadata: deleted"),
    ),
    scans=(
        ScanCount("production-eu", "item", "complete with holes", 123_456, 1_234, 12_345, 9, 1_000),
    ),
    troubles=(
        Trouble(
            "production-eu",
            "the server did not answer within 30 seconds, three times in a row",
            5,
            "run it again: dssync push",
        ),
        Trouble(
            "staging",
            "a message\n  with a line for each record, long as it may be, and it is broken then",
            2,
        ),
    ),
    notes=(
        f"earlier create of item {KEY}: applied, it got no answer, but was found on the server",
    ),
)


def drawn(lines: Lines) -> str:
    return "".join(f"{plain(line.text).rstrip()}\n" for line in lines)


def test_a_receipt_fits() -> None:
    shown = drawn(receipt_lines(RECEIPT, 80))
    at_most_80(shown)
    check_screen("receipt.txt", shown)


def test_a_run_shown_whole_fits() -> None:
    shown = drawn(whole_lines(RECEIPT, 80))
    at_most_80(shown)
    check_screen("receipt_whole.txt", shown)


def test_what_was_told_is_not_told_again() -> None:
    told = Receipt("push", None, entries=RECEIPT.entries[2:], troubles=RECEIPT.troubles[:1])
    shown = drawn(receipt_lines(RECEIPT, 80, told=told))
    assert "skipped" not in shown
    assert "conflicted" not in shown
    assert "did not answer" not in shown
    assert shown.count("dssync: staging") == 1
    assert shown.count("in doubt: create") == 1


def test_of_many_records_with_one_reason_a_few_are_named() -> None:
    reason = "not sent: interrupted; everything so far is kept"
    rows = tuple(replace(entry("update", "skipped", reason), key=f"{n:08}") for n in range(1_203))
    receipt = Receipt("push", 7, planned=len(rows), entries=rows)
    shown = drawn(receipt_lines(receipt, 80))
    assert shown.count(f"  {reason}\n") == 3
    last = "skipped: 1,200 more records of production-eu, for the same reason\n"
    assert shown.endswith(last)
    assert drawn(whole_lines(receipt, 80)).count(f"  {reason}\n") == len(rows)
    assert drawn(receipt_lines(receipt, 80, everything=True)).count(f"  {reason}\n") == len(rows)


@pytest.mark.parametrize("count", [1, NAMED, NAMED + 2])
def test_a_doubt_names_a_few_candidates_and_what_to_type(count: int) -> None:
    said = doubt(count)
    assert [id in said for id in IDS[:count]] == [at < NAMED for at in range(count)]
    assert ("and 2 more" in said) == (count > NAMED)
    assert said.endswith(f"to drop the one here: dssync pull, dssync revert {KEY}")
