"""The documented endpoints, by both families of paths, in process and over a socket."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from dssync.errors import (
    ApiError,
    DssyncError,
    Invalid,
    KeyRejected,
    MethodNotAllowed,
    NotFound,
    UnknownRecord,
    UsageError,
    WrongTarget,
)
from dssync.net.transport import Request, Transport
from dssync.posthog import Client
from dssync.sandbox import Sandbox

Reach = Callable[..., Transport]

NOWHERE = "00000000-0000-0000-0000-000000000000"


def test_a_dataset_lives_and_is_deleted_and_comes_back(client: Client) -> None:
    made = client.create_dataset("Evals", description=None, metadata={"b": [1, 1.5, "é"]})
    assert (made.name, made.description, made.metadata) == ("Evals", None, {"b": [1, 1.5, "é"]})
    assert made.created_by is not None
    assert made.created_by.first_name == "Robin"
    assert made.team == 1

    changed = client.update_dataset(made.id, name="Evals 2")
    assert (changed.name, changed.metadata) == ("Evals 2", {"b": [1, 1.5, "é"]})

    client.update_dataset(made.id, deleted=True)
    with pytest.raises(NotFound):
        client.get_dataset(made.id)
    client.update_dataset(made.id, deleted=False)
    assert client.get_dataset(made.id).name == "Evals 2"


def test_an_item_lives_and_is_deleted(client: Client) -> None:
    parent = client.create_dataset("Evals")
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    made = client.create_item(parent.id, input="q", output=None, ref_timestamp=moment)
    read = client.get_item(made.id)
    assert (read.dataset, read.input, read.output) == (parent.id, "q", None)
    assert read.ref_timestamp == moment
    assert client.update_item(made.id, output={"a": 1}).output == {"a": 1}
    client.update_item(made.id, deleted=True)
    assert client.list_items(dataset=parent.id).results == ()


def test_both_lists_are_walked_whole(client: Client, sandbox: Sandbox) -> None:
    ids = [sandbox.state.insert("dataset", name=f"d{i:02}") for i in range(7)]
    items = [sandbox.state.insert("item", dataset=ids[i % 2], input=i) for i in range(5)]
    assert [d.id for d in client.iter_datasets(page_size=3)] == ids[::-1]
    assert [i.id for i in client.iter_items(page_size=2)] == items[::-1]
    assert [i.input for i in client.iter_items(dataset=ids[0])] == [4, 2, 0]


def test_a_page_says_what_it_is_and_filters_reach_the_server(
    client: Client, sandbox: Sandbox
) -> None:
    ids = [sandbox.state.insert("dataset", name=name) for name in ("red", "green", "blue")]
    page = client.list_datasets(limit=2)
    assert (page.count, page.offset, page.more, len(page.results)) == (3, 0, True, 2)
    last = client.list_datasets(limit=2, offset=2)
    assert (last.offset, last.more) == (2, False)
    assert [d.name for d in client.list_datasets(search="RE").results] == ["green", "red"]
    oldest_first = [d.name for d in client.list_datasets(order_by="created_at").results]
    assert oldest_first == ["red", "green", "blue"]
    assert [d.id for d in client.list_datasets(id__in=[ids[0], NOWHERE]).results] == [ids[0]]
    assert client.list_datasets(id__in=[]).results == ()


def test_unknown_fields_are_kept(client: Client, sandbox: Sandbox) -> None:
    profile = {**sandbox.state.get_person(1), "nickname": "Rob"}
    sandbox.state.set_person(profile)
    made = client.create_dataset("Evals")
    assert made.created_by is not None
    assert made.created_by.extra == {"nickname": "Rob"}


def test_hard_deletion_is_not_allowed(client: Client, sandbox: Sandbox) -> None:
    parent = sandbox.state.insert("dataset", name="Evals")
    item = sandbox.state.insert("item", dataset=parent)
    with pytest.raises(MethodNotAllowed):
        client.delete_dataset(parent)
    with pytest.raises(MethodNotAllowed):
        client.delete_item(item)
    assert client.get_item(item).dataset == client.get_dataset(parent).id


REFUSED: dict[str, tuple[Callable[[Client], object], type[DssyncError], str]] = {
    "blank name": (lambda c: c.create_dataset(" "), Invalid, "name"),
    "unknown record": (lambda c: c.get_item(NOWHERE), NotFound, "404"),
    "foreign dataset": (lambda c: c.create_item(NOWHERE), Invalid, "dataset"),
    "wrong order": (lambda c: c.list_datasets(order_by="name"), ApiError, "400"),
    "no id": (lambda c: c.get_item(""), UnknownRecord, "''"),
    "a path as id": (lambda c: c.get_item(".."), UnknownRecord, "'..'"),
    "a path in an id": (lambda c: c.get_item("../datasets/"), NotFound, "404"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_come_as_errors_that_name_the_cause(client: Client, name: str) -> None:
    act, error, words = REFUSED[name]
    with pytest.raises(error, match=words) as caught:
        act(client)
    assert type(caught.value) is not DssyncError


def test_a_misspelt_field_is_not_sent(client: Client, sandbox: Sandbox) -> None:
    with pytest.raises(TypeError, match="inptu"):
        client.create_item(NOWHERE, inptu=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="JSON compliant"):
        client.create_dataset("Evals", metadata=float("nan"))
    assert sandbox.state.rows("dataset") == []


def test_keys_and_projects_are_told_apart(reach: Reach, sandbox: Sandbox) -> None:
    sandbox.add_key("phx_reader", scopes=["dataset:read"])
    sandbox.add_key("phx_elsewhere", projects=[2])
    cases: list[tuple[str, int, type[DssyncError], str]] = [
        ("phx_wrong", 1, KeyRejected, "check the key"),
        ("phx_reader", 1, KeyRejected, "dataset:write"),
        ("phx_elsewhere", 1, KeyRejected, "access to this project"),
        ("phx_reader", 9, WrongTarget, "region"),
    ]
    for key, project, error, hint in cases:
        client = Client("https://unused.test", "", project=project, transport=reach(key))
        with pytest.raises(error) as caught:
            client.create_dataset("Evals")
        assert hint in caught.value.hint
        assert key not in f"{caught.value!r} {caught.value.hint}"


def test_a_path_outside_the_api_is_the_wrong_target(reach: Reach) -> None:
    with pytest.raises(WrongTarget, match="redirects"):
        reach().send(Request("GET", "/elsewhere"))


def test_exactly_one_scope_is_wanted() -> None:
    with pytest.raises(UsageError):
        Client("https://posthog.test", "phx_a")
    with pytest.raises(UsageError):
        Client("https://posthog.test", "phx_a", environment=1, project=1)


def test_a_client_closes_what_it_opened() -> None:
    with Client("https://posthog.test", "phx_a", project=1) as client:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        client.get_item(NOWHERE)
