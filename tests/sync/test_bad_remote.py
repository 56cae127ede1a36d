"""What is wrong with a key, a host, or an answer is told by exit code, and nothing is lost."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from dssync.core.receipt import Receipt
from dssync.sandbox import Fault, serve
from tests.sync.world import PROD, World

REFUSED = {"type": "validation_error", "code": "invalid", "detail": "Nope.", "attr": "name"}


@pytest.fixture
def dataset(world: World) -> str:
    """Return the key of a dataset with 20 items, pulled, and edited since."""
    state = world.sandbox.state
    id = state.insert("dataset", name="one")
    for n in range(20):
        state.insert("item", dataset=id, input=n)
    world.pull()
    world.set("dataset", id, name="mine")
    return id


def no_key(world: World) -> None:
    world.env.clear()


def wrong_key(world: World) -> None:
    world.env["PROD_KEY"] = "phx_wrong"


def project_key(world: World) -> None:
    world.env["PROD_KEY"] = "phc_project"


def foreign_project(world: World) -> None:
    world.sandbox.add_key("phx_elsewhere", projects=[2])
    world.env["PROD_KEY"] = "phx_elsewhere"


def no_member(world: World) -> None:
    world.sandbox.add_project(1, "Sandbox", member=False)


def unknown_project(world: World) -> None:
    world.remotes = [replace(PROD, id="77")]


def wrong_base(world: World) -> None:
    world.remotes = [replace(PROD, host="https://posthog.test/app")]


def redirect(world: World) -> None:
    world.sandbox.faults.add(Fault("redirect", "https://elsewhere.test/", times=None))


def html_200(world: World) -> None:
    world.sandbox.faults.add(Fault("login_page", times=None))


def strange_json(world: World) -> None:
    world.sandbox.faults.add(Fault("wrong_shape", {"hello": "world"}, times=None))


def lasting_500(world: World) -> None:
    world.sandbox.faults.add(Fault("status", 500, times=None))


def lasting_502(world: World) -> None:
    world.sandbox.faults.add(Fault("status", 502, times=None))


def closed_port(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    world.remotes = [replace(PROD, host=f"http://127.0.0.1:{port}")]
    world.network = lambda remote: None


@dataclass(frozen=True)
class Case:
    name: str
    spoil: Callable[[World], None]
    exit_code: int
    words: str


CASES = (
    Case("no key", no_key, 7, "PROD_KEY"),
    Case("wrong key", wrong_key, 7, "invalid"),
    Case("a project's key", project_key, 7, "phc_"),
    Case("foreign project", foreign_project, 7, "does not have access"),
    Case("no member", no_member, 7, "access to the project"),
    Case("unknown project", unknown_project, 6, "no such project"),
    Case("wrong base URL", wrong_base, 6, "redirects"),
    Case("redirect", redirect, 6, "redirects to elsewhere.test"),
    Case("HTML with 200", html_200, 6, "web page"),
    Case("strange JSON", strange_json, 6, "unlike the API"),
    Case("lasting 502", lasting_502, 5, "the server"),
    Case("host that does not answer", closed_port, 5, "cannot be reached"),
)
LASTING_500 = Case("lasting 500", lasting_500, 5, "the server")


def each(*cases: Case) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def check_trouble(receipt: Receipt, case: Case) -> None:
    assert receipt.exit_code == case.exit_code
    assert {(t.remote, t.exit_code) for t in receipt.troubles} == {("prod", case.exit_code)}
    assert all(case.words in trouble.message for trouble in receipt.troubles)


@each(*CASES, LASTING_500)
def test_a_first_pull_says_what_is_wrong(world: World, case: Case) -> None:
    world.sandbox.state.insert("dataset", name="one")
    case.spoil(world)
    receipt = world.pull()
    check_trouble(receipt, case)
    assert world.sql("SELECT command, exit_code FROM runs") == [("pull", case.exit_code)]
    assert not world.dump()["datasets"]


@each(*CASES, LASTING_500)
def test_a_later_pull_loses_nothing(world: World, dataset: str, case: Case) -> None:
    accounts = ("runs", "scans", "receipts", "sqlite_sequence")
    before = world.dump(without=accounts)
    case.spoil(world)
    check_trouble(world.pull(), case)
    assert world.dump(without=accounts) == before


@each(*CASES, LASTING_500)
def test_a_push_sends_nothing_and_keeps_the_edits(world: World, dataset: str, case: Case) -> None:
    plan = world.plan()
    case.spoil(world)
    prepared = world.prepare()
    assert not prepared.plan
    receipt = world.apply(prepared)
    check_trouble(receipt, case)
    [entry] = receipt.entries
    assert (entry.key, entry.outcome) == (dataset, "skipped")
    assert not world.sandbox.log.writes()
    assert world.plan() == plan


@each(*CASES)
def test_what_breaks_between_prepare_and_apply_loses_nothing(
    world: World, dataset: str, case: Case
) -> None:
    plan = world.plan()
    prepared = world.prepare()
    case.spoil(world)
    receipt = world.apply(prepared)
    check_trouble(receipt, case)
    assert [entry.outcome for entry in receipt.entries] == ["skipped"]
    assert not world.sandbox.log.writes()
    assert world.plan() == plan


def test_a_key_without_the_write_scope_can_pull_but_not_push(world: World, dataset: str) -> None:
    second = world.mirror.new("dataset", None, {"name": "new"})
    plan = world.plan()
    world.sandbox.add_key("phx_reader", ["dataset:read"])
    world.env["PROD_KEY"] = "phx_reader"
    assert world.pull().exit_code == 0
    receipt = world.push()
    assert receipt.exit_code == 7
    assert "dataset:write" in receipt.troubles[0].message
    assert sorted((entry.key, entry.outcome) for entry in receipt.entries) == sorted(
        [(second, "failed"), (dataset, "skipped")]
    )
    assert len(world.sandbox.log.writes()) == 1
    assert world.plan() == plan
    world.env["PROD_KEY"] = "phx_sandbox"
    assert world.push().exit_code == 0
    assert world.raw("dataset", dataset)["name"] == '"mine"'


def test_a_list_that_stays_500_is_a_partial_scan_and_no_deletion(
    world: World, dataset: str
) -> None:
    world.sandbox.faults.add(Fault("status", 500, path="/datasets/", times=None))
    new = world.sandbox.state.insert("item", dataset=dataset, input="new")
    receipt = world.pull()
    assert receipt.exit_code == 5
    [datasets, items] = receipt.scans
    assert (datasets.kind, datasets.outcome, datasets.absent) == ("dataset", "partial", 0)
    assert datasets.reason
    assert (items.kind, items.outcome, items.new) == ("item", "complete", 1)
    assert world.ours("item", new, "input") == '"new"'
    assert world.sql("SELECT count(*) FROM datasets WHERE absent_since IS NOT NULL") == [(0,)]


def test_a_refused_record_does_not_stop_the_others(world: World) -> None:
    ids = [world.sandbox.state.insert("dataset", name=f"{n}") for n in range(3)]
    world.pull()
    for id in ids:
        world.set("dataset", id, name="new")
    order = [change.key for change in world.plan().changes]
    world.sandbox.faults.add(Fault("status", 400, method="PATCH", nth=2, body=REFUSED))
    receipt = world.push()
    assert receipt.exit_code == 3
    assert not receipt.troubles
    assert [entry.outcome for entry in receipt.entries] == ["applied", "failed", "applied"]
    failed = receipt.entries[1]
    assert (failed.key, failed.status) == (order[1], 400)
    assert "Nope." in failed.reason
    assert [change.key for change in world.plan().changes] == [order[1]]
    kept = world.sql("SELECT key, outcome FROM receipts WHERE outcome <> 'applied'")
    assert kept == [(order[1], "failed")]
    assert world.push().exit_code == 0
    assert world.nothing_planned()


def test_the_whole_loop_over_a_real_socket(world: World) -> None:
    dataset = world.sandbox.state.insert("dataset", name="one")
    with serve(world.sandbox) as url:
        world.remotes = [replace(PROD, host=url)]
        world.network = lambda remote: None
        assert world.pull().exit_code == 0
        world.set("dataset", dataset, name="two")
        assert world.push().exit_code == 0
        assert world.pull().exit_code == 0
    assert world.raw("dataset", dataset)["name"] == '"two"'
    assert world.nothing_planned()
