"""A record that the server cannot bring back, from the command line."""

import pytest

from dssync.sandbox import Sandbox
from tests.cli.shell import Shell

LOST = "0199d001-0000-7000-8000-000000000001"


@pytest.fixture
def sandbox() -> Sandbox:
    """One of the oldest servers, which answer 404 to an undelete."""
    sandbox = Sandbox(limits=(), patch_deleted=False)
    sandbox.state.insert("dataset", name="Other")
    sandbox.state.insert("dataset", id=LOST, name="Lost", description="old")
    sandbox.state.insert("item", dataset=LOST, input="q")
    return sandbox


def test_a_conflict_settled_for_ours_is_made_again(pulled: Shell, sandbox: Sandbox) -> None:
    pulled("set", "Lost", "description", "ours").well()
    sandbox.state.delete("dataset", LOST)
    pulled("pull").well()
    pulled("resolve", "Lost", "--ours").well()
    refused = pulled("push", "-y")
    assert refused.code == 3
    assert "the server answers 404 to an undelete" in refused.err
    assert f"dssync undelete {LOST} --recreate" in " ".join(refused.err.split())
    assert max(map(len, refused.err.splitlines())) <= 80
    said = pulled("undelete", LOST, "--recreate").well().err
    assert "1 item will move along, one request each" in said
    assert 'to make again dataset "Lost"' in said
    assert "pending: 1 create, 1 update" in said
    assert "\tnew\n" in pulled("list").well().out
    shown = pulled("diff").well().out
    assert f'dataset: "Lost" (prod/{LOST[:8]}…) -> "Lost" ({LOST[:8]}…)' in shown
    pulled("push", "-y").well()
    pulled("pull").well()
    assert "pending: nothing" in pulled("status").well().out
    live = sandbox.state.rows("dataset")
    assert [row["description"] for row in live if row["name"] == "Lost"] == ["ours"]
    assert pulled("show", LOST, "--json").well().document["result"]["id"] != LOST


def test_making_it_again_can_be_taken_back(pulled: Shell, sandbox: Sandbox) -> None:
    sandbox.state.delete("dataset", LOST)
    pulled("pull").well()
    pulled("undelete", LOST, "--recreate").well()
    pulled("revert", "--all").well()
    assert "pending: nothing" in pulled("status").well().out
    assert pulled("show", LOST, "--json").well().document["result"]["state"] == "deleted"


def test_what_is_on_the_server_is_not_made_again(pulled: Shell) -> None:
    failed = pulled("undelete", "Other", "--recreate")
    assert failed.code == 2
    assert "there is nothing to make again" in failed.err
