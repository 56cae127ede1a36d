"""Scripted misbehaviour: what goes wrong, at which requests, how often.

    sandbox.faults.add(Fault("status", 502, method="PATCH", times=2))
    sandbox.faults.add(Fault("drop_after", method="POST", nth=3))
    sandbox.faults.add(Fault("clamp", 25, times=None))

| action | argument | what happens |
|---|---|---|
| `status` | status | an error in HTML, or `body` as JSON; the request has no effect |
| `status_after` | status | the same, after the request had its effect |
| `drop`, `drop_after` | - | the connection is reset, before or after the effect |
| `truncate` | bytes kept, default half | the answer stops short of its Content-Length |
| `hang`, `hang_after` | seconds | the effect, or only the answer, comes late |
| `login_page` | - | 200 with an HTML page |
| `redirect` | location | 302 |
| `wrong_shape` | JSON value | 200 with a value that is no answer of this path |
| `repeat_page` | - | a list serves its previous page once more |
| `empty_list` | - | a list claims to have no rows |
| `clamp` | rows | a list grants no larger pages |
| `no_next` | - | a list ends its page links early |
| `claim` | object | a list says this of itself, such as `{"count": 0}` |

"Before" means that nothing was written. Without a socket (a WSGI transport in process) a dropped
connection shows as the exception `ConnectionDropped`, and a truncated answer as a short body.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dssync.sandbox.listing import read_page
from dssync.sandbox.routing import login_page
from dssync.sandbox.wire import Answer, Call, dump_json, html_answer, json_answer

Proceed = Callable[[Call], Answer]


class ConnectionDropped(ConnectionError):
    """The server reset the connection instead of answering."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One misbehaviour. `action` and `argument` are explained in the module's table.

    It strikes at requests of `method` whose path contains `path` and whose `offset` parameter is
    `offset` (0 where none is sent), beginning with the `nth` such request, `times` in all
    (None: for ever). `body` and `retry_after` belong to the status actions.
    """

    action: str
    argument: Any = None
    method: str | None = None
    path: str = ""
    offset: int | None = None
    nth: int = 1
    times: int | None = 1
    body: object = None
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"{self.action!r} is no fault; there are {', '.join(ACTIONS)}")

    def fits(self, call: Call) -> bool:
        """Say whether a request is one of those that count."""
        here = self.offset is None or read_page(call).offset == self.offset
        return here and self.method in {None, call.method} and self.path in call.path

    def strikes(self, seen: int) -> bool:
        """Say whether the fault strikes at the `seen`th request that counts."""
        return seen >= self.nth and (self.times is None or seen < self.nth + self.times)


class Faults:
    """The faults of one sandbox. Where several strike at one request, the first one added wins."""

    def __init__(self, pause: Callable[[float], object]) -> None:
        self._pause = pause
        self._watches: list[_Watch] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Script some faults; each begins to count its requests now."""
        with self._lock:
            self._watches += [_Watch(fault) for fault in faults]

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._watches.clear()

    def run(self, call: Call, proceed: Proceed) -> Answer:
        """Answer a request, by `proceed` or by the fault that strikes.

        Raises ConnectionDropped.
        """
        fault = self._striking(call)
        if fault is None:
            return proceed(call)
        return ACTIONS[fault.action](Strike(fault, call, proceed, self._pause))

    def _striking(self, call: Call) -> Fault | None:
        with self._lock:
            # Every fault counts the request, also behind one that strikes.
            struck = [watch.fault for watch in self._watches if watch.notice(call)]
        return struck[0] if struck else None


@dataclass(slots=True)
class _Watch:
    fault: Fault
    seen: int = 0

    def notice(self, call: Call) -> bool:
        if not self.fault.fits(call):
            return False
        self.seen += 1
        return self.fault.strikes(self.seen)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault at work on one request."""

    fault: Fault
    call: Call
    proceed: Proceed
    pause: Callable[[float], object]

    def effect(self) -> Answer:
        """Let the request have its effect and return the true answer."""
        return self.proceed(self.call)


def _status(strike: Strike) -> Answer:
    fault = strike.fault
    wait = () if fault.retry_after is None else (("Retry-After", str(fault.retry_after)),)
    if fault.body is not None:
        return json_answer(fault.argument, dump_json(fault.body), wait)
    return html_answer(fault.argument, f"Error {fault.argument}", wait)


def _status_after(strike: Strike) -> Answer:
    strike.effect()
    return _status(strike)


def _drop(strike: Strike) -> Answer:
    raise ConnectionDropped("the sandbox dropped the connection, as scripted")


def _drop_after(strike: Strike) -> Answer:
    strike.effect()
    return _drop(strike)


def _truncate(strike: Strike) -> Answer:
    answer = strike.effect()
    whole = len(answer.body)
    kept = whole // 2 if strike.fault.argument is None else strike.fault.argument
    return replace(answer, body=answer.body[:kept], announced=whole)


def _hang(strike: Strike) -> Answer:
    strike.pause(strike.fault.argument)
    return strike.effect()


def _hang_after(strike: Strike) -> Answer:
    answer = strike.effect()
    strike.pause(strike.fault.argument)
    return answer


def _login_page(_strike: Strike) -> Answer:
    return login_page()


def _redirect(strike: Strike) -> Answer:
    return html_answer(302, "Found", (("Location", strike.fault.argument),))


def _wrong_shape(strike: Strike) -> Answer:
    return json_answer(200, dump_json(strike.fault.argument))


def _repeat_page(strike: Strike) -> Answer:
    page = read_page(strike.call)
    return strike.proceed(strike.call.with_params(offset=max(0, page.offset - page.limit)))


def _empty_list(_strike: Strike) -> Answer:
    return json_answer(200, '{"count":0,"next":null,"previous":null,"results":[]}')


def _clamp(strike: Strike) -> Answer:
    limit = min(read_page(strike.call).limit, strike.fault.argument)
    return strike.proceed(strike.call.with_params(limit=limit))


def _no_next(strike: Strike) -> Answer:
    return _with_claims(strike.effect(), {"next": None})


def _claim(strike: Strike) -> Answer:
    return _with_claims(strike.effect(), strike.fault.argument)


def _with_claims(answer: Answer, claims: Mapping[str, object]) -> Answer:
    if answer.status != 200:
        return answer
    return replace(answer, body=dump_json({**json.loads(answer.body), **claims}).encode())


ACTIONS: Mapping[str, Callable[[Strike], Answer]] = {
    "status": _status,
    "status_after": _status_after,
    "drop": _drop,
    "drop_after": _drop_after,
    "truncate": _truncate,
    "hang": _hang,
    "hang_after": _hang_after,
    "login_page": _login_page,
    "redirect": _redirect,
    "wrong_shape": _wrong_shape,
    "repeat_page": _repeat_page,
    "empty_list": _empty_list,
    "clamp": _clamp,
    "no_next": _no_next,
    "claim": _claim,
}
