"""The sandbox on a socket: keep-alive, threads, a clean end."""

import http.client
import socket
import threading
import time

import httpx
import pytest

from dssync.sandbox import Fault, Sandbox, generate, serve

DATASETS = "/api/environments/1/datasets/"
HEADERS = {"Authorization": "Bearer phx_sandbox"}


def test_it_serves_on_this_machine_only(sandbox: Sandbox) -> None:
    with serve(sandbox) as url:
        assert url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{url}{DATASETS}", headers=HEADERS).json()["count"] == 0


def test_one_connection_serves_many_requests(sandbox: Sandbox) -> None:
    with serve(sandbox) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.connect()
        first = connection.sock
        for method, body in (("GET", None), ("POST", b'{"name":"n"}'), ("HEAD", None)) * 3:
            headers = {**HEADERS, "Content-Type": "application/json"}
            connection.request(method, DATASETS, body=body, headers=headers)
            connection.getresponse().read()
            assert connection.sock is first
        connection.close()
    assert len(sandbox.log) == 9


def test_an_empty_405_keeps_the_connection(sandbox: Sandbox) -> None:
    with serve(sandbox) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        answer = client.delete(f"{DATASETS}abc/")
        assert (answer.status_code, answer.content) == (405, b"")
        assert client.get(DATASETS).status_code == 200


def test_links_name_the_host_that_was_asked(sandbox: Sandbox) -> None:
    generate(sandbox.state, datasets=3, items=0)
    with serve(sandbox) as url:
        page = httpx.get(f"{url}{DATASETS}?limit=2", headers=HEADERS).json()
        assert page["next"] == f"{url}{DATASETS}?limit=2&offset=2"
        assert httpx.get(page["next"], headers=HEADERS).json()["next"] is None


def test_chunked_bodies_and_encoded_paths_are_read(sandbox: Sandbox) -> None:
    with serve(sandbox) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        headers = {"Content-Type": "application/json"}
        answer = client.post(DATASETS, content=iter([b'{"name":', b'"n"}']), headers=headers)
        assert answer.status_code == 201
        assert client.get("/api/environments/1/data%73ets/").json()["count"] == 1
        assert client.get(f"{DATASETS}%C3%BC/").status_code == 404


def test_leaving_ends_every_thread_even_with_connections_open(sandbox: Sandbox) -> None:
    before = threading.active_count()
    with serve(sandbox) as url:
        host, port = url.removeprefix("http://").split(":")
        idle = socket.create_connection((host, int(port)))
        client = httpx.Client(base_url=url, headers=HEADERS)
        client.get(DATASETS)
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        client.get(DATASETS)
    client.close()
    idle.close()


def test_leaving_ends_a_hanging_answer(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("hang", 60))
    began = time.monotonic()
    with serve(sandbox) as url, pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{url}{DATASETS}", headers=HEADERS, timeout=0.1)
    assert time.monotonic() - began < 5


def test_a_sandbox_can_be_served_again(sandbox: Sandbox) -> None:
    for _ in range(2):
        with serve(sandbox) as url:
            assert httpx.get(f"{url}{DATASETS}", headers=HEADERS).status_code == 200


def test_a_taken_port_is_an_os_error(sandbox: Sandbox) -> None:
    with serve(sandbox) as url, pytest.raises(OSError), serve(Sandbox(), int(url[-5:])):
        pass


def test_race_mode_lets_overlapping_patches_undo_each_other(sandbox: Sandbox) -> None:
    row = sandbox.state.insert("dataset", name="old", description="old")
    sandbox.race = 0.3
    with serve(sandbox) as url:

        def patch(body: dict[str, str]) -> None:
            httpx.patch(f"{url}{DATASETS}{row}/", json=body, headers=HEADERS)

        bodies = ({"name": "new"}, {"description": "new"})
        threads = [threading.Thread(target=patch, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    shown = sandbox.state.get("dataset", row)
    assert sorted([shown["name"], shown["description"]]) == ["new", "old"]


def test_without_race_mode_patches_wait_for_each_other(sandbox: Sandbox) -> None:
    row = sandbox.state.insert("dataset", name="old", metadata={})
    fields = ["name", "description", "metadata"]
    with serve(sandbox) as url:

        def patch(field: str) -> None:
            for n in range(10):
                body = {field: f"{field} {n}"}
                httpx.patch(f"{url}{DATASETS}{row}/", json=body, headers=HEADERS)

        threads = [threading.Thread(target=patch, args=(field,)) for field in fields]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    shown = sandbox.state.get("dataset", row)
    assert [shown[field] for field in fields] == ["name 9", "description 9", "metadata 9"]
