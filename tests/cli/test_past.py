"""The past on the screen: which snapshots go and why, a record of then, what became of all."""

import json
import sqlite3
from pathlib import Path

import pytest

from dssync.sandbox import Sandbox
from tests.cli.golden import check_screen
from tests.cli.reviewing import BOT, RAG, SQL
from tests.cli.shell import Shell


@pytest.fixture
def aged(pulled: Shell, sandbox: Sandbox) -> Shell:
    """Four pulls; between them somebody changes, deletes and makes records."""
    state = sandbox.state
    ids = {row["name"]: row["id"] for row in state.rows("dataset")}
    state.update("dataset", ids[BOT], description="Of the autumn")
    pulled("pull").well()
    state.update("dataset", ids[BOT], description="Of the winter")
    state.update("dataset", ids[RAG], deleted=True)
    pulled("pull").well()
    made = "0199aaaa-0000-7000-8000-000000000001"
    state.insert("dataset", id=made, name="Made later", metadata={"owner": "ana"})
    pulled("pull").well()
    return pulled


def test_a_preview_names_the_rules(aged: Shell, folder: Path) -> None:
    before = (folder / "mirror.db").read_bytes()
    shown = aged("forget", "--keep-last", "2", "--keep-yearly", "1", "-n", terminal=True).well()
    check_screen("forget.txt", shown.out + shown.err)
    assert (folder / "mirror.db").read_bytes() == before


def test_forgetting_asks_and_is_a_run_of_the_log(aged: Shell) -> None:
    words = ("forget", "--keep-last", "2", "--prune")
    refused = aged(*words)
    assert (refused.code, "add -y" in refused.err) == (2, True)
    no = aged(*words, terminal=True, stdin="n\n")
    assert (no.code, "Forget 2 snapshots and free what no other" in no.err) == (6, True)
    assert [s["forgotten"] for s in verdicts(aged, "--keep-last", "4")] == [False] * 4
    yes = aged(*words, terminal=True, stdin="y\n").well()
    assert "prod: 2 snapshots forgotten, 2 kept, 3 states pruned" in yes.err
    assert [s["run"] for s in verdicts(aged, "--keep-last", "4")] == [3, 4]
    assert aged("log").well().out.splitlines()[0].split("\t")[2:] == [
        "forget",
        "",
        "0",
        "prod: 2 snapshots forgotten, 2 kept, 3 states pruned",
    ]
    assert aged(*words, "-y", "-q").well().err == ""


def test_what_was_forgotten_before_is_pruned_alone(aged: Shell) -> None:
    aged("forget", "1", "2", "-y").well()
    done = aged("forget", "--prune", "-y").well()
    assert "prod: 0 snapshots forgotten, 2 kept, 3 states pruned" in done.err
    assert [s["run"] for s in verdicts(aged, "--keep-last", "4")] == [3, 4]


def verdicts(shell: Shell, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (
        shell("--json", "forget", *words, "-n").well().document["result"]["snapshots"]
    )
    return found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no policy says which snapshots to keep"),
        (("--keep-daily", "0"), "Invalid value for '--keep-daily'"),
        (("--keep-within", "3x"), "no span such as 30d"),
        (("--keep-daily", "1", "--time-zone", "Mars/Base"), "no time zone is called 'Mars/Base'"),
        (("--keep-daily", "1", "3"), "give one of them"),
        (("4",), "snapshot 4 is the newest complete one of prod"),
        (("9",), "run 9 has no snapshot"),
    ],
)
def test_what_is_refused_forgets_nothing(aged: Shell, words: tuple[str, ...], said: str) -> None:
    refused = aged("forget", *words, "-y")
    assert (refused.code, said in refused.err) == (2, True), refused.err
    assert len(verdicts(aged, "--keep-last", "1")) == 4


