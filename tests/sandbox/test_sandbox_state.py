"""The hands of a test: the state behind the views, hooks, the log, and data to fill it with."""

import dataclasses
import json
import time
from datetime import UTC, datetime

import httpx
import pytest

from dssync.sandbox import Problem, Sandbox, State, generate, load_sample

DATASETS = "/api/environments/1/datasets/"
ITEMS = "/api/environments/1/dataset_items/"


def test_state_and_api_show_the_same_rows(http: httpx.Client, sandbox: Sandbox) -> None:
    load_sample(sandbox.state)
    assert http.get(DATASETS).json()["results"] == sandbox.state.rows("dataset")
    assert http.get(ITEMS).json()["results"] == sandbox.state.rows("item")
    one = sandbox.state.rows("item")[3]
    assert http.get(f"{ITEMS}{one['id']}/").json() == sandbox.state.get("item", one["id"])


def test_another_user_inserts_with_chosen_id_and_times(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    identity = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    moment = datetime(2020, 2, 2, 2, 2, 2, tzinfo=UTC)
    made = sandbox.state.insert(
        "dataset", name=" n ", id=identity, created_at=moment, updated_at=moment
    )
    assert made == identity
    shown = http.get(f"{DATASETS}{identity}/").json()
    assert (shown["name"], shown["created_at"]) == ("n", "2020-02-02T02:02:02Z")
    assert shown["updated_at"] == shown["created_at"]


def test_another_user_updates_deletes_undeletes_and_removes(
    http: httpx.Client, sandbox: Sandbox, dataset: str
) -> None:
    state, record = sandbox.state, f"{DATASETS}{dataset}/"
    before = http.get(record).json()
    state.update("dataset", dataset, description="theirs")
    after = http.get(record).json()
    assert after["description"] == "theirs"
    assert after["updated_at"] > before["updated_at"]
    state.delete("dataset", dataset)
    assert http.get(record).status_code == 404
    assert [row["id"] for row in state.rows("dataset", deleted=True)] == [dataset]
    state.undelete("dataset", dataset)
    assert http.get(record).status_code == 200
    state.remove("dataset", dataset)
    assert http.patch(record, json={}).status_code == 404
    with pytest.raises(KeyError):
        state.get("dataset", dataset)


def test_updated_at_may_be_set_back(http: httpx.Client, sandbox: Sandbox, dataset: str) -> None:
    early = datetime(2020, 1, 1, tzinfo=UTC)
    sandbox.state.update("dataset", dataset, name="n", updated_at=early)
    assert http.get(f"{DATASETS}{dataset}/").json()["updated_at"] == "2020-01-01T00:00:00Z"


def test_a_changed_profile_shows_in_every_record_of_that_person(
    http: httpx.Client, sandbox: Sandbox, dataset: str, item: str
) -> None:
    before = http.get(f"{ITEMS}{item}/").json()
    profile = sandbox.state.get_person(1)
    sandbox.state.set_person({**profile, "hedgehog_config": {"color": "blue"}})
    for path in (f"{ITEMS}{item}/", f"{DATASETS}{dataset}/"):
        assert http.get(path).json()["created_by"]["hedgehog_config"] == {"color": "blue"}
    after = http.get(f"{ITEMS}{item}/").json()
    assert {**after, "created_by": 0} == {**before, "created_by": 0}


def test_created_by_is_the_person_of_the_key(http: httpx.Client, sandbox: Sandbox) -> None:
    load_sample(sandbox.state)
    sandbox.add_key("phx_maya", person=2)
    headers = {"Authorization": "Bearer phx_maya"}
    shown = http.post(DATASETS, json={"name": "n"}, headers=headers).json()
    assert shown["created_by"]["first_name"] == "Maya"


def test_before_save_sees_the_row_between_reading_and_saving(
    http: httpx.Client, sandbox: Sandbox, dataset: str
) -> None:
    seen = []

    def spy(kind: str, row_id: str) -> None:
        seen.append((kind, row_id, sandbox.state.get("dataset", row_id)["name"]))

    sandbox.before_save = spy
    http.patch(f"{DATASETS}{dataset}/", json={"name": "two"})
    http.put(f"{DATASETS}{dataset}/", json={"name": "three"})
    http.patch(f"{DATASETS}{dataset}/", json={"name": ""})
    assert seen == [("dataset", dataset, "one"), ("dataset", dataset, "two")]


def test_before_save_may_disarm_itself(http: httpx.Client, sandbox: Sandbox, dataset: str) -> None:
    calls = []

    def once(kind: str, row_id: str) -> None:
        calls.append(kind)
        sandbox.before_save = None

    sandbox.before_save = once
    for _ in range(3):
        http.patch(f"{DATASETS}{dataset}/", json={})
    assert calls == ["dataset"]


def test_the_state_refuses_what_a_post_refuses(sandbox: Sandbox) -> None:
    with pytest.raises(Problem, match="This field may not be blank"):
        sandbox.state.insert("dataset", name="  ")


def test_between_pages_runs_before_every_list_request_but_the_first(
    http: httpx.Client, sandbox: Sandbox, dataset: str
) -> None:
    sandbox.between_pages(lambda: sandbox.state.insert("dataset", name="new"))
    counts = [http.get(DATASETS).json()["count"] for _ in range(3)]
    http.get(f"{DATASETS}{dataset}/")
    http.post(DATASETS, json={"name": "n"})
    assert counts == [1, 2, 3]
    sandbox.between_pages(None)
    assert http.get(DATASETS).json()["count"] == 4


def test_the_log_holds_what_was_asked_and_the_keys_name_only(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    http.get(f"{DATASETS}?limit=1&limit=2&search=")
    http.post(DATASETS, content=b'{"name":"n"}', headers={"Content-Type": "application/json"})
    http.get("/nowhere", headers={"Authorization": "Bearer phx_unknown"})
    listed, posted, lost = sandbox.log
    assert (listed.method, listed.path, listed.status) == ("GET", DATASETS, 200)
    assert listed.query == {"limit": "2", "search": ""}
    assert (posted.body, posted.status, posted.key) == (b'{"name":"n"}', 201, "sandbox")
    assert (lost.status, lost.key) == (302, None)
    assert "phx_" not in repr(sandbox.log)
    assert sandbox.log.by_method() == {"GET": 2, "POST": 1}
    assert sandbox.log.writes() == [posted]
    with pytest.raises(dataclasses.FrozenInstanceError):
        posted.status = 200  # type: ignore[misc]
    sandbox.log.clear()
    assert sandbox.log == []


def test_the_sample_is_six_datasets_of_ten_items_with_fixed_ids(sandbox: Sandbox) -> None:
    load_sample(sandbox.state)
    datasets, items = sandbox.state.rows("dataset"), sandbox.state.rows("item")
    assert (len(datasets), len(items)) == (6, 60)
    second = Sandbox()
    load_sample(second.state)
    assert second.state.rows("item") == items
    assert len({item["created_by"]["id"] for item in items if item["created_by"]}) == 4
    assert any(person["created_by"]["hedgehog_config"] for person in datasets)


def state_as_json(seed: int) -> str:
    state = Sandbox().state
    generate(state, datasets=7, items=50, seed=seed)
    return json.dumps([state.rows("dataset"), state.rows("item")])


def test_the_same_seed_generates_the_same_data() -> None:
    assert state_as_json(1) == state_as_json(1)
    assert state_as_json(1) != state_as_json(2)


@pytest.mark.parametrize(("datasets", "items"), [(0, 0), (1, 0), (20, 33), (3, 100)])
def test_generate_makes_as_many_as_asked(
    http: httpx.Client, sandbox: Sandbox, datasets: int, items: int
) -> None:
    generate(sandbox.state, datasets=datasets, items=items)
    assert http.get(DATASETS).json()["count"] == datasets
    assert http.get(ITEMS).json()["count"] == items
    names = {row["name"] for row in sandbox.state.rows("dataset")}
    assert len(names) == datasets


def test_generate_twice_adds_to_what_is_there(sandbox: Sandbox) -> None:
    sandbox.add_project(2, "other")
    generate(sandbox.state, datasets=2, items=10)
    generate(sandbox.state, 2, datasets=2, items=10)
    generate(sandbox.state, datasets=2, items=10, seed=1)
    assert len(sandbox.state.rows("item")) == 20
    assert len(sandbox.state.rows("item", 2)) == 10


def test_a_large_page_deep_in_a_large_list_is_quick(http: httpx.Client, sandbox: Sandbox) -> None:
    state: State = sandbox.state
    parent = state.insert("dataset", name="large")
    for n in range(20_000):
        state.insert("item", dataset=parent, input=n)
    page = {"limit": 1000, "offset": 10_000}
    http.get(ITEMS, params=page)
    began = time.process_time()
    for _ in range(20):
        state.insert("item", dataset=parent)
        assert len(http.get(ITEMS, params=page).json()["results"]) == 1000
    assert time.process_time() - began < 2
