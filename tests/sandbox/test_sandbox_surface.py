"""The documented surface: both families, both kinds, their fields."""

import uuid

import httpx
import pytest

from dssync.sandbox import Sandbox

FAMILIES = ["environments", "projects"]
DATASET_FIELDS = [
    *("id", "name", "description", "metadata", "created_at", "updated_at"),
    *("deleted", "created_by", "team"),
]
ITEM_FIELDS = [
    *("id", "dataset", "input", "output", "metadata"),
    *("ref_trace_id", "ref_timestamp", "ref_source_id"),
    *("deleted", "created_at", "updated_at", "created_by", "team"),
]
PERSON_FIELDS = [
    *("id", "uuid", "distinct_id", "first_name", "last_name", "email"),
    *("is_email_verified", "hedgehog_config", "role_at_organization"),
]


@pytest.mark.parametrize("family", FAMILIES)
def test_both_families_offer_five_dataset_operations(http: httpx.Client, family: str) -> None:
    base = f"/api/{family}/1/datasets/"
    created = http.post(base, json={"name": "n"})
    assert created.status_code == 201
    record = f"{base}{created.json()['id']}/"
    assert http.get(base).json()["count"] == 1
    assert http.get(record).status_code == 200
    assert http.patch(record, json={"name": "m"}).json()["name"] == "m"
    assert http.delete(record).status_code == 405


@pytest.mark.parametrize("family", FAMILIES)
def test_both_families_offer_five_item_operations(
    http: httpx.Client, dataset: str, family: str
) -> None:
    base = f"/api/{family}/1/dataset_items/"
    created = http.post(base, json={"dataset": dataset})
    assert created.status_code == 201
    record = f"{base}{created.json()['id']}/"
    assert http.get(base).json()["count"] == 1
    assert http.get(record).status_code == 200
    assert http.patch(record, json={"output": 1}).json()["output"] == 1
    assert http.delete(record).status_code == 405


def test_the_families_show_the_same_records(http: httpx.Client, dataset: str) -> None:
    one = http.get(f"/api/environments/1/datasets/{dataset}/").json()
    assert one == http.get(f"/api/projects/1/datasets/{dataset}/").json()


def test_delete_answers_405_without_body_and_content_type(http: httpx.Client, item: str) -> None:
    answer = http.delete(f"/api/environments/1/dataset_items/{item}/")
    assert (answer.status_code, answer.content) == (405, b"")
    assert "content-type" not in answer.headers
    assert http.get(f"/api/environments/1/dataset_items/{item}/").status_code == 200


def test_delete_answers_405_even_for_an_unknown_record(http: httpx.Client) -> None:
    assert http.delete(f"/api/environments/1/datasets/{uuid.uuid4()}/").status_code == 405


def test_a_dataset_has_the_documented_fields(http: httpx.Client, dataset: str) -> None:
    shown = http.get(f"/api/environments/1/datasets/{dataset}/").json()
    assert list(shown) == DATASET_FIELDS
    assert list(shown["created_by"]) == PERSON_FIELDS
    assert shown["team"] == 1
    assert shown["deleted"] is False
    assert (shown["description"], shown["metadata"]) == (None, None)


def test_an_item_has_the_documented_fields(http: httpx.Client, item: str, dataset: str) -> None:
    shown = http.get(f"/api/environments/1/dataset_items/{item}/").json()
    assert list(shown) == ITEM_FIELDS
    assert shown["dataset"] == dataset
    assert (shown["ref_trace_id"], shown["ref_timestamp"], shown["ref_source_id"]) == (None,) * 3


def test_a_list_answer_has_four_fields(http: httpx.Client) -> None:
    answer = http.get("/api/environments/1/datasets/")
    assert answer.text == '{"count":0,"next":null,"previous":null,"results":[]}'


def test_created_by_may_be_null(http: httpx.Client, sandbox: Sandbox) -> None:
    row = sandbox.state.insert("dataset", name="n", created_by=None)
    assert http.get(f"/api/environments/1/datasets/{row}/").json()["created_by"] is None


def test_json_is_utf8_compact_and_not_escaped(http: httpx.Client) -> None:
    body = '{"name":"\u2028 Ångström 🦔","metadata":{"a":[1,2]}}'.encode()
    headers = {"Content-Type": "application/json"}
    answer = http.post("/api/environments/1/datasets/", content=body, headers=headers)
    assert answer.headers["content-type"] == "application/json"
    assert '"name":"Ångström 🦔"'.encode() in answer.content
    assert b'"metadata":{"a":[1,2]}' in answer.content
