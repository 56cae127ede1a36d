"""Single records: their paths, and what deletion means."""

import uuid

import httpx
import pytest

from dssync.sandbox import Sandbox

DATASETS = "/api/environments/1/datasets/"
ITEMS = "/api/environments/1/dataset_items/"
NOT_FOUND = {
    "type": "invalid_request",
    "code": "not_found",
    "detail": "Not found.",
    "attr": None,
}


def test_the_trailing_slash_is_optional_on_every_method(http: httpx.Client) -> None:
    created = http.post("/api/environments/1/datasets", json={"name": "n"})
    assert created.status_code == 201
    record = f"/api/environments/1/datasets/{created.json()['id']}"
    assert http.get("/api/environments/1/datasets").status_code == 200
    assert http.get(record).status_code == 200
    assert http.patch(record, json={}).status_code == 200
    assert http.put(record, json={"name": "n"}).status_code == 200
    assert http.delete(record).status_code == 405


@pytest.mark.parametrize("path", [DATASETS, ITEMS])
@pytest.mark.parametrize("record", ["abc", "1", "0b5a4cf0-93a1-4b2e-9a51-6f3f4d9e2c77"])
def test_a_malformed_or_unknown_id_answers_404(http: httpx.Client, path: str, record: str) -> None:
    for answer in (http.get(f"{path}{record}/"), http.patch(f"{path}{record}/", json={})):
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_a_foreign_id_answers_404(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.add_project(2, "other")
    foreign = sandbox.state.insert("dataset", 2, name="n")
    assert http.get(f"{DATASETS}{foreign}/").json() == NOT_FOUND
    assert http.get(f"/api/environments/2/datasets/{foreign}/").json()["team"] == 2


def test_ids_are_uuid_shaped_but_no_rfc_version(http: httpx.Client, sandbox: Sandbox) -> None:
    made = [uuid.UUID(sandbox.state.insert("dataset", name="n")) for _ in range(20)]
    assert {one.version for one in made} != {4}
    assert len({one.variant for one in made}) > 1
    assert http.get(f"{DATASETS}{made[0]}/").status_code == 200


@pytest.mark.parametrize("project", ["99", "abc", "-1", "²"])
def test_an_unknown_project_answers_404(http: httpx.Client, project: str) -> None:
    answer = http.get(f"/api/environments/{project}/datasets/")
    assert answer.status_code == 404
    assert answer.json() == {**NOT_FOUND, "detail": "Project not found."}


@pytest.mark.parametrize("path", ["/", "/environments/1/datasets/", "/apis/", "/project/1"])
def test_a_path_outside_api_redirects_to_a_login_page(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/login?next=/")
    assert answer.headers["content-type"].startswith("text/html")
    page = http.get(answer.headers["location"])
    assert (page.status_code, page.content[:15]) == (200, b"<!doctype html>")


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/environments/1/insights/"])
def test_an_unknown_path_below_api_answers_404_json(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_there_is_no_etag_and_if_match_is_ignored(http: httpx.Client, dataset: str) -> None:
    shown = http.get(f"{DATASETS}{dataset}/")
    assert not {"etag", "last-modified"} & set(shown.headers)
    headers = {"If-Match": '"nothing like it"'}
    assert http.patch(f"{DATASETS}{dataset}/", json={}, headers=headers).status_code == 200


def test_the_date_header_is_the_servers_clock(http: httpx.Client) -> None:
    assert http.get(DATASETS).headers["date"] == "Mon, 23 Nov 2026 18:13:50 GMT"


@pytest.mark.parametrize("kind", ["dataset", "item"])
def test_deletion_hides_a_row_from_get_but_not_from_patch(
    http: httpx.Client, dataset: str, item: str, kind: str
) -> None:
    record = f"{DATASETS}{dataset}/" if kind == "dataset" else f"{ITEMS}{item}/"
    assert http.patch(record, json={"deleted": True}).json()["deleted"] is True
    assert http.get(record).json() == NOT_FOUND
    assert http.patch(record, json={}).json()["deleted"] is True
    assert http.patch(record, json={"deleted": False}).json()["deleted"] is False
    assert http.get(record).status_code == 200


def test_the_oldest_servers_cannot_undelete(
    http: httpx.Client, sandbox: Sandbox, dataset: str
) -> None:
    sandbox.patch_deleted = False
    record = f"{DATASETS}{dataset}/"
    http.patch(record, json={"deleted": True})
    assert http.patch(record, json={"deleted": False}).json() == NOT_FOUND


def test_deleting_a_dataset_leaves_its_items(http: httpx.Client, dataset: str, item: str) -> None:
    http.patch(f"{DATASETS}{dataset}/", json={"deleted": True})
    assert http.get(f"{ITEMS}{item}/").json()["deleted"] is False
