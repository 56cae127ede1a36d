"""`dssync migrate` as a person sees it."""

from pathlib import Path

import pytest

from dssync.sandbox import Fault, Sandbox
from tests.cli.golden import check_screen
from tests.cli.reviewing import BOT, RAG
from tests.cli.shell import Shell
from tests.cli.test_plan_screens import at_most_80
from tests.cli.test_writes_nothing import contents


@pytest.fixture
def two(pulled: Shell, sandbox: Sandbox, url: str) -> Shell:
    """Two projects, the second with a dataset of its own."""
    sandbox.add_project(2, "Spare")
    home = sandbox.state.insert("dataset", 2, name="Their own")
    sandbox.state.insert("item", 2, dataset=home, input="theirs")
    pulled("remote", "add", "spare", "--host", url, "--project", "2").well()
    return pulled


def test_once_and_again(two: Shell, sandbox: Sandbox) -> None:
    done = two("migrate", "prod", "spare", "-y").well()
    at_most_80(done.err)
    check_screen("migrate.txt", done.err)
    assert done.out == ""
    sandbox.log.clear()
    again = two("migrate", "prod", "spare", "-y").well()
    check_screen("migrate-again.txt", again.err)
    assert all(entry.method == "GET" for entry in sandbox.log)


def test_a_look_prints_the_plan_and_touches_nothing(
    two: Shell, sandbox: Sandbox, folder: Path
) -> None:
    two("pull").well()
    before = contents(folder)
    sandbox.log.clear()
    shown = two("migrate", "prod", "spare", "--dataset", RAG, "-n", "-o", "plan.json").well()
    assert sandbox.log == []
    assert {**contents(folder), "plan.json": None} == {**before, "plan.json": None}
    assert (folder / "plan.json").stat().st_size
    assert "what will not survive:" in shown.err
    assert f'create dataset "{RAG}"' in shown.out
    digest = shown.out.rsplit("--checksum ", 1)[1].strip()
    wrong = two("migrate", "prod", "spare", "--checksum", digest)
    assert (wrong.code, "not the one that was approved" in wrong.err) == (6, True)
    consented = ("migrate", "prod", "spare", "--dataset", RAG, "--checksum", digest)
    two(*consented).well()
    again = two(*consented).well()
    assert "applied" in again.err
    sandbox.state.insert("dataset", name=f"{RAG}!")
    assert two(*consented[:-3], f"{RAG}*", *consented[-2:]).code == 6


def test_a_conflict_is_shown_and_resolved(two: Shell, sandbox: Sandbox) -> None:
    two("migrate", "prod", "spare", "-y").well()
    for project in (1, 2):
        [row] = [r for r in sandbox.state.rows("dataset", project) if r["name"] == BOT]
        sandbox.state.update("dataset", row["id"], description=f"said in {project} \x1b[31m")
    clash = two("migrate", "prod", "spare", "-y")
    assert clash.code == 4
    at_most_80(clash.err)
    check_screen("migrate-conflict.txt", clash.err)
    two("resolve", "--all", "--ours").well()
    two("push", "-y").well()
    assert "nothing to migrate" in two("migrate", "prod", "spare", "-y").well().err


def test_edits_that_are_not_pushed_are_not_copied(two: Shell, sandbox: Sandbox) -> None:
    two("set", BOT, "description", "mine").well()
    done = two("migrate", "prod", "spare", "--dataset", BOT, "-y").well()
    assert "1 pending change of prod not pushed yet, and so not copied" in done.err
    [copy] = [row for row in sandbox.state.rows("dataset", 2) if row["name"] == BOT]
    assert copy["description"] != "mine"


def test_a_question_is_asked_and_no_is_no(two: Shell, sandbox: Sandbox) -> None:
    unasked = two("migrate", "prod", "spare")
    assert (unasked.code, "nobody to ask" in unasked.err) == (2, True)
    sandbox.log.clear()
    said = two("migrate", "prod", "spare", stdin="n\n", terminal=True)
    assert (said.code, "nothing was sent" in said.err) == (6, True)
    assert all(entry.method == "GET" for entry in sandbox.log)
    assert "pending: nothing" in two("status").well().out


