"""`dssync resolve`: what it shows, what it asks, and what the mirror holds afterwards."""

import json

import pytest

from tests.cli.disputed import (
    ALL,
    BILLING,
    CALM,
    ITEM,
    LONG,
    SMALL,
    TRIAGE,
    Editor,
    changes,
    conflicts,
    ours,
)
from tests.cli.shell import Shell

LISTED = f"""\
prod / "Billing"
  ! dataset "Billing" (0199d002…)
      deleted: edited here, deleted there
        description: "old" -> "edited here"
        /metadata/a: 1 -> 2
        ours brings it back with the edits, theirs drops them
    settle it: dssync resolve {BILLING}

prod / "Small"
  ! dataset "Small" (0199d003…)
      description: changed on both sides
        base    "old"
        theirs  "theirs"
        ours    "ours"
    settle it: dssync resolve {SMALL}

prod / "Support triage"
  ! dataset "Support triage" (0199d001…)
      description: changed on both sides
        base -> theirs:
          … and kind. Never promise a [-refund-]{{+discount+}} before the order
          was checked, …
        base -> ours:
          … language of the ticket. Be [-brief-]{{+short+}} and kind. Never
          promise a …
      /metadata/split: changed on both sides
        base    "train"
        theirs  "dev"
        ours    "test"
    settle it: dssync resolve {TRIAGE}
  ! item {ITEM}
      /metadata/tags: changed on both sides
        base    ["a"]
        theirs  ["theirs","a"]
        ours    ["a","ours"]
    settle it: dssync resolve {ITEM}

5 conflicts in 4 records.
"""


# What is shown.


def test_conflicts_are_listed(disputed: Shell) -> None:
    shown = disputed("resolve").well()
    assert shown.out == LISTED
    assert max(map(len, (shown.out + shown.err).splitlines())) <= 80
    assert "--ours, --theirs or --edit" in shown.err


def test_conflicts_are_listed_for_programs(disputed: Shell) -> None:
    assert conflicts(disputed) == ALL
    found = disputed("resolve", "--json").document["result"]["conflicts"]
    triage = next(each for each in found if each["key"] == TRIAGE)
    split = {"path": "/metadata/split", "base": "train", "theirs": "dev", "ours": "test"}
    assert split in triage["clashes"]
    billing = next(each for each in found if each["key"] == BILLING)
    edits = [("description", "old", "edited here"), ("metadata", {"a": 1}, {"a": 2})]
    assert [(e["field"], e["before"], e["after"]) for e in billing["edits"]] == edits


def test_no_conflicts_are_a_sentence(offline: Shell) -> None:
    shown = offline("resolve").well()
    assert (shown.out, shown.err) == ("", "no conflicts\n")
    assert "nothing is in conflict" in offline("resolve", "--all", "--ours").well().err


def test_status_names_conflicts_and_what_to_type(disputed: Shell) -> None:
    shown = disputed("status").well().out
    assert 'conflict: dataset "Support triage" (0199d001…), description, metadata\n' in shown
    assert f"conflict: item {ITEM}, metadata\n" in shown
    assert "settle them: dssync resolve" in shown
    found = disputed("status", "--json").well().document["result"]["conflicts"]
    assert {each["key"] for each in found} == set(ALL)


def test_list_and_show_mark_conflicts(disputed: Shell) -> None:
    rows = [line.split("\t") for line in disputed("list").well().out.splitlines()]
    states = {row[0]: row[-1] for row in rows}
    assert states == {BILLING: "conflict", SMALL: "conflict", TRIAGE: "conflict", CALM: ""}
    disputed("resolve", "Billing", "--ours").well()
    disputed("resolve", "Small", "--ours").well()
    disputed("delete", "Calm").well()
    rows = [line.split("\t") for line in disputed("list", "--deleted").well().out.splitlines()]
    states = {row[0]: row[-1] for row in rows}
    assert states[BILLING] == "to undelete"
    assert states[SMALL] == "edited"
    assert states[CALM] == "to delete"
    table = disputed("list", "--deleted", "--no-color", terminal=True).well().out.splitlines()
    assert [line.split()[-1] for line in table[1:]] == ["conflict", "undelete", "edited", "delete"]
    assert max(map(len, table[1:])) <= 80
    shown = disputed("show", "Support triage", terminal=True).well().out
    assert f"settle it: dssync resolve {TRIAGE}" in shown
    assert disputed("show", TRIAGE, "--json").document["result"]["state"] == "conflict"


# One side for all, one record, one field.


def test_ours_of_a_field_becomes_an_ordinary_change(disputed: Shell) -> None:
    said = disputed("resolve", "Small", "--ours").well().err
    assert 'kept ours: description of dataset "Small" (0199d003…)' in said
    assert "pending: 1 update, 3 conflicts" in said
    assert "take it back: dssync revert" in said
    assert changes(disputed) == {SMALL: {"description": "ours"}}
    assert SMALL not in conflicts(disputed)


def test_theirs_of_a_field_leaves_nothing_pending(disputed: Shell) -> None:
    disputed("resolve", "Small", "description", "--theirs").well()
    assert changes(disputed) == {}
    assert ours(SMALL, "description") == "theirs"
    assert disputed("list").out.count("conflict") == 2


