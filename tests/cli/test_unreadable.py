"""Records that the server cannot show, from the pull that finds them to their repair."""

import pytest

from dssync.sandbox import Sandbox
from tests.cli.shell import Shell

POISON = 2**64


@pytest.fixture
def healthy(sandbox: Sandbox) -> object:
    """Return the metadata of the item while it can be shown."""
    metadata: object = sandbox.state.rows("item")[3]["metadata"]
    return metadata


@pytest.fixture
def item(sandbox: Sandbox, pulled: Shell) -> str:
    """Return an item that was pulled, and that the server cannot show since."""
    row = sandbox.state.rows("item")[3]
    sandbox.state.update("item", row["id"], metadata={"tokens": POISON})
    return str(row["id"])


def test_a_pull_names_it_until_it_is_acknowledged(pulled: Shell, item: str) -> None:
    found = pulled("pull")
    assert found.code == 3
    assert item in found.err
    assert pulled("pull", "--quiet").code == 3
    listed = pulled("doctor").well()
    assert f"unreadable: item {item}, prod" in listed.out
    assert f"dssync doctor --repair {item}" in listed.out
    assert "acknowledged 1 unreadable record" in pulled("doctor", "--acknowledge").well().err
    again = pulled("pull").well()
    assert item in again.err  # still said, but no failure any more


def test_a_repair_shows_what_it_sends_and_asks(
    healthy: object, pulled: Shell, sandbox: Sandbox, item: str
) -> None:
    pulled("pull")
    sandbox.log.clear()
    rehearsed = pulled("doctor", "--repair", item, "-n").well()
    assert "metadata as last read:" in rehearsed.out
    unasked = pulled("doctor", "--repair", item)
    assert (unasked.code, unasked.err.splitlines()[-1]) == (2, "hint: add -y")
    refused = pulled("doctor", "--repair", item, stdin="n\n", terminal=True)
    assert refused.code == 6
    assert "metadata as last read:" in refused.err
    assert sandbox.log == []

    pulled("doctor", "--repair", item, stdin="y\n", terminal=True).well()
    assert {entry.path.rstrip("/").rsplit("/", 1)[-1] for entry in sandbox.log.writes()} == {item}
    assert sandbox.state.get("item", item)["metadata"] == healthy
    assert "every record could be read" in pulled("doctor").well().out
    pulled("pull").well()
    assert pulled("diff", "--exit-code").code == 0


def test_a_repair_needs_the_key_of_an_unreadable_record(pulled: Shell, item: str) -> None:
    unknown = pulled("doctor", "--repair", item, "-y")  # no pull has found it yet
    assert unknown.code == 2
    assert "is not known to be unreadable" in unknown.err


def test_one_that_was_never_read_has_a_place_but_no_repair(
    configured: Shell, sandbox: Sandbox
) -> None:
    row = sandbox.state.rows("item")[3]["id"]
    sandbox.state.update("item", row, metadata={"tokens": POISON})
    assert configured("pull").code == 3
    listed = configured("doctor").well().out
    assert "unreadable: item number 4 of the list, prod" in listed
    assert "the mirror never read it" in listed
    assert "--repair" not in listed
