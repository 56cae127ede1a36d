"""Several remotes in one mirror, and a remote that is not the one it was."""

from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest

from dssync.config import KeySource, Remote
from dssync.sandbox import SANDBOX_KEY, Fault, Sandbox
from dssync.sync import prepare_push, read_status
from tests.sync.world import PROD, World

STAGING = Remote("staging", "https://two.test", "project", "5", KeySource("key_env", "STAGING_KEY"))
DATASET = "00000000-0000-7000-8000-000000000001"
ITEM = "00000000-0000-7000-8000-000000000002"


@pytest.fixture
def servers(world: World) -> Mapping[str, Sandbox]:
    """Give two servers whose records have the same ids, both pulled into one mirror."""
    other = Sandbox(now=world.clock.now, limits=())
    other.add_project(5, "Staging")
    by_host = {"posthog.test": world.sandbox, "two.test": other}
    world.remotes = [PROD, STAGING]
    world.env["STAGING_KEY"] = SANDBOX_KEY
    world.network = lambda remote: httpx.WSGITransport(app=by_host[httpx.URL(remote.host).host])
    for name, sandbox, project in (("prod", world.sandbox, 1), ("staging", other, 5)):
        sandbox.state.insert("dataset", project, id=DATASET, name=name)
        sandbox.state.insert("item", project, id=ITEM, dataset=DATASET, input=name)
    assert world.pull().exit_code == 0
    return {"prod": world.sandbox, "staging": other}


def keys_by_remote(world: World, table: str) -> dict[str, str]:
    rows = world.sql(f"SELECT remote, key FROM {table} WHERE id IN (?, ?)", DATASET, ITEM)
    return {str(remote): str(key) for remote, key in rows}


def test_the_same_ids_on_two_servers_are_two_records(
    world: World, servers: Mapping[str, Sandbox]
) -> None:
    for table, id in (("datasets", DATASET), ("items", ITEM)):
        keys = keys_by_remote(world, table)
        assert set(keys) == {"prod", "staging"}
        assert set(keys.values()) in ({id, f"prod/{id}"}, {id, f"staging/{id}"})
    parents = world.sql(
        "SELECT i.remote, d.remote FROM items i JOIN datasets d ON d.key = i.dataset"
    )
    assert sorted(parents) == [("prod", "prod"), ("staging", "staging")]
    again = world.pull()
    assert [scan.unchanged for scan in again.scans] == [1, 1, 1, 1]
    assert world.nothing_planned()


def test_edits_of_such_records_go_each_to_its_own_server(
    world: World, servers: Mapping[str, Sandbox]
) -> None:
    for remote, key in keys_by_remote(world, "datasets").items():
        world.set("dataset", key, name=f"{remote}, edited")
    for remote, key in keys_by_remote(world, "items").items():
        world.set("item", key, input=f'"{remote}, edited"')
    receipt = world.push()
    assert (receipt.exit_code, receipt.count("applied")) == (0, 4)
    for name, sandbox in servers.items():
        assert len(sandbox.log.writes()) == 2
        assert sandbox.state.get("dataset", DATASET)["name"] == f"{name}, edited"
        assert sandbox.state.get("item", ITEM)["input"] == f"{name}, edited"
    assert world.pull().exit_code == 0
    assert world.nothing_planned()


def test_a_deletion_on_one_server_touches_nothing_of_the_other(
    world: World, servers: Mapping[str, Sandbox]
) -> None:
    servers["staging"].state.insert("item", 5, dataset=DATASET, input="anchor")
    servers["staging"].state.delete("item", ITEM)
    assert world.pull().exit_code == 0
    gone = world.sql("SELECT remote FROM items WHERE absent_since IS NOT NULL")
    assert gone == [("staging",)]


def test_a_new_record_joins_the_remote_that_is_named(
    world: World, servers: Mapping[str, Sandbox]
) -> None:
    key = world.mirror.new("dataset", "staging", {"name": "new"})
    world.mirror.new("item", None, {"dataset": key, "input": "1"})
    assert world.push().exit_code == 0
    assert [entry.method for entry in servers["staging"].log.writes()] == ["POST", "POST"]
    assert not servers["prod"].log.writes()
    assert world.pull().exit_code == 0
    assert world.nothing_planned()


