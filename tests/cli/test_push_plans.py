"""What was reviewed is what is sent: saved plans, digests, and what becomes of them."""

import json
from pathlib import Path

from dssync.sandbox import Sandbox
from tests.cli.reviewing import (
    ALL,
    BOT,
    RAG,
    SQL,
    check_left_out,
    descriptions,
    digest_of,
    key_of,
    move,
    runs,
    sql,
    writes,
)
from tests.cli.shell import Shell


def test_a_saved_plan_is_applied(edited: Shell, sandbox: Sandbox) -> None:
    done = edited("push", "plan.json", "-y").well()
    assert descriptions(sandbox) == ALL
    assert (writes(sandbox), done.last) == (3, "run 2: 3 planned, 3 applied")


def test_the_digest_is_the_last_line_wherever_the_plan_goes(edited: Shell) -> None:
    digest = digest_of(edited)
    line = f"digest {digest}; send this: dssync push --checksum {digest}"
    text = edited("diff").well()
    assert text.out.splitlines()[-1] == line
    for options in (["--format", "md"], ["--format", "json"]):
        assert edited("diff", *options).well().last == line
    assert json.loads(Path("plan.json").read_text())["digest"] == digest
    assert digest in edited("diff", "--format", "md").out.splitlines()[-1]


def test_a_saved_plan_names_one_way_to_send_it(edited: Shell, sandbox: Sandbox) -> None:
    digest = digest_of(edited)
    for options in (["--format", "md"], ["--format", "json"], []):
        shown = edited("diff", *options, "-o", "my plan.json").well()
        said = (shown.out + shown.err).splitlines()
        assert [
            line for line in said if "dssync push" in line and not line.startswith("Digest")
        ] == [f"digest {digest}; send this: dssync push 'my plan.json'"]
    edited("push", "my plan.json", "-y").well()
    assert descriptions(sandbox) == ALL


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
