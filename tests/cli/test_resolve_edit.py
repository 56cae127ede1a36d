"""`dssync resolve --edit`, with an editor that does as it was told."""

import shlex
import sys
from pathlib import Path

import pytest

from dssync.cli.render.resolve_sheet import CUT
from tests.cli.disputed import ALL, SMALL, TRIAGE, Editor, changes, conflicts, ours
from tests.cli.shell import Shell


def test_an_edited_text_is_kept(disputed: Shell, editor: Editor) -> None:
    editor.will([("ours\n", "what we\nagreed on\n")])
    said = disputed("resolve", "Small", "--edit").well().err
    assert 'kept what you wrote: description of dataset "Small" (0199d003…)' in said
    assert changes(disputed) == {SMALL: {"description": "what we\nagreed on"}}
    assert editor.name == "description.txt"
    assert editor.seen() == (
        "ours\n"
        "# ------------------------ >8 ------------------------\n"
        '# Above stands the value to keep: description of dataset "Small" (0199d003…),\n'
        "# changed on both sides.\n"
        "# Nothing is decided when it stays as it is, or when it is empty.\n"
        "#\n# base:\n#   old\n#\n# theirs:\n#   theirs\n#\n# ours:\n#   ours\n"
    )


def test_keys_are_edited_between_markers(disputed: Shell, editor: Editor) -> None:
    markers = '<<<<<<< ours\n  "split": "test",\n=======\n  "split": "dev",\n>>>>>>> theirs\n'
    editor.will([(markers, '  "split": "both",\n')])
    disputed("resolve", TRIAGE, "metadata", "--edit").well()
    assert editor.name == "metadata.json"
    assert '  "owner": "bob",\n' in editor.seen()
    disputed("resolve", TRIAGE, "--theirs").well()
    joined = {"owner": "bob", "split": "both", "deep": {"x": 5, "y": 1}, "mine": True}
    assert changes(disputed) == {TRIAGE: {"metadata": joined}}


def test_the_editor_opens_for_each_field(disputed: Shell, editor: Editor) -> None:
    editor.will(
        [("short", "terse")],
        [("<<<<<<< ours\n", ""), ('=======\n  "split": "dev",\n>>>>>>> theirs\n', "")],
    )
    disputed("resolve", TRIAGE, "--edit").well()
    assert editor.times == 2
    assert TRIAGE not in conflicts(disputed)


@pytest.mark.parametrize("answer", [[], [("", "")], [("ours\n", "\n  \n")]])
def test_nothing_is_decided_by_an_unchanged_or_empty_file(
    disputed: Shell, editor: Editor, answer: list[tuple[str, str]]
) -> None:
    editor.will(answer)
    said = disputed("resolve", "Small", "--edit")
    assert said.code == 6
    assert "nothing was written" in said.err
    assert conflicts(disputed) == ALL


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ([('"mine": true', '"mine": tru')], "# dssync: conflict markers are left in line"),
        ([("<<<<<<< ours\n", ""), ("=======\n", "")], "markers are left in line 9"),
        ([("", f'{{"a": tru}}\n{CUT}\n')],
         "# dssync: it is not JSON (Expecting value: line 1"),
        ([("", f'{{"a": 1, "a": 2}}\n{CUT}\n')],
         "# dssync: the key 'a' stands twice"),
        ([("", f"{2**64}\n{CUT}\n")],
         "# dssync: an integer needs more than 64 bits"),
        ([("", '{"a": 1}\n')], "# dssync: the line with >8 is gone"),
    ],
)  # fmt: skip
def test_a_mistake_opens_the_file_again(
    disputed: Shell, editor: Editor, broken: list[tuple[str, str]], said: str
) -> None:
    good = f'{{"a": [1,],}}\n{CUT}\n'
    editor.will(broken, [("", good)])
    disputed("resolve", TRIAGE, "metadata", "--edit", terminal=True).well()
    assert said in editor.seen(2).split("\n")[0]
    disputed("resolve", TRIAGE, "--theirs").well()
    assert changes(disputed) == {TRIAGE: {"metadata": {"a": [1]}}}


def test_a_mistake_left_as_it_is_decides_nothing(disputed: Shell, editor: Editor) -> None:
    editor.will([('"mine": true', '"mine": tru')])
    said = disputed("resolve", TRIAGE, "metadata", "--edit", terminal=True)
    assert said.code == 6
    assert editor.times == 2
    assert "nothing was written" in said.err
    assert conflicts(disputed) == ALL


def test_a_mistake_without_a_terminal_is_an_error(disputed: Shell, editor: Editor) -> None:
    editor.will([('"mine": true', '"mine": tru')])
    failed = disputed("resolve", TRIAGE, "metadata", "--edit")
    assert failed.code == 2
    assert "metadata was not settled: conflict markers are left" in failed.err
    assert conflicts(disputed) == ALL


def test_whether_a_record_lives_is_not_edited(disputed: Shell, editor: Editor) -> None:
    said = disputed("resolve", "Billing", "--edit")
    assert said.code == 6
    assert "is decided with --ours or --theirs" in said.err
    assert editor.times == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/nowhere/editor", "the editor '/nowhere/editor' cannot be run"),
        ("false", "the editor 'false' ended with 1, so nothing was changed"),
        ("'", "cannot be run"),
        ("rm", "what rm saved cannot be read"),
        ("sh -c 'printf \"\\377\" > $0'", "cannot be read"),
    ],
)
def test_an_editor_that_fails_is_a_sentence(
    disputed: Shell, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    monkeypatch.setenv("VISUAL", command)
    failed = disputed("resolve", "Small", "--edit")
    assert failed.code == 2
    assert said in failed.err
    assert conflicts(disputed) == ALL


def test_text_that_would_garble_an_editor_is_edited_as_json(
    disputed: Shell, editor: Editor
) -> None:
    disputed("set", "Small", "description", "a\x1b[31m\u202eb\n# dssync: c").well()
    editor.will([("b\\n", "B\\n")])
    disputed("resolve", "Small", "--edit").well()
    shown = editor.seen()
    assert shown.startswith('"a\\u001b[31m\\u202eb\\n# dssync: c"\n')
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert ours(SMALL, "description") == "a\x1b[31m\u202eB\n# dssync: c"


def test_a_conflict_that_moved_while_it_was_edited_is_not_settled(
    disputed: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody edits the record in another window."""
    query = f"UPDATE datasets SET description = 'other' WHERE key = '{SMALL}'"
    script = folder / "edit.py"
    script.write_text(
        "import sqlite3, sys\n"
        "with sqlite3.connect('mirror.db') as connection:\n"
        f'    connection.execute("{query}")\n'
        f"open(sys.argv[-1], 'w').write('mine\\n{CUT}\\n')\n"
    )
    monkeypatch.setenv("VISUAL", shlex.join([sys.executable, str(script)]))
    failed = disputed("resolve", "Small", "--edit")
    assert failed.code == 2
    assert "moved while you decided" in failed.err
    assert ours(SMALL, "description") == "other"
    assert conflicts(disputed) == ALL
