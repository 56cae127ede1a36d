"""The rate limits: what counts, what is refused, how long to wait."""

from collections.abc import Callable

import httpx

from dssync.sandbox import POSTHOG_LIMITS, Sandbox, Window

DATASETS = "/api/environments/1/datasets/"


def status(http: httpx.Client) -> int:
    return http.get(DATASETS).status_code


def test_a_sandbox_has_posthogs_limits_by_default() -> None:
    assert Sandbox().limits == POSTHOG_LIMITS == (Window(480, 60), Window(4800, 3600))


def test_the_481st_call_of_a_minute_is_refused(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.limits = POSTHOG_LIMITS
    assert {status(http) for _ in range(480)} == {200}
    answer = http.get(DATASETS)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"
    assert answer.json() == {
        "type": "throttled_error",
        "code": "throttled",
        "detail": "Request was throttled. Expected available in 60 seconds.",
        "attr": None,
    }


def test_the_window_slides(
    http: httpx.Client, sandbox: Sandbox, step: Callable[[float], None]
) -> None:
    sandbox.limits = [Window(2, 60)]
    assert status(http) == 200
    step(40.5)
    assert status(http) == 200
    refused = http.get(DATASETS)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "20")
    step(19.5)
    assert status(http) == 200
    assert status(http) == 429


def test_a_call_refused_by_the_minute_still_counts_in_the_hour(
    http: httpx.Client, sandbox: Sandbox, step: Callable[[float], None]
) -> None:
    sandbox.limits = [Window(2, 60), Window(6, 3600)]
    answers = [status(http) for _ in range(6)]
    assert answers == [200, 200, 429, 429, 429, 429]
    step(61)
    refused = http.get(DATASETS)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3539")


def test_a_call_refused_by_the_minute_does_not_count_in_the_minute(
    http: httpx.Client, sandbox: Sandbox, step: Callable[[float], None]
) -> None:
    sandbox.limits = [Window(1, 60)]
    assert status(http) == 200
    step(59)
    assert status(http) == 429
    step(1)
    assert status(http) == 200


def test_401_and_403_do_not_count(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.limits = [Window(1, 60)]
    sandbox.add_project(2, "secret", member=False)
    assert http.get(DATASETS, headers={"Authorization": "Bearer x"}).status_code == 401
    assert http.get("/api/projects/2/datasets/").status_code == 403
    assert status(http) == 200
    assert status(http) == 429


def test_a_404_of_a_record_and_a_405_count(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.limits = [Window(2, 60)]
    assert http.get(f"{DATASETS}abc/").status_code == 404
    assert http.delete(f"{DATASETS}abc/").status_code == 405
    assert status(http) == 429


def test_the_limit_is_the_keys_over_all_projects_and_endpoints(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.limits = [Window(2, 60)]
    sandbox.add_project(2, "other")
    sandbox.add_key("phx_second")
    assert http.get("/api/projects/2/dataset_items/").status_code == 200
    assert http.post(DATASETS, json={"name": "n"}).status_code == 201
    assert status(http) == 429
    second = {"Authorization": "Bearer phx_second"}
    assert http.get(DATASETS, headers=second).status_code == 200


def test_without_limits_nothing_is_refused(http: httpx.Client) -> None:
    assert {status(http) for _ in range(600)} == {200}


def test_a_throttled_write_writes_nothing(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.limits = [Window(0, 60)]
    assert http.post(DATASETS, json={"name": "n"}).status_code == 429
    assert sandbox.state.rows("dataset") == []
