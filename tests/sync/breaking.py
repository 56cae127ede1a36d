"""A network that breaks as told: everything that can happen to a push."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from dssync.sandbox import Sandbox
from tests.seams import Seams

NOT_WRITTEN = {
    "type": "server_error",
    "code": "error",
    "detail": "A server error occurred.",
    "attr": None,
}


class Killed(BaseException):
    """The process is gone: no handler of the program may do anything about it."""


class Mortal(Seams):
    """Dies as a process does, but so that the test lives on."""

    def die(self) -> None:
        raise Killed


Go = Callable[[], httpx.Response]
Break = Callable[[httpx.Request, Go], httpx.Response]


def throttled(request: httpx.Request, go: Go) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": "7"}, json={})


def not_written(request: httpx.Request, go: Go) -> httpx.Response:
    return httpx.Response(500, json=NOT_WRITTEN)


def written_all_the_same(request: httpx.Request, go: Go) -> httpx.Response:
    go()
    return httpx.Response(500, html="<h1>Server Error (500)</h1>")


def refused(request: httpx.Request, go: Go) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def reset_before(request: httpx.Request, go: Go) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


def reset_after(request: httpx.Request, go: Go) -> httpx.Response:
    go()
    raise httpx.ReadError("reset", request=request)


def cut_short(request: httpx.Request, go: Go) -> httpx.Response:
    whole = go()
    headers = {**whole.headers, "Content-Length": str(len(whole.content) + 1)}
    return httpx.Response(whole.status_code, headers=headers, content=whole.content)


def timed_out_before(request: httpx.Request, go: Go) -> httpx.Response:
    raise httpx.ReadTimeout("timed out", request=request)


def timed_out_after(request: httpx.Request, go: Go) -> httpx.Response:
    go()
    raise httpx.ReadTimeout("timed out", request=request)


def killed_before(request: httpx.Request, go: Go) -> httpx.Response:
    raise Killed


def killed_after(request: httpx.Request, go: Go) -> httpx.Response:
    go()
    raise Killed


BREAKS: Mapping[str, Break] = {
    "429": throttled,
    "500 in JSON": not_written,
    "500 in HTML after the commit": written_all_the_same,
    "refused": refused,
    "reset before the commit": reset_before,
    "reset after the commit": reset_after,
    "an answer cut short": cut_short,
    "a time-out before the commit": timed_out_before,
    "a time-out after the commit": timed_out_after,
    "killed before the request": killed_before,
    "killed after the request": killed_after,
}

LATE = "it arrives later"
"""A POST without an answer, whose effect comes only when it is delivered."""


@dataclass
class Breaking(httpx.BaseTransport):
    """The sandbox, behind a network that breaks where it was told to.

    `armed` holds (method, break, at which of its requests, how often). `made` holds the ids that
    each POST brought into being.
    """

    sandbox: Sandbox
    armed: list[tuple[str, str, int, int]] = field(default_factory=list)
    late: list[httpx.Request] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._inner = httpx.WSGITransport(app=self.sandbox)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        name = self._strikes(request.method)
        if name == LATE:
            self.late.append(request)
            raise httpx.ReadTimeout("timed out", request=request)
        if name:
            return BREAKS[name](request, lambda: self._pass(request))
        return self._pass(request)

    def deliver(self) -> None:
        """Let what was late arrive."""
        for request in self.late:
            self._pass(request)
        self.late.clear()

    def mend(self) -> None:
        """Break no more."""
        self.armed.clear()

    def _strikes(self, method: str) -> str:
        for at, (which, name, after, times) in enumerate(self.armed):
            if which != method:
                continue
            self.armed[at] = which, name, after - 1, times - (after <= 1)
            if after <= 1 and times > 0:
                return name
        return ""

    def _pass(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        response.read()
        if request.method == "POST" and response.status_code == 201:
            self.made[response.json()["id"]] = request.content.decode()
        return response
