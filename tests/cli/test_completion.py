"""What a TAB is answered: candidates, or silence."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import click
import pytest

from dssync.cli.app import app
from dssync.cli.render.text import UNSAFE
from dssync.core import shell as bash
from tests.cli.disputed import ITEM, SMALL, TRIAGE
from tests.cli.shell import Shell
from tests.cli.test_tree import HEAVY, leaves

HOSTILE = ("a\nb", "c\td", "e\x1b[31m", "f\u202eg", "h\x9bi", "-j", "k\u2066l", "m\rn")


def candidates(dssync: Shell, *words: str) -> list[str]:
    answer = dssync("__complete", "zsh", *words).well()
    assert answer.err == ""
    return [line.partition("\t")[0] for line in answer.out.splitlines()[1:]]


def insert(name: str, folder: Path = Path(), **columns: object) -> str:
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as sql:
        names = ", ".join(["name", *columns])
        marks = ", ".join("?" * (len(columns) + 1))
        query = f"INSERT INTO datasets ({names}) VALUES ({marks}) RETURNING key"
        return str(sql.execute(query, (name, *columns.values())).fetchone()[0])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["pu"], ["pull", "push"]),
        (["remote", ""], ["add", "check", "list", "remove"]),
        (["show", "--quie"], ["--quiet"]),
        (["diff", "--format", ""], ["text", "json", "md"]),
        (["-r", ""], ["prod"]),
        (["list", "Cal"], ["Calm"]),
        (["list", "0199e"], []),
        (["show", ""], ["Billing", "Calm", "Small", "Support triage"]),
        (["show", SMALL[:8]], [SMALL]),
        (["show", ITEM[:6]], [ITEM]),
        (["new", "item", "Sup"], ["Support triage"]),
        (["search", "--dataset", "B"], ["Billing"]),
        (["set", "Sm"], ["Small"]),
        (["set", "Small", ""], ["name", "description", "metadata"]),
        (["set", ITEM, "in"], ["input"]),
        (["set", "--where", "1", "exp"], ["expected_output"]),
        (["set", "--where", "1", "input", ""], []),
        (["revert", ""], ["Billing", "Small", "Support triage", ITEM]),
        (["revert", "Small", ""], ["description"]),
        (["resolve", TRIAGE, ""], ["description", "metadata"]),
        (["resolve", "Ca"], []),
        (["undelete", ""], []),
        (["log", "1"], ["1"]),
        (["log", "--command", ""], ["pull"]),
        (["undo", ""], []),
        (["restore", ""], ["2", "1"]),
        (["forget", ""], ["2", "1"]),
        (["bundle", "file", "--at", ""], ["2", "1"]),
        (["show", "x", "--at", ""], ["2", "1"]),
        (["diff", "--at", ""], ["2", "1"]),
        (["doctor", "--repair", ""], []),
        (["list", "--dataset=x", "--", "Sm"], ["Small"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_candidates(disputed: Shell, words: Sequence[str], found: Sequence[str]) -> None:
    assert candidates(disputed, *words) == found


def test_an_answer_names_what_stands_beside_it(disputed: Shell) -> None:
    assert disputed("__complete", "zsh", "show", "Sm").out == "plain\nSmall\tdataset of prod\n"
    assert disputed("__complete", "zsh", "show", SMALL).out == f"plain\n{SMALL}\tSmall\n"
    assert disputed("__complete", "fish", "show", "'Support tr").out.endswith(
        "\nSupport triage\tdataset of prod\n"
    )


@pytest.mark.parametrize(
    ("words", "how"), [(["export", ""], "dir"), (["-C", ""], "dir"), (["push", ""], "file")]
)
def test_files_are_the_shells_matter(disputed: Shell, words: Sequence[str], how: str) -> None:
    assert disputed("__complete", "zsh", *words).well().out == f"{how}\n"


def test_hostile_names_are_offered_by_their_key(disputed: Shell) -> None:
    keys = {insert(name) for name in HOSTILE}
    answer = disputed("__complete", "zsh", "show", "").out
    assert keys < {line.partition("\t")[0] for line in answer.splitlines()}
    assert not UNSAFE.search(answer.replace("\n", "").replace("\t", ""))
    for name in HOSTILE:
        assert not candidates(disputed, "show", name[:2])
    key = keys.pop()
    assert candidates(disputed, "show", key) == [key]


def test_a_name_that_fits_two_is_offered_by_its_keys(disputed: Shell) -> None:
    keys = sorted(insert("Twin") for _ in range(2))
    assert candidates(disputed, "show", "Twin") == []
    assert candidates(disputed, "show", "new-") == keys
    disputed("delete", keys[0]).well()
    assert candidates(disputed, "show", "Twin") == ["Twin"]


def test_what_was_deleted_is_offered_to_undelete(disputed: Shell) -> None:
    disputed("delete", "Calm", ITEM).well()
    assert candidates(disputed, "undelete", "") == ["Calm", ITEM]
    assert "Calm" not in candidates(disputed, "show", "")


def test_many_items_begin_as_all_of_them_do(offline: Shell, folder: Path) -> None:
    with closing(sqlite3.connect("mirror.db", isolation_level=None)) as sql:
        [dataset, remote] = sql.execute("SELECT key, remote FROM datasets LIMIT 1").fetchone()
        rows = [(f"zz{number:04}", dataset, remote) for number in range(2000)]
        sql.execute("UPDATE gate SET run = 1")
        sql.executemany("INSERT INTO items (key, dataset, remote) VALUES (?, ?, ?)", rows)
    found = candidates(offline, "show", "zz")
    assert (len(found), found[0], found[-1]) == (100, "zz0000", "zz1999")
    assert candidates(offline, "show", "zz1999") == ["zz1999"]


def test_other_remotes_are_left_out(disputed: Shell) -> None:
    assert candidates(disputed, "-r", "other", "show", "") == []
    assert candidates(disputed, "-r", "prod", "show", "Sm") == ["Small"]


def test_the_mirror_and_the_folder_that_were_given_count(disputed: Shell, folder: Path) -> None:
    (folder / "there").mkdir()
    shutil.move("mirror.db", "there/other.db")
    assert candidates(disputed, "show", "") == []
    assert candidates(disputed, "--mirror", "there/other.db", "show", "Sm") == ["Small"]
    assert candidates(disputed, "-C", "there", "show", "--mirror", "other.db", "Sm") == ["Small"]


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as sql:
        sql.execute("CREATE TABLE datasets (key, name, remote, deleted)")
        sql.execute("INSERT INTO datasets VALUES ('Sm', 'Small', 'prod', 0)")
        sql.commit()


def no_configuration(path: Path) -> None:
    path.with_name("dssync.toml").write_text("mirror = [")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def no_columns(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as sql:
        sql.execute("PRAGMA legacy_alter_table = ON")
        sql.execute("ALTER TABLE datasets RENAME TO others")


@pytest.mark.parametrize(
    "harm",
    [
        Path.unlink,
        damaged,
        foreign,
        no_configuration,
        a_folder,
        no_columns,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no database at all"),
    ],
    ids=["none", "damaged", "foreign", "toml", "folder", "columns", "empty", "text"],
)
def test_a_mirror_that_cannot_be_read_is_silence(
    disputed: Shell, folder: Path, harm: Callable[[Path], object]
) -> None:
    harm(folder / "mirror.db")
    before = sorted(path.name for path in folder.iterdir())
    for words in (["show", "Sm"], ["log", ""], ["set", "Small", "x"], ["revert", ""]):
        answer = disputed("__complete", "zsh", *words)
        assert (answer.code, answer.out, answer.err) == (0, "plain\n", "")
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_locked_mirror_is_silence_at_once(disputed: Shell) -> None:
    with closing(sqlite3.connect("mirror.db", isolation_level=None)) as sql:
        sql.execute("PRAGMA journal_mode = DELETE")
        sql.execute("BEGIN EXCLUSIVE")
        sql.execute("INSERT INTO datasets (name) VALUES ('x')")
        assert candidates(disputed, "show", "Sm") in ([], ["Small"])


def test_nothing_is_left_beside_the_mirror(disputed: Shell, folder: Path) -> None:
    content = (folder / "mirror.db").read_bytes()
    assert candidates(disputed, "show", "Sm") == ["Small"]
    assert (folder / "mirror.db").read_bytes() == content
    assert [path.name for path in folder.iterdir()] == ["mirror.db"]


def test_what_a_running_program_wrote_is_seen(disputed: Shell) -> None:
    with closing(sqlite3.connect("mirror.db", isolation_level=None)) as sql:
        sql.execute("INSERT INTO datasets (name) VALUES ('Quite new')")
        assert candidates(disputed, "show", "Qu") == ["Quite new"]


def test_the_answer_loads_nothing_heavy(disputed: Shell) -> None:
    program = (
        "import sys; from dssync.cli.app import run; from dssync.cli.options import Given;"
        "code = run(['__complete', 'bash', 'dssync show Sm', 'Sm'], Given());"
        "print('|', *sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "plain\nSmall\n"
    assert set(done.stderr.partition("|")[2].split()) & HEAVY == {"sqlite3"}


WITHOUT = {"name", "field", "text", "datasets", "items"}
"""What is new, or only the person can know."""


def test_every_argument_can_be_completed_or_says_why_not() -> None:
    for path, leaf in leaves(app, ()):
        for parameter in leaf.params:
            own = parameter._custom_shell_complete is not None
            typed = not isinstance(parameter.type, click.types.StringParamType)
            if isinstance(parameter, click.Argument) and not own and not typed:
                assert parameter.name in WITHOUT, (path, parameter.name)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed(dssync: Shell, shell: str) -> None:
    script = dssync("completion", shell).well().out
    assert f"__complete {shell}" in script
    assert dssync("completion", shell, "--json").well().document["result"]["script"] == script


@pytest.mark.parametrize(
    ("line", "replaced", "whole", "written"),
    [
        ("dssync show Sup", "Sup", "Support triage", r"Support\ triage"),
        ("dssync show a:b", "b", "a:bc d", r"bc\ d"),
        ("dssync show a:b", "b", "x:bc", None),
        ("dssync show 'it", "it", "it's", None),
        ("dssync show 'it", "it", "it is $x", "it is $x"),
        ('dssync show "b', "b", "bang!", None),
        ('dssync show "b', "b", 'b"$`\\', r"b\"\$\`\\"),
        ("dssync show b", "b", "b~#!é", r"b\~\#\!é"),
        ("dssync show x\\", "x\\", "xy", "xy"),
        ("dssync show", "other", "x", None),
        ("dssync show a b", "a b", "a b c", None),
    ],
)
def test_a_candidate_as_bash_must_write_it(
    line: str, replaced: str, whole: str, written: str | None
) -> None:
    assert bash.rest(line, replaced, whole) == written


@pytest.mark.parametrize("quote", ["", "'", '"'])
@pytest.mark.parametrize(
    "text", ["plain", "two words", "$HOME `x` \\ {a,b} *?[z]", "~é日\u0301#=;&|<>()"]
)
def test_bash_reads_back_what_is_written(quote: bash.Quote, text: str) -> None:
    written = bash.written(text, quote)
    assert written is not None
    assert bash.words(f"x {quote}{written}{quote}")[-1].text == text
    done = subprocess.run(
        ["bash", "-c", f"printf %s {quote}{written}{quote}"], capture_output=True, text=True
    )
    assert done.stdout == text