def test_the_configuration_says_what_to_keep(aged: Shell, folder: Path) -> None:
    file = folder / "dssync.toml"
    text = file.read_text()
    file.write_text(f'{text}\n[forget]\nkeep_last = 3\ntime_zone = "Europe/Berlin"\n')
    assert [s["kept_by"] for s in verdicts(aged)] == [[], ["last"], ["last"], ["newest", "last"]]
    file.write_text(f"{text}\n[forget]\nkeep_last = 3\n[remotes.prod.forget]\nkeep_last = 2\n")
    assert [s["forgotten"] for s in verdicts(aged)] == [True, True, False, False]
    assert [s["forgotten"] for s in verdicts(aged, "--keep-last", "1")] == [True] * 3 + [False]
    for wrong, said in (
        ("keep_dayly = 1", "unknown entry keep_dayly"),
        ("keep_daily = 0", "from 1 on"),
        ('time_zone = "Mars"', "no time zone"),
    ):
        file.write_text(f"{text}\n[forget]\n{wrong}\n")
        refused = aged("forget", "-n")
        assert (refused.code, said in refused.err) == (2, True), refused.err


def test_what_became_of_all_since_a_run(aged: Shell) -> None:
    shown = aged("diff", "--at", "1").well()
    check_screen("diff_at.txt", shown.out)
    markdown = aged("diff", "--at", "1", "--format", "md").well()
    check_screen("diff_at.md", markdown.out)
    assert aged("diff", "--at", "1", "--exit-code").code == 20
    back = aged("--json", "diff", "--at", "4", "--at", "1").well().document["result"]
    assert back["remotes"] == [{"remote": "prod", "from_run": 4, "to_run": 1}]
    assert back["counts"] == {"update": 1, "delete": 1, "undelete": 1}
    assert aged("diff", "--at", "2", "--at", "2", "--exit-code").well().out == ""


def test_a_record_as_it_was(aged: Shell) -> None:
    def description(*words: str) -> object:
        return json.loads(aged("show", BOT, *words).well().out)["values"]["description"]

    assert description("--at", "2") == description("--at", "2") == "Of the autumn"
    aged("set", BOT, "description", "Mine").well()
    assert [description(), description("--at", "4")] == ["Mine", "Of the winter"]
    assert description("--at", "2999-01-01") == "Of the winter"
    assert "as of    run 1" in aged("show", SQL, "--at", "1", terminal=True).well().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "Made later", "--at", "3"), "prod did not have dataset Made later at run 3"),
        (("show", BOT, "--at", "99"), "there is no run 99"),
        (("show", BOT, "--at", "2001-01-01"), "no snapshot of prod is as old as 2001-01-01"),
        (("show", BOT, "--at", "soon"), "neither a snapshot's number nor a time"),
        (("show", BOT, "--at", "1"), "what prod held at run 1 was pruned"),
        (("diff", "--at", "1"), "what prod held at run 1 was pruned"),
        (("diff", "--at", "3", "--at", "4", "--at", "4"), "two moments at most"),
        (("diff", "--at", "3", "-o", "x.json"), "-o saves what a push would send"),
    ],
)
def test_what_is_not_known_is_refused_by_name(
    aged: Shell, words: tuple[str, ...], said: str
) -> None:
    aged("forget", "1", "2", "--prune", "-y").well()
    refused = aged(*words)
    assert (refused.code, said in refused.err) == (2, True), refused.err


def test_damage_is_said(aged: Shell, folder: Path) -> None:
    aged("diff", "--at", "3").well()
    with sqlite3.connect(folder / "mirror.db") as connection:
        connection.execute(
            "UPDATE datasets_history SET digest = x'00' || digest, description = 'x'"
            " WHERE until_run = 3"
        )
    damaged = aged("diff", "--at", "2")
    said = " ".join(damaged.err.split())
    assert (damaged.code, "is not what the server sent" in said) == (9, True)
    assert aged("show", BOT, "--at", "2").code == 9
