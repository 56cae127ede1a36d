"""What was reviewed is what is sent: saved plans, digests, and what becomes of them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dssync.sandbox import Fault, Sandbox
from tests.cli.shell import Result, Shell

BOT = "Support bot: golden answers"
RAG = "RAG: handbook questions"
SQL = "Text to SQL: shop schema"


def sql(statement: str, *arguments: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect("mirror.db", isolation_level=None)) as connection:
        return connection.execute(statement, arguments).fetchall()


def key_of(name: str) -> str:
    [(key,)] = sql("SELECT key FROM datasets WHERE name = ?", name)
    return str(key)


@pytest.fixture
def edited(pulled: Shell, sandbox: Sandbox) -> Shell:
    """Three records were edited, and a plan of it was saved."""
    for name in (BOT, RAG, SQL):
        pulled("set", name, "description", f"New: {name}").well()
    pulled("diff", "-o", "plan.json").well()
    sandbox.log.clear()
    return pulled


def descriptions(sandbox: Sandbox) -> dict[str, Any]:
    rows = sandbox.state.rows("dataset")
    return {row["name"]: row["description"] for row in rows if row["name"] in (BOT, RAG, SQL)}


def digest_of(shell: Shell) -> str:
    return str(shell("diff", "--format", "json").well().document["digest"])


def writes(sandbox: Sandbox) -> int:
    return len(sandbox.log.writes())


def runs() -> int:
    return int(sql("SELECT count(*) FROM runs")[0][0])


ALL = {name: f"New: {name}" for name in (BOT, RAG, SQL)}


def test_a_saved_plan_is_applied(edited: Shell, sandbox: Sandbox) -> None:
    done = edited("push", "plan.json", "-y").well()
    assert descriptions(sandbox) == ALL
    assert (writes(sandbox), done.last) == (3, "run 2: 3 planned, 3 applied")


def test_the_digest_is_the_last_line_wherever_the_plan_goes(edited: Shell) -> None:
    digest = digest_of(edited)
    line = f"digest {digest}; send this: dssync push --checksum {digest}"
    text = edited("diff").well()
    assert text.out.splitlines()[-1] == line
    for options in (["--format", "md"], ["--format", "json"], ["--format", "md", "-o", "p.json"]):
        assert edited("diff", *options).well().last == line
    assert json.loads(Path("plan.json").read_text())["digest"] == digest
    assert digest in edited("diff", "--format", "md").out.splitlines()[-1]


def test_a_plan_alone_is_no_consent(edited: Shell, sandbox: Sandbox) -> None:
    refused = edited("push", "plan.json")
    assert (refused.code, len(sandbox.log)) == (2, 0)
    assert "add -y" in refused.err
    declined = edited("push", "plan.json", terminal=True, stdin="n\n")
    assert (declined.code, writes(sandbox)) == (6, 0)
    assert declined.err.count("Send 3 updates to prod? [y/N]") == 1
    edited("push", "plan.json", terminal=True, stdin="y\n").well()
    assert descriptions(sandbox) == ALL


def test_a_digest_is_consent(edited: Shell, sandbox: Sandbox) -> None:
    edited("push", "--checksum", digest_of(edited)).well()
    assert descriptions(sandbox) == ALL


def test_a_plan_and_its_digest_are_consent(edited: Shell, sandbox: Sandbox) -> None:
    digest = digest_of(edited)
    other = edited("push", "plan.json", "--checksum", digest[::-1])
    assert (other.code, len(sandbox.log)) == (6, 0)
    assert f"its digest is {digest}, not {digest[::-1]}" in other.err
    edited("push", "plan.json", "--checksum", digest).well()
    assert descriptions(sandbox) == ALL


def test_a_digest_of_something_else_is_refused_with_what_to_type(
    edited: Shell, sandbox: Sandbox
) -> None:
    digest = digest_of(edited)
    edited("set", BOT, "description", "Later").well()
    refused = edited("push", "--checksum", digest)
    assert (refused.code, len(sandbox.log)) == (6, 0)
    now = digest_of(edited)
    assert f"its digest is {now}, not {digest}" in refused.err
    assert refused.last.endswith(f"dssync push --checksum {now}")
    edited("revert", "--all").well()
    nothing = edited("push", "--checksum", digest)
    assert (nothing.code, len(sandbox.log)) == (6, 0)
    assert "nothing is pending" in nothing.err


def test_a_digest_is_for_the_remotes_it_was_made_for(edited: Shell, sandbox: Sandbox) -> None:
    digest = digest_of(edited)
    edited("push", "-r", "prod", "--checksum", digest).well()
    assert descriptions(sandbox) == ALL


def move(shell: Shell, sandbox: Sandbox) -> None:
    """Let one record be edited here, and another one there, in the planned field."""
    shell("set", BOT, "description", "Edited later").well()
    sandbox.state.update("dataset", key_of(RAG), description="Theirs")


def check_left_out(left_out: list[dict[str, Any]]) -> None:
    fields = {entry["label"]: entry["fields"] for entry in left_out}
    assert {name: [f["field"] for f in found] for name, found in fields.items()} == {
        BOT: ["description"],
        RAG: ["description"],
    }
    [here], [there] = fields[BOT], fields[RAG]
    assert (here["planned"], here["ours"]) == (f"New: {BOT}", "Edited later")
    assert (
        here["base"]
        == here["theirs"]
        == "Questions that customers really asked, with the "
        + ("answers our support team agreed on.")
    )
    assert (there["planned"], there["ours"], there["theirs"]) == (
        f"New: {RAG}",
        f"New: {RAG}",
        "Theirs",
    )
    assert there["base"] not in ("Theirs", f"New: {RAG}")


def test_what_moved_on_either_side_drops_out_with_three_values_and_the_rest_goes(
    edited: Shell, sandbox: Sandbox
) -> None:
    move(edited, sandbox)
    done = edited("push", "plan.json", "-y", "--json")
    assert done.code == 6
    check_left_out(done.document["result"]["left_out"])
    assert [e["label"] for e in done.document["result"]["plan"]["changes"]] == [SQL]
    counts = done.document["receipt"]["counts"]
    assert (counts["applied"], counts["skipped"], counts["conflicted"]) == (1, 1, 1)
    assert [t["code"] for t in done.document["receipt"]["troubles"]] == ["stale_plan"]
    assert writes(sandbox) == 1
    assert descriptions(sandbox)[SQL] == f"New: {SQL}"
    for value in ("Edited later", "Theirs", f"New: {BOT}", f"New: {RAG}"):
        assert json.dumps(value) in done.err
    assert edited("show", BOT).document["values"]["description"] == "Edited later"


def test_all_or_nothing_sends_nothing_and_writes_nothing(edited: Shell, sandbox: Sandbox) -> None:
    move(edited, sandbox)
    before = runs()
    refused = edited("push", "plan.json", "-y", "--all-or-nothing", "--json")
    assert (refused.code, writes(sandbox), runs()) == (6, 0, before)
    check_left_out(refused.document["result"]["left_out"])
    assert "only 1 of 3 planned changes could be sent, so nothing was" in refused.err
    assert refused.document["run"] is None


def test_all_or_nothing_sends_all_where_nothing_moved(edited: Shell, sandbox: Sandbox) -> None:
    edited("push", "plan.json", "-y", "--all-or-nothing").well()
    assert descriptions(sandbox) == ALL


def test_all_or_nothing_holds_for_a_push_without_a_plan(edited: Shell, sandbox: Sandbox) -> None:
    sandbox.state.update("dataset", key_of(RAG), description="Theirs")
    refused = edited("push", "-y", "--all-or-nothing")
    assert (refused.code, writes(sandbox)) == (6, 0)
    assert edited("push", "-y").code == 4
    assert writes(sandbox) == 2


def test_what_is_pending_and_not_in_the_plan_stays_pending(edited: Shell, sandbox: Sandbox) -> None:
    edited("set", "Summaries: one breath", "description", "Not reviewed").well()
    edited("new", "dataset", "Fresh").well()
    pending = sql("SELECT * FROM datasets_pending WHERE key = ?", key_of("Summaries: one breath"))
    done = edited("push", "plan.json", "-y").well()
    assert writes(sandbox) == 3
    assert "pending: 1 create, 1 update" in done.err
    assert pending == sql(
        "SELECT * FROM datasets_pending WHERE key = ?", key_of("Summaries: one breath")
    )


def test_another_field_changed_there_does_not_matter(edited: Shell, sandbox: Sandbox) -> None:
    sandbox.state.update("dataset", key_of(RAG), name="RAG, renamed")
    edited("push", "plan.json", "-y").well()
    [row] = [row for row in sandbox.state.rows("dataset") if row["name"] == "RAG, renamed"]
    assert row["description"] == f"New: {RAG}"


def test_bodies_are_the_deltas_of_the_plan_and_nothing_else(
    pulled: Shell, sandbox: Sandbox
) -> None:
    [(item,)] = sql("SELECT key FROM items LIMIT 1")
    spelled = '{"n": 1e2, "b":[1.0,  18446744073709551615]}'
    sql("UPDATE items SET input = ?, trace_id = ' t ' WHERE key = ?", spelled, item)
    pulled("diff", "-o", "plan.json").well()
    sql(
        "UPDATE items SET input = ? WHERE key = ?",
        '{"b":[1.0,18446744073709551615],"n":100.0}',
        item,
    )
    sandbox.log.clear()
    pulled("push", "plan.json", "-y").well()
    [sent] = sandbox.log.writes()
    assert sent.body.decode() == f'{{"input":{spelled},"ref_trace_id":" t "}}'


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
    again = edited("push", "plan.json", "-y").well()
    assert writes(sandbox) == 0
    assert "run 2 applied 1 of 3 changes of this plan" in again.err
    edited("set", BOT, "description", f"New: {BOT}").well()
    edited("new", "dataset", "Not reviewed").well()
    edited("push", "--checksum", digest).well()
    assert writes(sandbox) == 1
    assert descriptions(sandbox)[BOT] == f"New: {BOT}"
    last = edited("push", "plan.json", "-y").well()
    assert "run 3 applied 1 of 1 change of this plan" in last.err
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
