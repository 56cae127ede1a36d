"""What is sent again, how often, and after how long."""

import json
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest

from dssync.clock import Clock
from dssync.errors import Unreachable, WrongTarget
from dssync.events import Event, Waiting, ignore
from dssync.net.retry import Patience, Retrying, back_off, reason_to_resend
from dssync.net.transport import Answer, ReadOnly, Request

OWN_500 = Answer(
    500, {}, json.dumps({"type": "server_error", "code": "error", "detail": ""}).encode()
)
REFUSED = Unreachable("refused", perhaps_applied=False)
CUT = Unreachable("cut", perhaps_applied=True)

DECISIONS: list[tuple[str, Answer | Unreachable, bool, bool]] = [
    # what came of it                                 GET again, write again
    ("done", Answer(200), False, False),
    ("created", Answer(201), False, False),
    ("bad value", Answer(400), False, False),
    ("bad key", Answer(401), False, False),
    ("gone", Answer(404), False, False),
    ("no such method", Answer(405), False, False),
    ("throttled", Answer(429), True, True),
    ("the API's own 500", OWN_500, True, True),
    ("500 in HTML", Answer(500, {}, b"<h1>Server Error</h1>"), True, False),
    ("500 of a stranger's JSON", Answer(500, {}, b'{"message": "oops"}'), True, False),
    ("500 of a JSON list", Answer(500, {}, b"[]"), True, False),
    ("502 that looks like the API's", Answer(502, {}, OWN_500.body), True, False),
    ("503", Answer(503), True, False),
    ("504", Answer(504), True, False),
    ("never sent", REFUSED, True, True),
    ("cut off", CUT, True, False),
]


@pytest.mark.parametrize(("name", "outcome", "read", "write"), DECISIONS)
def test_decisions(name: str, outcome: Answer | Unreachable, read: bool, write: bool) -> None:
    assert bool(reason_to_resend("GET", outcome)) is read, name
    for method in ("POST", "PATCH", "DELETE"):
        assert bool(reason_to_resend(method, outcome)) is write, (name, method)


class Script:
    """A transport that plays outcomes in turn."""

    def __init__(self, *outcomes: Answer | Exception) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[Request] = []

    def send(self, request: Request) -> Answer:
        self.sent.append(request)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        self.outcomes.clear()


GET, POST = Request("GET", "/a"), Request("POST", "/a", body=b"{}")


def retrying(script: Script, clock: Clock, report: Callable[[Event], None] = ignore) -> Retrying:
    return Retrying(script, clock, report=report, chance=lambda: 1.0)


def test_a_read_goes_on_until_it_works(clock: Clock) -> None:
    script = Script(CUT, Answer(502), REFUSED, Answer(200, {}, b"ok"))
    events: list[Event] = []
    assert retrying(script, clock, events.append).send(GET).body == b"ok"
    assert script.sent == [GET] * 4
    assert events == [
        Waiting(0.5, "cut"),
        Waiting(1.0, "the server answered 502"),
        Waiting(2.0, "refused"),
    ]
    assert clock.monotonic() == 3.5


def test_the_last_answer_is_returned_and_the_last_error_raised(clock: Clock) -> None:
    script = Script(*[Answer(503)] * 9)
    assert retrying(script, clock).send(GET).status == 503
    assert len(script.sent) == Patience().tries

    last = Unreachable("the last one", perhaps_applied=True)
    with pytest.raises(Unreachable, match="the last one"):
        retrying(Script(CUT, CUT, CUT, last), clock).send(GET)


def test_a_write_in_doubt_is_sent_once(clock: Clock) -> None:
    script = Script(CUT, Answer(201))
    with pytest.raises(Unreachable):
        retrying(script, clock).send(POST)
    assert len(script.sent) == 1

    script = Script(REFUSED, OWN_500, Answer(429), Answer(201))
    assert retrying(script, clock).send(POST).status == 201


def test_other_errors_pass_at_once(clock: Clock) -> None:
    script = Script(WrongTarget("a redirect"), Answer(200))
    with pytest.raises(WrongTarget):
        retrying(script, clock).send(GET)
    assert len(script.sent) == 1


def test_a_429_is_sent_again_at_once_as_the_wait_is_paceds(clock: Clock) -> None:
    events: list[Event] = []
    script = Script(*[Answer(429, {"retry-after": "7"})] * 9)
    assert retrying(script, clock, events.append).send(POST).status == 429
    assert len(script.sent) == Patience().tries
    assert (clock.monotonic(), events) == (0, [])


TRIES: list[tuple[str, Answer | Unreachable, int]] = [
    ("a record that cannot be served", Answer(500, {}, b"<h1>Server Error (500)</h1>"), 2),
    ("the API's own 500", OWN_500, 4),
    ("a proxy's 502", Answer(502, {}, b"<h1>Bad Gateway</h1>"), 4),
    ("503", Answer(503), 4),
    ("504", Answer(504), 4),
    ("throttled", Answer(429), 4),
    ("cut off", CUT, 4),
]


@pytest.mark.parametrize(("name", "outcome", "tries"), TRIES)
def test_how_often_a_read_is_tried(
    name: str, outcome: Answer | Unreachable, tries: int, clock: Clock
) -> None:
    script = Script(*[outcome] * 9)
    with suppress(Unreachable):
        retrying(script, clock).send(GET)
    assert len(script.sent) == tries, name
    assert clock.monotonic() <= 3.5


def test_who_reads_around_a_record_that_cannot_be_served_is_told_at_once(clock: Clock) -> None:
    around = Request("GET", "/a", around=True)
    for _, outcome, tries in TRIES:
        script = Script(*[outcome] * 9)
        with suppress(Unreachable):
            retrying(script, clock).send(around)
        assert len(script.sent) == (1 if tries == 2 else tries)


def test_waits_grow_to_a_bound_and_differ_by_chance() -> None:
    patience = Patience(first_wait=0.5, longest_wait=8.0)
    waits = [back_off(n, patience, 1.0) for n in range(1, 8)]
    assert all(a <= b for a, b in pairwise(waits))
    assert waits[-1] == 8.0
    assert back_off(3, patience, 0.0) == 1.0 < back_off(3, patience, 0.5) < 2.0


def test_what_only_reads_cannot_write() -> None:
    script = Script(Answer(200))
    guarded = ReadOnly(script)
    assert guarded.send(GET).status == 200
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        with pytest.raises(ValueError, match=method):
            guarded.send(Request(method, "/a"))
    assert script.sent == [GET]
