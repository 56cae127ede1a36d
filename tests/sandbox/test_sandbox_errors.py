"""Refusals: the words, and which comes first."""

import uuid

import httpx
import pytest

from dssync.sandbox import Sandbox, Window

DATASETS = "/api/environments/1/datasets/"
JSON = {"Content-Type": "application/json"}
NOT_AUTHENTICATED = {
    "type": "authentication_error",
    "code": "not_authenticated",
    "detail": "Authentication credentials were not provided.",
    "attr": None,
}
BAD_KEY = {
    "type": "authentication_error",
    "code": "authentication_failed",
    "detail": "Personal API key found in request Authorization header is invalid.",
    "attr": None,
}


def denied(detail: str) -> dict[str, str | None]:
    """Return the body of a 403."""
    kind, code = "authentication_error", "permission_denied"
    return {"type": kind, "code": code, "detail": detail, "attr": None}


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "bearer phx_sandbox", "Token phx_sandbox", "phx_sandbox"]
)
def test_no_key_or_a_wrong_scheme_is_not_authenticated(http: httpx.Client, header: str) -> None:
    answer = http.get(DATASETS, headers={"Authorization": header})
    assert (answer.status_code, answer.json()) == (401, NOT_AUTHENTICATED)
    assert "www-authenticate" not in answer.headers


def test_a_missing_header_is_not_authenticated(http: httpx.Client) -> None:
    del http.headers["Authorization"]
    assert http.get(DATASETS).json() == NOT_AUTHENTICATED


def test_a_bad_key_fails(http: httpx.Client) -> None:
    answer = http.get(DATASETS, headers={"Authorization": "Bearer phx_other"})
    assert (answer.status_code, answer.json()) == (401, BAD_KEY)
    assert "www-authenticate" not in answer.headers


def test_a_revoked_key_fails(http: httpx.Client, sandbox: Sandbox) -> None:
    assert http.get(DATASETS).status_code == 200
    sandbox.access.revoke("phx_sandbox")
    assert http.get(DATASETS).json() == BAD_KEY


@pytest.mark.parametrize(
    ("scopes", "missing_to_read", "missing_to_write"),
    [
        (["dataset:read"], False, True),
        (["dataset:write"], False, False),
        (["*"], False, False),
        (["insight:read"], True, True),
        ([], True, True),
    ],
)
def test_reading_and_writing_need_their_scope_and_write_implies_read(
    http: httpx.Client,
    sandbox: Sandbox,
    scopes: list[str],
    missing_to_read: bool,
    missing_to_write: bool,
) -> None:
    sandbox.add_key("phx_scoped", scopes)
    headers = {"Authorization": "Bearer phx_scoped"}
    read = http.get(DATASETS, headers=headers)
    written = http.post(DATASETS, json={"name": "n"}, headers=headers)
    assert (read.status_code == 403) is missing_to_read
    assert (written.status_code == 403) is missing_to_write
    if missing_to_read:
        assert read.json() == denied("API key missing required scope 'dataset:read'")
    if missing_to_write:
        assert written.json() == denied("API key missing required scope 'dataset:write'")


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_every_change_needs_the_write_scope(
    http: httpx.Client, sandbox: Sandbox, dataset: str, method: str
) -> None:
    sandbox.add_key("phx_reader", ["dataset:read"])
    headers = {"Authorization": "Bearer phx_reader"}
    assert http.request(method, f"{DATASETS}{dataset}/", headers=headers).status_code == 403


def test_a_key_reaches_only_its_projects(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.add_project(2, "other")
    sandbox.add_key("phx_one", projects=[1])
    headers = {"Authorization": "Bearer phx_one"}
    assert http.get(DATASETS, headers=headers).status_code == 200
    answer = http.get("/api/projects/2/datasets/", headers=headers)
    assert answer.status_code == 403
    detail = "API key does not have access to the requested project: ID 2."
    assert answer.json() == denied(detail)


def test_a_project_one_is_no_member_of(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.add_project(3, "secret", member=False)
    answer = http.get("/api/projects/3/datasets/")
    assert answer.json() == denied("You don't have access to the project.")


@pytest.mark.parametrize("accept", ["text/html", "text/html, image/png", "application/xml"])
def test_an_accept_without_json_is_406(http: httpx.Client, accept: str) -> None:
    answer = http.get(DATASETS, headers={"Accept": accept})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html, */*;q=0.8"])
def test_an_accept_with_json_is_served(http: httpx.Client, accept: str) -> None:
    assert http.get(DATASETS, headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize("media_type", ["text/plain", "text/plain; charset=utf-8", "text/csv"])
def test_a_body_of_another_type_is_415(http: httpx.Client, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    answer = http.post(DATASETS, content=b'{"name":"n"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_list_has_no_such_method(http: httpx.Client, method: str) -> None:
    answer = http.request(method, DATASETS)
    assert answer.status_code == 405
    assert answer.json()["detail"] == f'Method "{method}" not allowed.'


STAGES = [415, 401, 404, 403, 429, 404]
"""In this order; the first 404 is the project's, the second the record's."""


@pytest.mark.parametrize("first", range(len(STAGES)))
def test_refusals_come_in_this_order(sandbox: Sandbox, http: httpx.Client, first: int) -> None:
    """Break every stage from `first` on: the answer is that of the first broken one."""
    sandbox.add_key("phx_reader", ["dataset:read"], name="reader")
    sandbox.add_key("phx_full", name="full")
    key = "phx_nobody" if first <= 1 else "phx_reader" if first <= 3 else "phx_full"
    project = "99" if first <= 2 else "1"
    if first <= 4:
        sandbox.limits = [Window(1, 60)]
        http.get(DATASETS, headers={"Authorization": "Bearer phx_full"})
    answer = http.patch(
        f"/api/environments/{project}/datasets/{uuid.uuid4()}/",
        content=b'{"name":"n"}',
        headers={
            "Content-Type": "text/plain" if first == 0 else "application/json",
            "Authorization": f"Bearer {key}",
        },
    )
    assert answer.status_code == STAGES[first]
    project_missing = answer.json()["detail"] == "Project not found."
    assert project_missing is (first == 2)


def test_a_parse_error_comes_before_the_key(http: httpx.Client) -> None:
    headers = {**JSON, "Authorization": "Bearer phx_nobody"}
    answer = http.post(DATASETS, content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_a_body_is_not_read_for_its_type_when_it_is_empty(http: httpx.Client, dataset: str) -> None:
    headers = {"Content-Type": "text/plain"}
    assert http.patch(f"{DATASETS}{dataset}/", headers=headers).status_code == 200
