"""The classic translation, against the server's own behaviour."""

import json
from collections.abc import Callable

import httpx
import pytest

from dssync.clock import Clock
from dssync.config import Remote
from dssync.core.fields import Values
from dssync.errors import ContractMismatch, InvalidRecords, NotFound, WrongTarget
from dssync.net.secret import Secret
from dssync.net.transport import ReadOnly, Transport
from dssync.posthog import Classic, Client, Probe, connect, probe
from dssync.sandbox import SANDBOX_KEY, Fault, Sandbox

Reach = Callable[..., Transport]

PLACE = Remote("prod", "https://posthog.test", "environment", "1")


@pytest.fixture
def classic(client: Client) -> Classic:
    return Classic(client)


def test_a_dataset_goes_there_and_back(classic: Classic) -> None:
    values: Values = {
        "name": "Evals",
        "description": None,
        "metadata": '{"a":[1,1.0]}',
        "deleted": 0,
    }
    written = classic.create("dataset", values)
    assert written.status == 201
    assert written.server_date is not None
    read = classic.read("dataset", written.echo.id)
    assert read is not None
    assert read.row().values == values
    assert read.row().created_by == written.echo.row().created_by
    assert json.loads(read.row().rest) == {"team": 1}


def test_an_item_goes_there_and_back(classic: Classic, sandbox: Sandbox) -> None:
    parent = sandbox.state.insert("dataset", name="Evals")
    values: Values = {
        "dataset": parent,
        "input": '"q"',
        "expected_output": "null",
        "source_output": None,
        "metadata": "[]",
        "trace_id": "t",
        "event_id": None,
        "trace_timestamp": "2026-01-02T03:04:05Z",
        "client_item_id": None,
        "deleted": 0,
    }
    made = classic.create("item", values).echo.id
    read = classic.read("item", made)
    assert read is not None
    assert read.row().values == {**values, "expected_output": None}


def test_json_text_is_sent_as_it_stands(classic: Classic, sandbox: Sandbox) -> None:
    made = classic.create(
        "dataset", {"name": "é", "metadata": '{"b": 1e2,  "a": "\\u00e9", "b": 2}'}
    )
    body = b'{"name":"\xc3\xa9","metadata":{"b": 1e2,  "a": "\\u00e9", "b": 2}}'
    assert sandbox.log[-1].body == body
    assert sandbox.state.get("dataset", made.echo.id)["metadata"] == {"a": "é", "b": 2}


def test_only_the_fields_given_are_sent(classic: Classic, sandbox: Sandbox) -> None:
    made = sandbox.state.insert("dataset", name="Evals", metadata={"a": 1})
    written = classic.update("dataset", made, {"deleted": 1})
    assert (written.status, written.echo.id, sandbox.log[-1].body) == (
        200,
        made,
        b'{"deleted":true}',
    )
    assert classic.read("dataset", made) is None
    classic.update("dataset", made, {"deleted": 0, "name": "Again"})
    read = classic.read("dataset", made)
    assert read is not None
    assert (read.row().values["name"], read.row().values["metadata"]) == ("Again", '{"a":1}')


@pytest.mark.parametrize(
    "values",
    [
        {"metadata": '{"a": 1'},
        {"metadata": '1, "deleted": true'},
        {"metadata": "NaN"},
        {"metadata": ""},
        {"source_output": "1"},
        {"client_item_id": "c"},
    ],
)
def test_what_cannot_be_said_is_not_sent(
    values: Values, classic: Classic, sandbox: Sandbox
) -> None:
    with pytest.raises(InvalidRecords, match=next(iter(values))):
        classic.update("item", "i", values)
    assert sandbox.log == []


def test_lists_come_in_pages_of_readings(classic: Classic, sandbox: Sandbox) -> None:
    parents = [sandbox.state.insert("dataset", name=f"d{i}") for i in range(3)]
    items = [sandbox.state.insert("item", dataset=parents[i % 2]) for i in range(4)]
    first = classic.page("item", 0, 3)
    assert ([r.id for r in first.readings], first.count, first.more) == (items[:0:-1], 4, True)
    assert first.server_date is not None
    rest = classic.page("item", 2, 3)
    assert ([r.id for r in rest.readings], rest.more) == (items[1::-1], False)
    assert [r.id for r in classic.page("item", 0, 9, parents[1]).readings] == [items[3], items[1]]
    positions = [r.position for r in classic.page("dataset", 0, 9).readings]
    assert positions == sorted(positions)


def test_many_datasets_are_read_by_hundreds(classic: Classic, sandbox: Sandbox) -> None:
    ids = [sandbox.state.insert("dataset", name=f"d{i}") for i in range(205)]
    sandbox.state.delete("dataset", ids[0])
    assert {r.id for r in classic.read_many("dataset", ids)} == set(ids[1:])
    assert [entry.query["id__in"].count(",") + 1 for entry in sandbox.log] == [100, 100, 5]
    assert classic.read_many("dataset", []) == []
    sandbox.faults.add(Fault("clamp", 30, times=None))
    assert {r.id for r in classic.read_many("dataset", ids)} == set(ids[1:])
    with pytest.raises(ValueError, match="item"):
        classic.read_many("item", ids)


def test_a_missing_record_is_none_and_a_missing_project_is_not(
    classic: Classic, reach: Reach
) -> None:
    assert classic.read("item", "00000000-0000-0000-0000-000000000000") is None
    with pytest.raises(NotFound):
        classic.update("item", "00000000-0000-0000-0000-000000000000", {"input": "1"})
    elsewhere = Classic(Client("https://unused.test", "", project=9, transport=reach()))
    with pytest.raises(WrongTarget, match="project"):
        elsewhere.read("item", "00000000-0000-0000-0000-000000000000")


def test_a_probe_only_reads_and_finds_contract_and_team(reach: Reach, sandbox: Sandbox) -> None:
    client = Client("https://unused.test", "", project=1, transport=ReadOnly(reach()))
    assert probe(client) == Probe("classic", None)
    parent = sandbox.state.insert("dataset", name="Evals")
    assert probe(client) == Probe("classic", 1)
    sandbox.state.insert("item", dataset=parent)
    sandbox.log.clear()
    assert probe(client) == Probe("classic", 1)
    assert len(sandbox.log) == 1


def versioned(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/dataset_items/"):
        error = {"type": "validation_error", "code": "required", "detail": "?", "attr": "dataset"}
        return httpx.Response(400, json=error)
    return httpx.Response(200, json={"count": 1, "results": [{"id": "d", "team_id": 7}]})


def test_a_versioned_server_is_recognised_and_refused(clock: Clock) -> None:
    inner = httpx.MockTransport(versioned)
    with pytest.raises(ContractMismatch, match="versioned"):
        connect(PLACE, Secret("phx_a"), clock, inner=inner)


def test_a_probe_does_not_take_any_refusal_for_an_answer(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("login_page", times=None))
    with pytest.raises(WrongTarget):
        probe(client)


def test_a_remote_is_reached_under_its_own_scope(sandbox: Sandbox, clock: Clock) -> None:
    inner = httpx.WSGITransport(app=sandbox)
    for scope in ("environment", "project"):
        place = Remote("prod", "https://posthog.test", scope, "1")
        contract = connect(place, Secret(SANDBOX_KEY), clock, inner=inner)
        assert contract.name == "classic"
        assert contract.page("dataset", 0, 5).readings == []
        assert sandbox.log[-1].path == f"/api/{scope}s/1/datasets/"
        contract.close()
