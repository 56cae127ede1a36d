"""Whoever watches is told over a real socket; what its server does costs seconds at most."""

import logging
import time
from collections.abc import Iterator

import pytest

from dssync.backup.heartbeat import MOST, Heartbeat
from dssync.errors import ConfigError
from dssync.net.secret import Secret
from dssync.notice import Notice, Told
from tests.backup.listener import SECRET, Listener, listening


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def beat(url: str, seconds: float = 5.0) -> Heartbeat:
    suffixes = {"start": "/start", "success": "", "failure": "/fail"}
    told = {moment: Told(Secret(url), "url", suffix) for moment, suffix in suffixes.items()}
    return Heartbeat.of(Notice(told), seconds)


def test_start_success_and_failure_have_paths_of_their_own(listener: Listener) -> None:
    told = beat(listener.url)
    assert told.started() == []
    assert told.ended(0, "all is well\n") == []
    assert told.ended(9, "damage: é\n") == []
    path = f"/ping/{SECRET}"
    assert listener.told == [
        ("POST", f"{path}/start", ""),
        ("POST", path, "all is well\n"),
        ("POST", f"{path}/fail", "damage: é\n"),
    ]


def test_the_query_of_a_url_stays_where_it_is(listener: Listener) -> None:
    assert beat(f"{listener.url}/?a=%2F&b=c").started() == []
    assert listener.paths == [f"/ping/{SECRET}/start?a=%2F&b=c"]


def test_only_the_end_of_a_long_report_is_sent(listener: Listener) -> None:
    lines = [f"line {n} é" for n in range(5000)]
    assert beat(listener.url).ended(3, "\n".join(lines)) == []
    [(_, _, body)] = listener.told
    assert len(body.encode()) <= MOST
    assert body.splitlines()[0] == "…"
    assert body.splitlines()[1] in lines
    assert body.endswith("line 4999 é")


def test_a_server_that_takes_no_post_is_asked_by_get(listener: Listener) -> None:
    listener.gets_only = True
    assert beat(listener.url).started() == []
    assert [method for method, _, _ in listener.told] == ["POST", "GET"]


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_a_server_that_never_answers_costs_no_more_than_the_time(
    listener: Listener, how: str
) -> None:
    setattr(listener, how, True)
    begun = time.monotonic()
    [why] = beat(listener.url, seconds=0.3).ended(0, "")
    assert time.monotonic() - begun < 2
    assert why.startswith("the heartbeat (success) did not reach 127.0.0.1: no answer in")


def test_a_redirect_is_not_followed(listener: Listener) -> None:
    with listening() as elsewhere:
        listener.status, listener.location = 302, elsewhere.url
        [why] = beat(listener.url).started()
        assert "redirects elsewhere (302)" in why
        assert elsewhere.told == []


@pytest.mark.parametrize("status", [404, 500])
def test_a_refusal_is_a_warning(listener: Listener, status: int) -> None:
    listener.status = status
    assert beat(listener.url).started() == [
        f"the heartbeat (start) did not reach 127.0.0.1: it answered {status}"
    ]


def test_a_server_that_is_gone_is_a_warning() -> None:
    with listening() as listener:
        url = listener.url
    [why] = beat(url).started()
    assert "no connection" in why


def test_the_url_is_shown_nowhere(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = beat(listener.url, 0.3)
    shown = [repr(told), *told.started()]
    listener.status = 500
    shown += told.ended(1, "")
    listener.hang = True
    shown += told.ended(0, "")
    assert len(shown) == 3
    assert SECRET not in "".join(shown) + caplog.text


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://watch.example.com/secret-1", "is not encrypted"),
        ("ftp://watch.example.com/secret-1", "is no URL"),
        ("secret-1", "is no URL"),
        ("https:///secret-1", "is no URL"),
        ("https://[secret-1", "is no URL"),
        ("https://h.example.com:port/secret-1", "is no URL"),
    ],
)
def test_what_cannot_be_pinged_is_refused_unseen(url: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        beat(url)
    assert why in caught.value.message
    assert "secret-1" not in repr(caught.value) + caught.value.hint


def test_nobody_to_tell_is_fine() -> None:
    nobody = Heartbeat.of(Notice())
    assert nobody.started() == nobody.ended(0, "") == []
