"""`dssync edit`: what is opened, what is taken from it, and what brings the file back."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.reviewing import BOT, key_of, sql
from tests.cli.shell import Result, Shell

Change = Callable[[str], str]

EDITOR = """\
import pathlib, sys
steps = pathlib.Path(sys.argv[1])
page = pathlib.Path(sys.argv[2])
count = len(list(steps.glob("seen-*")))
(steps / f"seen-{count}").write_bytes(page.read_bytes())
step = steps / f"step-{count}"
if step.exists():
    exec(step.read_text())
"""


class Editor:
    """An editor that keeps what it was shown, and saves what `steps` make of it, one after the
    other; without a step it saves what it was shown."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._steps = folder
        script = folder / "editor.py"
        script.write_text(EDITOR)
        words = [sys.executable, str(script), str(folder)]
        monkeypatch.setenv("VISUAL", shlex.join(words))

    def will(self, *steps: str) -> None:
        """Run these statements at each opening; `page` is the file's path."""
        for old in self._steps.glob("s[te]*-*"):
            old.unlink()
        for at, step in enumerate(steps):
            (self._steps / f"step-{at}").write_text(step)

    def replace(self, *pairs: tuple[str, str]) -> None:
        """Replace text, one pair at each opening; what is not there is an error."""
        self.will(*(_replacing(old, new) for old, new in pairs))

    @property
    def seen(self) -> list[str]:
        return [path.read_text() for path in sorted(self._steps.glob("seen-*"))]


def _replacing(old: str, new: str) -> str:
    return (
        "text = page.read_text()\n"
        f"assert {old!r} in text, text\n"
        f"page.write_text(text.replace({old!r}, {new!r}, 1))\n"
    )


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    folder = tmp_path / "editor"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return Editor(folder, monkeypatch)


def items(name: str = BOT) -> list[tuple[Any, ...]]:
    return sql("SELECT key, input FROM items WHERE dataset = ? ORDER BY key", key_of(name))


def kept_text(result: Result) -> str:
    found = re.search(r"what you wrote is kept in\s+(\S+)", result.err)
    assert found, result.err
    return Path(found[1]).read_text()


def test_a_dataset_opens_as_yaml_and_what_was_changed_becomes_an_edit(
    offline: Shell, editor: Editor
) -> None:
    editor.replace(("description: |-\n  Questions", "description: |-\n  More questions"))
    result = offline("edit", BOT).well()
    assert f'key: {key_of(BOT)}\nname: "{BOT}"\ndescription: |-\n' in editor.seen[0]
    assert result.err.splitlines() == [
        f'edited dataset "{BOT}" ({key_of(BOT)[:8]}…)',
        "pending: 1 update",
        "  see it: dssync diff; send it: dssync push; take it back: dssync revert --all",
    ]
    [change] = offline("diff", "--json").well().document["result"]["changes"]
    assert [field["field"] for field in change["fields"]] == ["description"]


@pytest.mark.parametrize(
    "step",
    ["", "page.write_text('')", "page.write_text('# nothing\\n\\n')", "page.touch()"],
    ids=["unchanged", "empty", "comments", "touched"],
)
def test_an_empty_or_unchanged_file_changes_nothing(
    offline: Shell, editor: Editor, step: str
) -> None:
    editor.will(step)
    before = sql("SELECT * FROM datasets")
    result = offline("edit", BOT).well()
    assert result.err.splitlines() == ["nothing was changed", "pending: nothing"]
    assert sql("SELECT * FROM datasets") == before


def test_what_is_only_written_otherwise_is_no_edit(offline: Shell, editor: Editor) -> None:
    editor.will("page.write_text(page.read_text().replace('|-', '|') + '\\n\\n# a remark\\n')")
    assert "pending: nothing" in offline("edit", BOT).well().err


def test_items_are_edited_made_and_kept(offline: Shell, editor: Editor) -> None:
    before = items()
    gone, changed = before[0][0], before[1][0]
    editor.will(
        "import re\n"
        "text = page.read_text()\n"
        f"text = re.sub(r'- key: {gone}\\n(  .*\\n)*', '', text)\n"
        f"mended = r'(- key: {changed}\\n(?:  .*\\n)*?  metadata:\\n)'\n"
        "text = re.sub(mended, r'\\1    mended: true\\n', text)\n"
        "page.write_text(text + '- input:\\n    question: New?\\n  expected_output: Yes\\n')\n"
    )
    result = offline("edit", BOT, "--items").well()
    assert "1 item not in the file any more, and kept" in result.err
    assert "pending: 1 create, 1 update" in result.err
    [(key,)] = sql("SELECT key FROM items WHERE id IS NULL")
    assert f"made item {key}" in result.err
    assert sql("SELECT input, expected_output FROM items WHERE id IS NULL") == [
        ('{"question":"New?"}', '"Yes"')
    ]
    assert sql("SELECT metadata ->> 'mended' FROM items WHERE key = ?", changed) == [(1,)]


