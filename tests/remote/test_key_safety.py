"""The key goes to its own origin, and into nothing that can be printed."""

import copy
import logging
import pickle
import traceback

import httpx
import pytest

from dssync.errors import ConfigError, DssyncError, Unreachable
from dssync.net.secret import Secret
from dssync.net.transport import HttpTransport, Request, is_loopback
from dssync.posthog import Client

KEY = "phx_verysecretkey"
HERE = "https://posthog.test"


def everything_shown(error: BaseException | None) -> str:
    """Return whatever a traceback could show of this program: messages, and locals of frames."""
    seen = []
    while error is not None:
        seen += [str(error), repr(error), repr(vars(error))]
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "/dssync/" in frame.f_code.co_filename:
                seen += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
        error = error.__cause__ or error.__context__
    return "\n".join(seen)


def failing(error: Exception) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        if isinstance(error, httpx.RequestError):
            error.request = request
        raise error

    return httpx.MockTransport(handle)


def answering(status: int, body: bytes = b"", **headers: str) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, content=body))


FAILURES: list[tuple[str, httpx.MockTransport]] = [
    ("refused", failing(httpx.ConnectError("refused"))),
    ("no connection", failing(httpx.ConnectTimeout(""))),
    ("no answer", failing(httpx.ReadTimeout(""))),
    ("cut", failing(httpx.RemoteProtocolError("peer closed the connection"))),
    ("proxy", failing(httpx.ProxyError("403 Forbidden"))),
    ("401", answering(401, b'{"code": "x", "detail": "y"}')),
    ("404", answering(404, b'{"code": "x", "detail": "y"}')),
    ("500", answering(500)),
    ("redirect", answering(302, Location="https://evil.example/")),
    ("bad gzip", answering(200, b"no gzip", **{"Content-Encoding": "gzip"})),
    ("html", answering(200, b"<html>", **{"Content-Type": "text/html"})),
    ("bad json", answering(200, b"{", **{"Content-Type": "application/json"})),
]


@pytest.mark.parametrize(("name", "inner"), FAILURES, ids=[f[0] for f in FAILURES])
def test_no_error_shows_the_key(
    name: str, inner: httpx.MockTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    transport = HttpTransport(HERE, KEY, inner=inner)
    with (
        pytest.raises(DssyncError) as caught,
        Client(HERE, Secret(KEY), project=1, transport=transport) as client,
    ):
        client.create_dataset("Evals")
    assert not isinstance(caught.value.__context__, httpx.HTTPError)
    assert "method='POST'" in everything_shown(caught.value)
    assert KEY not in everything_shown(caught.value)
    assert KEY not in caplog.text


@pytest.mark.parametrize("key", ["", "phx_with space", "phx_line\nbreak", "phx_é", "phx_\x7f"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        HttpTransport(HERE, Secret(key))
    assert not key or key not in everything_shown(caught.value)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]} {vars(Secret)}"
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)
    assert secret.reveal() == KEY


class Recorder:
    """An inner transport that notes where each request would have gone."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.went: list[tuple[str, str, str | None]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("Authorization")
        self.went.append(
            (
                f"{request.url.scheme}://{request.url.netloc.decode()}",
                request.url.raw_path.decode(),
                key,
            )
        )
        return self.answers.pop(0) if self.answers else httpx.Response(200, content=b"{}")


PATHS = [
    "/api/a/",
    "//evil.example/a/",
    "/@evil.example/",
    "/https://evil.example/",
    "/..//evil.example/",
    "/a?b=https://evil.example",
    "/\\evil.example",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", [HERE, "https://posthog.test:8443/sub/", "http://localhost:8000"])
def test_no_path_leads_to_another_origin(host: str, path: str) -> None:
    recorder = Recorder()
    transport = HttpTransport(host, KEY, inner=httpx.MockTransport(recorder))
    transport.send(Request("GET", path, (("next", "https://evil.example/?a=b&c"),)))
    origin = host.removesuffix("/sub/")
    query = "next=https%3A%2F%2Fevil.example%2F%3Fa%3Db%26c"
    [(went, raw, key)] = recorder.went
    assert (went, key) == (origin, f"Bearer {KEY}")
    assert raw.endswith(query)


def test_a_page_link_to_another_host_is_not_followed() -> None:
    page = {"count": 2, "next": "https://evil.example/api/?offset=1", "results": []}
    row = {
        "id": "1",
        "name": "n",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }
    recorder = Recorder(
        httpx.Response(200, json={**page, "results": [row]}),
        httpx.Response(200, json={**page, "next": None, "results": [row]}),
    )
    transport = HttpTransport(HERE, KEY, inner=httpx.MockTransport(recorder))
    client = Client(HERE, KEY, project=1, transport=transport)
    assert len(list(client.iter_datasets())) == 2
    assert {went for went, _, _ in recorder.went} == {HERE}


REFUSED_HOSTS = [
    "http://us.posthog.com",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://10.0.0.1:8000",
    "https://user:pw@us.posthog.com",
    "https://us.posthog.com@evil.example",
    "ftp://us.posthog.com",
    "us.posthog.com",
    "https://",
    "",
    "https://[::1",
]


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_the_key_travels_encrypted_or_not_at_all(host: str) -> None:
    with pytest.raises(ConfigError) as caught:
        HttpTransport(host, Secret(KEY))
    assert "pw" not in str(caught.value)
    assert KEY not in everything_shown(caught.value)


def test_loopback_is_this_machine_only() -> None:
    local = ["localhost", "127.0.0.1", "127.9.9.9", "::1"]
    assert all(map(is_loopback, local))
    assert not any(map(is_loopback, ["10.0.0.1", "0.0.0.0", "example.com", "localhost.a", ""]))


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "http://localhost:9"])
def test_an_unencrypted_key_passes_no_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.invalid:3128")
    transport = HttpTransport(host, KEY)
    with pytest.raises(Unreachable, match="Connection refused"):
        transport.send(Request("GET", "/"))
    transport.close()