def test_only_the_remotes_that_are_named_take_part(
    world: World, servers: Mapping[str, Sandbox]
) -> None:
    world.sql("UPDATE datasets SET name = 'new'")
    prepared = prepare_push(world.mirror, [STAGING], world.session)
    assert [change.remote for change in prepared.plan.changes] == ["staging"]
    assert [remote.remote.name for remote in read_status(world.mirror, ["prod"]).remotes] == [
        "prod"
    ]
    world.remotes = [STAGING]
    assert world.apply(prepared).count("applied") == 1
    assert not servers["prod"].log.writes()
    assert {change.remote for change in world.plan().changes} == {"prod"}


def test_changes_of_a_remote_that_is_no_longer_configured_are_kept_and_told(
    world: World, servers: Mapping[str, Sandbox]
) -> None:
    world.sql("UPDATE datasets SET name = 'new'")
    plan = world.plan()
    world.remotes = [STAGING]
    receipt = world.apply(world.prepare(plan=plan))
    assert receipt.exit_code == 2
    assert {(e.remote, e.outcome) for e in receipt.entries} == {
        ("prod", "skipped"),
        ("staging", "applied"),
    }
    assert {change.remote for change in world.plan().changes} == {"prod"}


def check_refused(world: World, remote: Remote, words: str) -> None:
    """A pull and a push of that remote end with 6 and change nothing, here or there."""
    accounts = ("runs", "scans", "receipts", "sqlite_sequence")
    before = world.dump(without=accounts)
    world.remotes = [remote]
    writes = len(world.sandbox.log.writes())
    pulled = world.pull()
    assert pulled.exit_code == 6
    assert words in pulled.troubles[0].message
    assert pulled.troubles[0].hint
    if remote.name in {known.name for known in world.mirror.remotes()}:
        pushed = world.push()
        assert pushed.exit_code == 6
        assert [entry.outcome for entry in pushed.entries] == ["skipped"]
    assert len(world.sandbox.log.writes()) == writes
    assert world.dump(without=accounts) == before


@pytest.fixture
def edited(world: World) -> str:
    id = world.sandbox.state.insert("dataset", name="one")
    world.sandbox.add_project(2, "Second")
    world.sandbox.state.insert("dataset", 2, name="of the second")
    world.pull()
    world.set("dataset", id, name="mine")
    return id


@pytest.mark.parametrize(
    "second",
    [
        replace(PROD, name="again"),
        replace(PROD, name="again", scope="project"),
    ],
    ids=["the same path", "the same team by the other path"],
)
def test_one_project_under_two_names_is_refused(world: World, edited: str, second: Remote) -> None:
    check_refused(world, second, "the project that the mirror already holds as prod")


def test_two_new_names_for_one_project_in_one_pull_are_refused(world: World) -> None:
    world.sandbox.state.insert("dataset", name="one")
    world.remotes = [PROD, replace(PROD, name="again")]
    receipt = world.pull()
    assert receipt.exit_code == 6
    assert len(receipt.troubles) == 1
    assert len(world.mirror.remotes()) == 1
    assert world.sql("SELECT count(*) FROM datasets") == [(1,)]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(PROD, id="2"), "environment 1"),
        (replace(PROD, host="https://elsewhere.test"), "host https://posthog.test"),
        (replace(PROD, scope="project"), "environment 1"),
    ],
    ids=["project", "host", "scope"],
)
def test_a_remote_whose_configuration_changed_is_refused(
    world: World, edited: str, other: Remote, words: str
) -> None:
    check_refused(world, other, words)


def test_a_server_that_now_speaks_another_contract_is_refused(world: World, edited: str) -> None:
    required = {
        "type": "validation_error",
        "code": "required",
        "detail": "This field is required.",
        "attr": "dataset",
    }
    world.sandbox.faults.add(
        Fault("status", 400, method="GET", path="dataset_items", times=None, body=required)
    )
    check_refused(world, PROD, "versioned")


def test_two_projects_of_one_server_share_a_mirror(world: World, edited: str) -> None:
    world.remotes = [PROD, replace(PROD, name="second", id="2")]
    assert world.pull().exit_code == 0
    names = world.sql("SELECT remote, name FROM datasets ORDER BY remote")
    assert names == [("prod", "mine"), ("second", "of the second")]