def test_items_that_are_gone_from_the_file_are_deleted_when_asked_for(
    offline: Shell, editor: Editor
) -> None:
    first = items()[0][0]
    editor.will(
        "import re\ntext = page.read_text()\n"
        f"page.write_text(re.sub(r'- key: {first}\\n(  .*\\n)*', '', text))\n"
    )
    result = offline("edit", BOT, "--items", "--delete-missing").well()
    assert f"deleted item {first}" in result.err
    assert "pending: 1 delete" in result.err


def test_deleting_too_much_is_stopped(offline: Shell, editor: Editor) -> None:
    editor.will(
        "text = page.read_text()\npage.write_text(text[: text.index('items:')] + 'items: []\\n')\n"
    )
    result = offline("edit", BOT, "--items", "--delete-missing", "--max-delete", "1")
    assert (result.code, sql("SELECT 1 FROM items WHERE deleted")) == (8, [])
    assert "--max-delete" in result.err
    assert "items: []" in kept_text(result)
    editor.will("page.write_text(page.read_text()[: page.read_text().index('items:')])")
    assert "pending: nothing" in offline("edit", BOT, "--items", "--delete-missing").well().err


MISTAKES = [
    ("name: ", "name: [", "page", "expected"),
    ("name: ", "title: x\nname: ", "title: x", "a dataset has no field title"),
    ("name: ", "name: 12 # ", "name: 12", "name is text"),
    ("key: ", "key: x", "key: x", "key never changes"),
    ("items:\n- key: ", "items:\n- key: x", "- key: x", "no item here has this key"),
    ("items:\n- ", "items:\n- 12\n- ", "- 12", "an item must hold names and values"),
    ("\nitems:", "\nmetadata: {a: 36893488147419103232}\nitems:", "metadata", "stands twice"),
    ("items:\n- ", "items:\n- input: .nan\n- ", "- input: .nan", "no number that JSON has"),
    ("items:\n- ", "items:\n- input: 36893488147419103232\n- ", "- input: 3689", "64 bits"),
    ("items:\n- ", "items:\n- input: {a: 1, a: 2}\n- ", "- input: {a", '"a" stands twice'),
    ("items:\n- ", "items:\n- input: 1\n  trace_timestamp: no\n- ", "  trace_t", "ISO 8601"),
    ("items:\n- ", "items:\n- input: *link\n- ", "- input: *", "needs quotes"),
    ("items:\n- ", "items:\n- input: &a 1\n- ", "- input: &a", "needs quotes"),
    ("items:\n- ", "items:\n- input: !!set {a}\n- ", "- input: !!", "needs quotes"),
    ("items:\n- ", "items:\n- input: 1\n---\nitems:\n- ", "---", "second document"),
    ("items:\n- ", "items:\n\t- ", "\t- ", "cannot start any token"),
]


@pytest.mark.parametrize(("old", "new", "at", "reason"), MISTAKES, ids=[m[3] for m in MISTAKES])
def test_a_mistake_brings_the_file_back_with_what_is_wrong_at_its_line(
    offline: Shell, editor: Editor, old: str, new: str, at: str, reason: str
) -> None:
    editor.will(_replacing(old, new), "page.write_bytes((steps / 'seen-0').read_bytes())\n")
    result = offline("edit", BOT, "--items", terminal=True)
    assert result.code == 0, result.err
    first, again = editor.seen
    assert "pending: nothing" in result.err
    lines = again.split("\n")
    assert lines[0].startswith("#! 1 mistake; nothing was changed yet")
    told = re.fullmatch(r"#! line (\d+): (.*)", lines[2])
    assert told, lines[:4]
    number, said = int(told[1]), told[2]
    assert reason in said
    assert lines[number - 2].strip() == f"#! {said}"
    if at != "page":
        assert lines[number - 1].startswith(at)
    assert not first.startswith("#!")


