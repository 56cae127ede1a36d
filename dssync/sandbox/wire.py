"""One HTTP request and one answer, as values."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.wrappers import Request

Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read whole. Header names are in lower case; `params` keeps order and repeats."""

    method: str
    path: str
    params: Params
    headers: Mapping[str, str]
    body: bytes
    origin: str
    target_length: int

    @property
    def query(self) -> dict[str, str]:
        """Return the query parameters; of a repeated one the last, as Django does."""
        return dict(self.params)

    def with_params(self, **changed: object) -> "Call":
        """Return the same call with some parameters replaced."""
        kept = tuple((name, value) for name, value in self.params if name not in changed)
        added = tuple((name, str(value)) for name, value in changed.items())
        return replace(self, params=kept + added)


def read_call(environ: WSGIEnvironment) -> Call:
    """Read a request from its WSGI environment.

    The origin is what the server believes itself to be: X-Forwarded-Proto and X-Forwarded-Host
    come before the connection's scheme and the Host header.
    """
    request = Request(environ)
    headers = {name.lower(): value for name, value in request.headers}
    scheme = headers.get("x-forwarded-proto", request.scheme)
    host = headers.get("x-forwarded-host", headers.get("host", request.host))
    query = request.query_string.decode("utf-8", "replace")
    return Call(
        method=request.method,
        path=request.path,
        params=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=request.get_data(),
        origin=f"{scheme}://{host}",
        target_length=len(request.path) + len(query),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. `announced` is a Content-Length that the body does not keep."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: Params = ()
    announced: int | None = None

    def header_list(self) -> list[tuple[str, str]]:
        """Return the headers that describe the body, then the answer's own."""
        length = len(self.body) if self.announced is None else self.announced
        described = [("Content-Type", self.content_type)] if self.content_type else []
        return [*described, ("Content-Length", str(length)), *self.headers]

    def send(self, start_response: StartResponse, *more: tuple[str, str]) -> Iterable[bytes]:
        """Hand the answer to the WSGI server."""
        reasons = {status.value: status.phrase for status in HTTPStatus}
        reason = reasons.get(self.status, "Unknown")
        start_response(f"{self.status} {reason}", [*self.header_list(), *more])
        return [self.body]


def dump_json(value: object) -> str:
    """Write JSON as the server does: compact, not escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_answer(status: int, text: str, headers: Params = ()) -> Answer:
    """Make an answer of JSON text; a lone surrogate in it is written as an escape."""
    body = text.encode("utf-8", "backslashreplace")
    return Answer(status, body, "application/json", headers)


def html_answer(status: int, title: str, headers: Params = ()) -> Answer:
    """Make an answer of a small HTML page."""
    page = (
        '<!doctype html>\n<html lang="en">\n'
        f"<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n"
    )
    return Answer(status, page.encode(), "text/html; charset=utf-8", headers)
