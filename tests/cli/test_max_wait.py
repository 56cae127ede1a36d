"""A run that may not wait for its key's budget ends early, and keeps what it has."""

import os
from pathlib import Path

from dssync.clock import SystemClock
from dssync.net.budget import LIMITS
from dssync.net.ledger import state_folder
from dssync.net.opening import Pace, open_budget
from dssync.net.secret import Secret
from dssync.sandbox import SANDBOX_KEY, Sandbox
from tests.cli.shell import Shell


def leave(url: str, requests: int) -> None:
    """Use up the key's minute, but for some requests."""
    pace = Pace(folder=state_folder(os.environ))
    budget = open_budget(url, Secret(SANDBOX_KEY), SystemClock(), pace)
    for _ in range(LIMITS[0].requests - requests):
        assert budget.take() == 0


def test_a_pull_that_may_not_wait_keeps_what_it_has(
    configured: Shell, sandbox: Sandbox, url: str, tmp_path: Path
) -> None:
    dataset = sandbox.state.rows("dataset")[0]["id"]
    for n in range(450):
        sandbox.state.insert("item", dataset=dataset, input=n)
    leave(url, 5)
    sandbox.log.clear()
    stopped = configured("pull", "--max-wait", "0s")
    assert stopped.code == 5
    assert "--max-wait" in stopped.err
    assert len(sandbox.log) == 5
    assert {entry.status for entry in sandbox.log} == {200}
    kept = configured("list", dataset, "--json").well().document["result"]
    assert len(kept["items"]) >= 100
    for file in (tmp_path / "state").iterdir():
        file.unlink()
    configured("pull").well()
    assert len(configured("list", dataset, "--json").well().document["result"]["items"]) >= 450