def test_one_field_of_several(disputed: Shell) -> None:
    document = disputed("resolve", TRIAGE, "metadata", "--ours", "--json").well().document
    settled = {"remote": "prod", "kind": "dataset", "key": TRIAGE, "field": "metadata"}
    assert document["result"]["settled"] == [{**settled, "choice": "ours"}]
    assert document["result"]["pending"]["conflicts"] == 4
    assert conflicts(disputed)[TRIAGE] == ["description"]
    joined = {"owner": "bob", "split": "test", "deep": {"x": 5, "y": 1}, "mine": True}
    assert json.loads(ours(TRIAGE, "metadata")) == joined
    disputed("resolve", TRIAGE, "--theirs").well()
    assert changes(disputed)[TRIAGE] == {"metadata": joined}


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_only_the_keys_in_conflict_take_a_side(disputed: Shell, side: str) -> None:
    disputed("resolve", TRIAGE, f"--{side}").well()
    split = {"ours": "test", "theirs": "dev"}[side]
    joined = {"owner": "bob", "split": split, "deep": {"x": 5, "y": 1}, "mine": True}
    text = {"description": LONG.replace("brief", "short")} if side == "ours" else {}
    assert changes(disputed) == {TRIAGE: {**text, "metadata": joined}}


def test_ours_of_a_record_deleted_there_is_an_undelete_with_the_edits(disputed: Shell) -> None:
    said = disputed("resolve", "Billing", "--ours").well().err
    assert 'kept ours: dataset "Billing" (0199d002…) is not deleted' in said
    assert "pending: 1 undelete, 3 conflicts" in said
    edits = {"description": "edited here", "metadata": {"a": 2}, "deleted": False}
    assert changes(disputed) == {BILLING: edits}


def test_theirs_of_a_record_deleted_there_is_deleted(disputed: Shell) -> None:
    said = disputed("resolve", BILLING, "--theirs").well().err
    assert 'kept theirs: dataset "Billing" (0199d002…) is deleted' in said
    assert changes(disputed) == {}
    assert (ours(BILLING, "deleted"), ours(BILLING, "description")) == (1, "old")


def test_all_at_once(disputed: Shell) -> None:
    said = disputed("resolve", "--all", "--ours").well().err
    assert said.count("kept ours") == 5
    assert conflicts(disputed) == {}
    assert set(changes(disputed)) == set(ALL)
    assert "nothing is in conflict" in disputed("resolve", "--all", "--ours").well().err


def test_all_theirs(disputed: Shell) -> None:
    disputed("resolve", "--all", "--theirs").well()
    assert conflicts(disputed) == {}
    assert set(changes(disputed)) == {TRIAGE}


def test_a_settled_record_can_be_taken_back(disputed: Shell) -> None:
    disputed("resolve", "Small", "--ours").well()
    disputed("revert", "Small").well()
    assert ours(SMALL, "description") == "theirs"
    assert changes(disputed) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Calm", "--ours"), 'dataset "Calm" (0199d004…) is not in conflict'),
        (("--all", "--ours", "-r", "prod"), "kept ours"),
    ],
)
def test_what_is_not_in_conflict_is_no_mistake(
    disputed: Shell, words: tuple[str, ...], said: str
) -> None:
    assert said in disputed("resolve", *words).well().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Small",), "there is nobody to ask which side to keep"),
        (("--all",), "add --ours or --theirs"),
        (("--ours",), "say what to settle: a RECORD, or --all"),
        (("Small", "--all", "--ours"), "say what to settle: a RECORD, or --all"),
        (("Small", "--ours", "--theirs"), "--ours and --theirs cannot both be kept"),
        (("Small", "name", "--ours"), 'name of dataset "Small" (0199d003…) is not in conflict'),
        (("Nobody", "--ours"), "no record is called 'Nobody'"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    disputed: Shell, words: tuple[str, ...], said: str
) -> None:
    failed = disputed("resolve", *words)
    assert failed.code == 2
    assert said in failed.err
    assert conflicts(disputed) == ALL


# Asking.


def test_asks_field_by_field(disputed: Shell, editor: Editor) -> None:
    editor.will([('"test"', '"mine"')])
    asked = disputed("resolve", "--all", stdin="o\nt\nx\ns\n\nt\no\n", terminal=True).well()
    assert "keep [o]urs, [t]heirs, [s]kip, [q]uit?" in asked.err
    assert "answer with one of: o, t, e, s, q" in asked.err
    assert conflicts(disputed) == {TRIAGE: ["description"]}
    assert changes(disputed)[ITEM] == {"metadata": {"tags": ["a", "ours"]}}
    assert changes(disputed)[BILLING]["deleted"] is False


@pytest.mark.parametrize("stdin", ["o\nq\n", "o\n"], ids=["quit", "end of input"])
def test_what_was_decided_before_a_quit_is_kept(disputed: Shell, stdin: str) -> None:
    asked = disputed("resolve", "--all", stdin=stdin, terminal=True).well()
    assert "stopped; 1 decision kept" in asked.err
    assert set(conflicts(disputed)) == {SMALL, TRIAGE, ITEM}


def test_asks_about_the_fields_that_were_named(disputed: Shell) -> None:
    asked = disputed("resolve", TRIAGE, "metadata", stdin="o\n", terminal=True).well()
    assert asked.err.count("keep [o]urs") == 1
    assert conflicts(disputed)[TRIAGE] == ["description"]


def test_a_record_that_is_gone_is_asked_about_no_further(disputed: Shell) -> None:
    """Without our last edit the deletion there is no conflict any more."""
    asked = disputed("resolve", BILLING, stdin="t\n", terminal=True).well()
    assert asked.err.count("[q]uit?") == 1
    assert BILLING not in conflicts(disputed)