def test_several_mistakes_each_stand_at_their_own_line(offline: Shell, editor: Editor) -> None:
    new = "items:\n- input: 1\n  colour: red\n- input: 2\n  shape: round\n  size: 3\n- "
    editor.replace(("items:\n- ", new), ("", "x"))
    offline("edit", BOT, "--items", terminal=True)
    lines = editor.seen[1].split("\n")
    assert lines[0].startswith("#! 3 mistakes")
    numbers = [int(line.split()[2].rstrip(":")) for line in lines[2:5]]
    assert [lines[n - 1].strip() for n in numbers] == ["colour: red", "shape: round", "size: 3"]


def test_a_mistake_that_stays_ends_the_command_and_keeps_the_text(
    offline: Shell, editor: Editor
) -> None:
    editor.replace(("name: ", "title: x\nname: "))
    result = offline("edit", BOT, terminal=True)
    assert result.code == 2
    assert "\n  line 6: a dataset has no field title" in result.err
    assert len(editor.seen) == 2
    assert "title: x" in kept_text(result)
    assert "#!" not in kept_text(result)


def test_without_a_person_a_mistake_ends_the_command_at_once(
    offline: Shell, editor: Editor
) -> None:
    editor.replace(("name: ", "title: x\nname: "))
    assert offline("edit", BOT).code == 2
    assert len(editor.seen) == 1


def test_one_refusal_and_nothing_is_changed(offline: Shell, editor: Editor) -> None:
    before = sql("SELECT * FROM items"), sql("SELECT * FROM datasets")
    long = "x" * 256
    editor.will(
        "text = page.read_text().replace('description: |-\\n  ', 'description: |-\\n  My ')\n"
        f"page.write_text(text + '- input: 1\\n  trace_id: {long}\\n')\n"
    )
    result = offline("edit", BOT, "--items")
    assert result.code == 2
    assert "256 characters" in result.err
    assert (sql("SELECT * FROM items"), sql("SELECT * FROM datasets")) == before


def meanwhile(statement: str) -> str:
    return (
        f"import sqlite3\nc = sqlite3.connect('mirror.db')\nc.execute({statement!r})\nc.commit()\n"
    )


def test_what_changed_meanwhile_is_not_overwritten(offline: Shell, editor: Editor) -> None:
    editor.will(
        meanwhile(f"UPDATE datasets SET description = 'Theirs' WHERE name = '{BOT}'")
        + _replacing("description: |-\n  ", "description: |-\n  My ")
    )
    result = offline("edit", BOT)
    assert result.code == 6
    assert "description was Questions" in result.err
    assert "is now Theirs, you wrote My Questions" in result.err
    assert "My Questions" in kept_text(result)
    assert sql("SELECT description FROM datasets WHERE name = ?", BOT) == [("Theirs",)]


def test_other_keys_of_the_same_field_are_joined(offline: Shell, editor: Editor) -> None:
    editor.will(
        meanwhile(
            "UPDATE datasets SET metadata = json_set(metadata, '$.theirs', 1),"
            f" description = 'Theirs' WHERE name = '{BOT}'"
        )
        + _replacing("metadata:\n", "metadata:\n  mine: 2\n")
    )
    offline("edit", BOT).well()
    [(metadata, description)] = sql(
        "SELECT metadata, description FROM datasets WHERE name = ?", BOT
    )
    assert ('"theirs":1' in metadata, '"mine":2' in metadata) == (True, True)
    assert description == "Theirs"


def test_a_record_deleted_meanwhile_stays_deleted(offline: Shell, editor: Editor) -> None:
    editor.will(
        meanwhile(f"UPDATE datasets SET deleted = 1 WHERE name = '{BOT}'")
        + _replacing("description: |-\n  ", "description: |-\n  My ")
    )
    result = offline("edit", BOT)
    assert (result.code, "was deleted" in result.err) == (6, True)


def test_an_item_is_edited_by_its_key(offline: Shell, editor: Editor) -> None:
    key = items()[0][0]
    editor.replace(("metadata:", "trace_id: t-9\nmetadata:"))
    offline("edit", key).well()
    assert sql("SELECT trace_id FROM items WHERE key = ?", key) == [("t-9",)]
    assert offline("edit", key, "--items").code == 2
    assert offline("edit", BOT, "--no-input").code == 2
    assert offline("edit", BOT, "--delete-missing").code == 2


def test_an_editor_that_fails_changes_nothing(
    offline: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "false")
    result = offline("edit", BOT)
    assert (result.code, "'false' ended with 1" in result.err) == (2, True)
