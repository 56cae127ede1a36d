"""Scripted misbehaviour, in process and over a real socket."""

import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from dssync.sandbox import ConnectionDropped, Fault, Sandbox, serve

DATASETS = "/api/environments/1/datasets/"
ITEMS = "/api/environments/1/dataset_items/"


@pytest.fixture
def socket_http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer phx_sandbox"}
    with serve(sandbox) as url, httpx.Client(base_url=url, headers=headers, timeout=5) as client:
        yield client


def names(sandbox: Sandbox) -> list[str]:
    return [row["name"] for row in sandbox.state.rows("dataset")]


def fill(sandbox: Sandbox, count: int) -> list[str]:
    return [sandbox.state.insert("dataset", name=f"n{n}") for n in range(count)][::-1]


def ids(answer: httpx.Response) -> list[str]:
    return [row["id"] for row in answer.json()["results"]]


def test_a_status_fault_answers_html_and_writes_nothing(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("status", 502))
    answer = http.post(DATASETS, json={"name": "n"})
    assert (answer.status_code, answer.headers["content-type"][:9]) == (502, "text/html")
    assert names(sandbox) == []
    assert http.post(DATASETS, json={"name": "n"}).status_code == 201


def test_a_status_fault_may_answer_json_and_ask_for_patience(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    body = {"type": "server_error", "code": "error", "detail": "x", "attr": None}
    sandbox.faults.add(Fault("status", 503, body=body, retry_after=7))
    answer = http.get(DATASETS)
    assert (answer.status_code, answer.json()) == (503, body)
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("status", [500, 502, 504, 520])
def test_a_status_after_the_commit_has_written(
    http: httpx.Client, sandbox: Sandbox, status: int
) -> None:
    sandbox.faults.add(Fault("status_after", status, method="POST"))
    assert http.post(DATASETS, json={"name": "n"}).status_code == status
    assert names(sandbox) == ["n"]


def test_a_drop_before_the_commit_writes_nothing(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("drop"))
    with pytest.raises(ConnectionDropped):
        http.post(DATASETS, json={"name": "n"})
    assert names(sandbox) == []
    assert [(entry.method, entry.status) for entry in sandbox.log] == [("POST", 0)]


def test_a_drop_after_the_commit_has_written(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("drop_after"))
    with pytest.raises(ConnectionDropped):
        http.post(DATASETS, json={"name": "n"})
    assert names(sandbox) == ["n"]


@pytest.mark.parametrize(("action", "written"), [("drop", []), ("drop_after", ["n"])])
def test_a_drop_resets_a_real_connection(
    socket_http: httpx.Client, sandbox: Sandbox, action: str, written: list[str]
) -> None:
    sandbox.faults.add(Fault(action))
    with pytest.raises(httpx.ReadError):
        socket_http.post(DATASETS, json={"name": "n"})
    assert names(sandbox) == written
    assert socket_http.get(DATASETS).json()["count"] == len(written)


def test_a_truncated_answer_stops_short_of_its_length(
    socket_http: httpx.Client, sandbox: Sandbox
) -> None:
    fill(sandbox, 5)
    sandbox.faults.add(Fault("truncate"), Fault("truncate", 10, nth=2))
    with pytest.raises(httpx.RemoteProtocolError):
        socket_http.get(DATASETS)
    with pytest.raises(httpx.RemoteProtocolError, match="received 10 bytes"):
        socket_http.get(DATASETS)
    assert socket_http.get(DATASETS).json()["count"] == 5


def test_a_truncated_answer_in_process_is_a_short_body(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("truncate", 5))
    assert http.get(DATASETS).text == '{"cou'


@pytest.mark.parametrize("action", ["hang", "hang_after"])
def test_a_hanging_answer_outlasts_an_impatient_client(
    socket_http: httpx.Client, sandbox: Sandbox, action: str
) -> None:
    sandbox.faults.add(Fault(action, 30))
    with pytest.raises(httpx.ReadTimeout):
        socket_http.post(DATASETS, json={"name": "n"}, timeout=0.1)
    assert names(sandbox) == ([] if action == "hang" else ["n"])


def test_a_hanging_write_takes_effect_after_the_client_gave_up(
    socket_http: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("hang", 0.2))
    with pytest.raises(httpx.ReadTimeout):
        socket_http.post(DATASETS, json={"name": "n"}, timeout=0.05)
    deadline = time.monotonic() + 5
    while not names(sandbox) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert names(sandbox) == ["n"]


def test_a_login_page_is_html_with_200(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("login_page"))
    answer = http.get(DATASETS)
    assert (answer.status_code, answer.headers["content-type"][:9]) == (200, "text/html")


def test_a_redirect_names_another_host(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("redirect", "https://elsewhere.example/api/"))
    answer = http.get(DATASETS)
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://elsewhere.example/api/"


@pytest.mark.parametrize("shape", [[], {"detail": "ok"}, None, {"results": {}}, "text"])
def test_a_wrong_shape_is_valid_json(http: httpx.Client, sandbox: Sandbox, shape: object) -> None:
    sandbox.faults.add(Fault("wrong_shape", shape))
    answer = http.get(DATASETS)
    assert (answer.status_code, answer.json()) == (200, shape)


def test_a_repeated_page_is_the_one_before(http: httpx.Client, sandbox: Sandbox) -> None:
    rows = fill(sandbox, 6)
    sandbox.faults.add(Fault("repeat_page", offset=4))
    pages = [ids(http.get(DATASETS, params={"limit": 2, "offset": n})) for n in (0, 2, 4, 4)]
    assert pages == [rows[0:2], rows[2:4], rows[2:4], rows[4:6]]


def test_an_empty_list_claims_that_nothing_is_there(http: httpx.Client, sandbox: Sandbox) -> None:
    fill(sandbox, 3)
    sandbox.faults.add(Fault("empty_list"))
    answer = http.get(DATASETS)
    assert answer.text == '{"count":0,"next":null,"previous":null,"results":[]}'


def test_a_clamp_grants_smaller_pages_and_says_so_in_the_links(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    rows = fill(sandbox, 30)
    sandbox.faults.add(Fault("clamp", 10, times=None))
    page = http.get(DATASETS, params={"limit": 25})
    assert ids(page) == rows[:10]
    assert page.json()["next"].endswith("?limit=10&offset=10")
    assert ids(http.get(DATASETS, params={"limit": 3})) == rows[:3]


def test_next_may_end_early(http: httpx.Client, sandbox: Sandbox) -> None:
    rows = fill(sandbox, 4)
    sandbox.faults.add(Fault("no_next"), Fault("no_next", path="nothing"))
    page = http.get(DATASETS, params={"limit": 2})
    assert (page.json()["next"], page.json()["count"], ids(page)) == (None, 4, rows[:2])
    sandbox.faults.add(Fault("no_next"))
    assert http.get(f"{DATASETS}?order_by=x").status_code == 400


def test_a_list_may_claim_what_it_likes(http: httpx.Client, sandbox: Sandbox) -> None:
    rows = fill(sandbox, 4)
    sandbox.faults.add(Fault("claim", {"count": 9_000, "next": "https://elsewhere.test/"}))
    page = http.get(DATASETS, params={"limit": 2})
    assert (page.json()["count"], page.json()["next"]) == (9_000, "https://elsewhere.test/")
    assert ids(page) == rows[:2]


MATCHES = {
    "any": (Fault("status", 599), [0]),
    "a method": (Fault("status", 599, method="POST"), [2]),
    "a path": (Fault("status", 599, path="dataset_items"), [1]),
    "an offset": (Fault("status", 599, offset=7), [3]),
    "no offset is zero": (Fault("status", 599, offset=0, nth=2), [1]),
    "the nth": (Fault("status", 599, nth=3), [2]),
    "some times": (Fault("status", 599, nth=2, times=2), [1, 2]),
    "for ever": (Fault("status", 599, nth=2, times=None), [1, 2, 3]),
    "nothing": (Fault("status", 599, method="PUT"), []),
}


@pytest.mark.parametrize(("fault", "struck"), MATCHES.values(), ids=MATCHES)
def test_a_fault_strikes_where_it_should(
    http: httpx.Client, sandbox: Sandbox, fault: Fault, struck: list[int]
) -> None:
    sandbox.faults.add(fault)
    answers = [
        http.get(DATASETS),
        http.get(ITEMS),
        http.post(DATASETS, json={"name": "n"}),
        http.get(DATASETS, params={"offset": 7}),
    ]
    assert [n for n, answer in enumerate(answers) if answer.status_code == 599] == struck


def test_the_first_of_two_faults_wins_and_clear_ends_them(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("status", 501, times=2), Fault("status", 502, times=3))
    assert [http.get(DATASETS).status_code for _ in range(3)] == [501, 501, 502]
    sandbox.faults.add(Fault("status", 503, times=None))
    sandbox.faults.clear()
    assert http.get(DATASETS).status_code == 200


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(ValueError, match="'explode' is no fault; there are status, "):
        Fault("explode")


def test_a_fault_survives_a_limit_the_server_cannot_take(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("clamp", 10, offset=0))
    assert http.get(DATASETS, params={"limit": 2**64}).status_code == 200


def test_faults_are_counted_once_each_under_threads(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("status", 599, times=5))
    statuses: list[int] = []

    def ask(url: str) -> None:
        headers = {"Authorization": "Bearer phx_sandbox"}
        statuses.extend(httpx.get(f"{url}{DATASETS}", headers=headers).status_code for _ in "123")

    with serve(sandbox) as url:
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [200] * 7 + [599] * 5
