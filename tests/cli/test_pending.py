"""What changes the working copy says what is pending, and how to see it or take it back."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from dssync.cli.app import app
from tests.cli.disputed import CALM, ITEM, SMALL, TRIAGE, Editor
from tests.cli.shell import Shell
from tests.cli.test_tree import leaves

CHANGING: Mapping[tuple[str, ...], Sequence[str]] = {
    ("set",): [CALM, "description", "new"],
    ("new", "dataset"): ["Made here"],
    ("new", "item"): [TRIAGE, "--input", "q"],
    ("edit",): [CALM],
    ("delete",): [CALM],
    ("undelete",): ["Gone"],
    ("revert",): [SMALL],
    ("import",): ["files"],
    ("resolve",): [SMALL, "--ours"],
    ("restore",): ["1", "--dataset", "Billing", "--discard"],
}
"""The commands that change the working copy, and a call of each that does."""

SENDING = {("pull",), ("push",), ("sync",), ("undo",), ("migrate",)}
"""They say it as well; their screens are tested with what they do."""

READING = {
    *(("status",), ("diff",), ("list",), ("show",), ("search",), ("log",), ("export",)),
    *(("init",), ("doctor",), ("sandbox",), ("completion",), ("demo",), ("datasette",)),
    *(("forget",), ("bundle",), ("snapshots",), ("verify",), ("drill",), ("backup",)),
    *(("remote", name) for name in ("add", "list", "check", "remove")),
}


def test_every_command_is_of_one_sort() -> None:
    assert {*CHANGING, *SENDING, *READING} == {path for path, _ in leaves(app, ())}


@pytest.fixture
def ready(disputed: Shell, editor: Editor) -> Shell:
    """Return a shell in which each of the calls has something to change."""
    disputed("new", "dataset", "Other edit").well()
    disputed("set", ITEM, "input", "edited").well()
    disputed("export", "files").well()
    for path in Path("files").glob("prod/*.json"):
        text = json.loads(path.read_text(encoding="utf-8"))
        if text.get("name") == "Calm":
            text["description"] = "from a file"
            path.write_text(json.dumps(text), encoding="utf-8")
    editor.will([("", "description: from an editor\n")])
    return disputed


@pytest.mark.parametrize("path", CHANGING, ids=" ".join)
def test_it_ends_with_what_is_pending(ready: Shell, path: tuple[str, ...]) -> None:
    if path == ("undelete",):
        ready("set", CALM, "name", "Gone").well()
        ready("delete", CALM).well()
    before = ready("diff", "--json").well().document["result"]
    said = ready(*path, *CHANGING[path]).well().err
    assert ready("diff", "--json").well().document["result"] != before
    head, _, end = said.rpartition("pending: ")
    assert head
    assert "see it: dssync diff; send it: dssync push; take it back: dssync revert" in end
    assert "see the conflicts and settle them: dssync resolve" in end


def test_an_edit_of_a_conflict_that_decides_nothing_is_a_no(ready: Shell, editor: Editor) -> None:
    editor.will()
    shown = ready("resolve", SMALL, "--edit")
    assert shown.code == 6
    assert "nothing was decided, so nothing was settled" in shown.err
    assert "--ours or --theirs" in shown.last
    assert ready("resolve", SMALL, "--edit", "--json").document["error"]["code"] == "declined"
