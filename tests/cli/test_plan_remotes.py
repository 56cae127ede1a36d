"""A plan for two remotes, pushed to one of them."""

import pytest

from dssync.sandbox import Sandbox
from tests.cli.reviewing import digest_of, sql
from tests.cli.shell import Shell

NAMES = ("For prod", "For staging")


def described(sandbox: Sandbox) -> list[object]:
    projects = (1, 2)
    rows = [row for p in projects for row in sandbox.state.rows("dataset", p)]
    return [row["description"] for row in rows if row["name"] in NAMES]


@pytest.fixture
def both(configured: Shell, sandbox: Sandbox, url: str) -> Shell:
    """One edit for each of two remotes, and a plan of both."""
    sandbox.add_project(2, "Staging")
    configured("remote", "add", "staging", "--host", url, "--project", "2").well()
    for project, name in enumerate(NAMES, 1):
        sandbox.state.insert("dataset", project, name=name, description="old")
    configured("pull").well()
    for name in NAMES:
        configured("set", name, "description", "new").well()
    configured("diff", "-o", "plan.json").well()
    return configured


def test_only_the_named_remote_gets_its_part_and_the_rest_is_named(
    both: Shell, sandbox: Sandbox
) -> None:
    done = both("push", "plan.json", "-r", "prod", "-y").well()
    assert described(sandbox) == ["new", "old"]
    said = "1 change of this plan for staging stays; add -r staging to send all"
    assert done.err.splitlines()[0] == said
    assert done.last == "run 2: 1 planned, 1 applied"
    again = both("push", "plan.json", "-r", "prod", "-y").well()
    assert "run 2 applied 1 of 2 changes of this plan, at " in again.err
    assert "nothing of this plan is left to push for these remotes" in again.err
    rest = both("push", "plan.json", "-y").well()
    assert rest.last == "run 3: 1 planned, 1 applied"
    assert described(sandbox) == ["new", "new"]
    over = both("push", "plan.json", "-y").well()
    assert over.err.count(" applied 1 of 2 changes of this plan, at ") == 2
    assert "nothing of this plan is left to push\n" in over.err


def test_whole_or_not_at_all_is_no_part(both: Shell, sandbox: Sandbox) -> None:
    sandbox.log.clear()
    refused = both("push", "plan.json", "-r", "prod", "-y", "--all-or-nothing")
    assert (refused.code, len(sandbox.log)) == (2, 0)
    assert "add -r staging to send all" in refused.last
    both("push", "plan.json", "-r", "prod", "-r", "staging", "-y", "--all-or-nothing").well()
    assert described(sandbox) == ["new", "new"]


def test_a_digest_of_both_is_not_that_of_one(both: Shell, sandbox: Sandbox) -> None:
    digest = digest_of(both)
    sandbox.log.clear()
    assert both("push", "--checksum", digest, "-r", "prod").code == 6
    assert not sandbox.log.writes()


def test_a_digest_whose_part_was_pushed_stands_for_the_rest(both: Shell, sandbox: Sandbox) -> None:
    digest = digest_of(both)
    both("push", "plan.json", "-r", "prod", "-y").well()
    both("push", "--checksum", digest).well()
    assert described(sandbox) == ["new", "new"]
    assert sql("SELECT count(*) FROM runs WHERE plan = ?", digest) == [(2,)]


def test_a_rest_that_moved_never_ends_in_zero(both: Shell, sandbox: Sandbox) -> None:
    digest = digest_of(both)
    both("push", "plan.json", "-r", "prod", "-y").well()
    [(id,)] = sql("SELECT id FROM datasets WHERE name = ?", NAMES[1])
    sandbox.state.update("dataset", id, description="theirs")
    for words in (["plan.json", "-y"], ["--checksum", digest]):
        assert both("push", *words).code in (4, 6)
    assert described(sandbox) == ["new", "theirs"]