def test_refused_records_are_named(two: Shell, sandbox: Sandbox) -> None:
    words = {"type": "validation_error", "code": "x", "detail": "Too odd.", "attr": "input"}
    fault = Fault("status", 400, method="POST", path="dataset_items", nth=3, times=5, body=words)
    sandbox.faults.add(fault)
    done = two("migrate", "prod", "spare", "-y", "-v", "--json")
    assert done.code == 3
    entries = done.document["receipt"]["entries"]
    failed = [entry for entry in entries if entry["outcome"] == "failed"]
    assert [entry["reason"] for entry in failed] == ["the server answered 400: input: Too odd."] * 5
    assert len({entry["key"] for entry in failed}) == 5
    assert all(e["reason"].startswith("verified") for e in entries if e["outcome"] == "applied")
    assert two("migrate", "prod", "spare", "-y").well().err.count("compared value by value") == 1


def test_from_a_bundle(two: Shell, sandbox: Sandbox) -> None:
    two("bundle", "old.tar", "-r", "prod").well()
    sandbox.log.clear()
    done = two("migrate", "old.tar", "spare", "-y").well()
    assert "old.tar, snapshot 1 of prod" in done.err
    assert not [entry for entry in sandbox.log if "/projects/1/" in entry.path]
    assert "nothing to migrate" in two("migrate", "old.tar", "spare", "-y").well().err


def test_an_undo_takes_a_migration_back(two: Shell, sandbox: Sandbox) -> None:
    two("migrate", "prod", "spare", "--dataset", RAG, "-y").well()
    run = two("log", "-n", "20").well().out
    [number] = [line.split("\t")[0] for line in run.splitlines() if "migrate" in line]
    two("undo", number, "-y").well()
    assert [row["name"] for row in sandbox.state.rows("dataset", 2)] == ["Their own"]
    again = two("migrate", "prod", "spare", "--dataset", RAG, "-y").well()
    at_most_80(again.err)
    assert "nothing to migrate\n" in again.err
    assert "deleted in spare since they were copied: 1 dataset and " in again.err


def test_edits_that_wait_here_are_told(two: Shell) -> None:
    two("set", BOT, "description", "mine", "-r", "prod").well()
    told = two("migrate", "prod", "spare", "--dataset", RAG, "-y").well().err
    assert "not pushed yet, and so not copied" in " ".join(told.split())
    again = two("migrate", "prod", "spare", "--dataset", RAG, "--match", "-y").well().err
    assert "nothing to migrate\n" in again
    assert "taken over" not in again


def test_a_name_that_two_datasets_have_is_told_once(two: Shell, sandbox: Sandbox) -> None:
    for project in (1, 1, 2):
        sandbox.state.insert("dataset", project, name="twin")
    told = two("migrate", "prod", "spare", "--dataset", "twin", "-y").well().err
    assert told.count('"twin"') == 2
    assert '+ 2 datasets called "twin"' in told


def test_a_look_at_one_dataset_fits_the_screen(two: Shell) -> None:
    two("pull").well()
    shown = two("migrate", "prod", "spare", "--dataset", RAG, "-n").well()
    at_most_80(shown.out)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("prod", "prod", "-y"), 2, "a copy in the same remote needs another name"),
        (("prod", "spare", "--as", "x", "--prefix", "y", "-y"), 2, "both name the copy"),
        (("prod", "nowhere", "-y"), 2, "no remote is called nowhere"),
        (("nowhere", "spare", "-y"), 2, "no remote is called nowhere"),
        (("prod", "spare", "--dataset", "no*", "-y"), 2, "prod has no dataset 'no*'"),
        (("prod", "spare", "--at", "77", "-y"), 2, "there is no snapshot 77 of prod"),
        (("prod", "spare", "-n"), 2, "the mirror has not met spare yet"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    two: Shell, words: tuple[str, ...], code: int, sentence: str
) -> None:
    failed = two("migrate", *words)
    assert (failed.code, sentence in failed.err) == (code, True), failed.err
