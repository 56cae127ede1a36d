"""What each answer means."""

import json

import msgspec
import pytest

from dssync.errors import (
    ApiError,
    DssyncError,
    Invalid,
    KeyRejected,
    MethodNotAllowed,
    NotFound,
    ServerTrouble,
    TemporaryError,
    Throttled,
    Unreachable,
    WrongTarget,
)
from dssync.net.transport import Answer
from dssync.posthog.answers import decode, interpret

JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}


def said(status: int, code: str, detail: str, attr: str | None = None) -> Answer:
    error = {"type": "a_type", "code": code, "detail": detail, "attr": attr}
    return Answer(status, JSON, json.dumps(error).encode())


CASES: list[tuple[str, Answer, type[DssyncError], str]] = [
    ("bad value", said(400, "required", "This field is required.", "name"), Invalid, "name: This"),
    ("no key", said(401, "not_authenticated", "No credentials."), KeyRejected, "No credentials."),
    ("scope", said(403, "permission_denied", "missing required scope 'x'"), KeyRejected, "scope"),
    ("project", said(404, "not_found", "Project not found."), WrongTarget, "project"),
    ("record", said(404, "not_found", "Not found."), NotFound, "Not found."),
    ("method", Answer(405), MethodNotAllowed, "no such method"),
    ("taste", said(406, "not_acceptable", "Not this."), ApiError, "406"),
    ("stale", Answer(409, JSON, b'{"code": "stale_version", "detail": "Old."}'), ApiError, "Old."),
    ("throttled", said(429, "throttled", "Slow down."), Throttled, "rate limit"),
    ("throttled by a proxy", Answer(429, HTML, b"<p>no</p>"), Throttled, "rate limit"),
    ("own 500", said(500, "error", "A server error."), ServerTrouble, "A server error."),
    ("poison", Answer(500, HTML, b"<h1>Server Error</h1>"), ServerTrouble, "500"),
    ("gateway", said(502, "error", "?"), ServerTrouble, "502"),
    ("login page", Answer(200, HTML, b"<html>"), WrongTarget, "web page"),
    ("firewall", Answer(403, HTML, b"<html>"), WrongTarget, "web page"),
    ("not found elsewhere", Answer(404, HTML, b"<html>"), WrongTarget, "web page"),
    ("a stranger's JSON", Answer(404, JSON, b'{"message": "?"}'), WrongTarget, "something else"),
    ("text", Answer(200, {"content-type": "text/plain"}, b"ok"), WrongTarget, "something else"),
    ("nothing", Answer(204), WrongTarget, "something else"),
]


@pytest.mark.parametrize(("name", "answer", "error", "words"), CASES, ids=[c[0] for c in CASES])
def test_meanings(name: str, answer: Answer, error: type[DssyncError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        interpret(answer)
    assert type(caught.value) is error


def test_a_refusal_keeps_the_servers_words() -> None:
    with pytest.raises(Invalid) as caught:
        interpret(said(400, "max_length", "Too long.", "name"))
    refusal = caught.value
    assert (refusal.status, refusal.error_code, refusal.attr) == (400, "max_length", "name")
    assert (refusal.error_type, refusal.detail) == ("a_type", "Too long.")


@pytest.mark.parametrize(
    ("answer", "perhaps"),
    [
        (said(500, "error", "A server error."), False),
        (Answer(500, HTML, b"<h1>Server Error</h1>"), True),
        (Answer(500, JSON, b'{"message": "a stranger"}'), True),
        (said(503, "error", "?"), True),
        (said(429, "throttled", "Slow down."), False),
    ],
)
def test_only_the_apis_own_500_and_a_429_were_surely_not_applied(
    answer: Answer, perhaps: bool
) -> None:
    with pytest.raises(TemporaryError) as caught:
        interpret(answer)
    assert caught.value.perhaps_applied is perhaps


def test_a_throttled_key_hears_how_long() -> None:
    with pytest.raises(Throttled) as caught:
        interpret(Answer(429, {**JSON, "retry-after": "1800"}))
    assert "1800 seconds" in caught.value.hint


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"count": "many"}', WrongTarget),
        (b"[]", WrongTarget),
        (b"null", WrongTarget),
        (b'{"count": 1', Unreachable),
        (b"", Unreachable),
        (b'{"count": 1} trailing', Unreachable),
        (b'{"\xff": 1}', Unreachable),
    ],
)
def test_json_of_another_shape_is_refused_and_cut_json_is_temporary(
    body: bytes, error: type[DssyncError]
) -> None:
    with pytest.raises(error):
        decode(interpret(Answer(200, JSON, body)), msgspec.json.Decoder(dict[str, int]))
