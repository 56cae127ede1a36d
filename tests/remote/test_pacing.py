"""The budget: never more than it allows, as much as it allows, and everybody waits for a 429."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from dssync.clock import SystemClock
from dssync.errors import Interrupted, Throttled
from dssync.events import Event, Waiting
from dssync.net.budget import (
    LONGEST,
    SHORTEST_WAIT,
    Window,
)
from dssync.net.ledger import open_ledger, state_folder
from dssync.net.opening import Pace, open_budget, open_transport
from dssync.net.pacing import UNASKED_PAUSE, Budget, Paced, Waits
from dssync.net.secret import Secret
from dssync.net.transport import Answer, Transport
from dssync.sandbox import POSTHOG_LIMITS, SANDBOX_KEY, Fault, Sandbox
from tests.remote.pace import GET, HOST, OK, Script, Ticking, a_budget


@pytest.fixture
def world(ticking: Ticking) -> tuple[Sandbox, Callable[..., Transport]]:
    """A sandbox with the real limits, and what opens transports to it."""
    sandbox = Sandbox(now=ticking.now, limits=POSTHOG_LIMITS)

    def reach(report: Callable[[Event], None] = lambda event: None, **pace: object) -> Transport:
        inner = httpx.WSGITransport(app=sandbox)
        chosen = Pace(**pace)  # type: ignore[arg-type]
        return open_transport(HOST, Secret(SANDBOX_KEY), ticking, report, inner=inner, pace=chosen)

    return sandbox, reach


def test_a_pull_of_1000_requests_meets_no_429_and_uses_the_limit(
    ticking: Ticking, world: tuple[Sandbox, Callable[..., Transport]]
) -> None:
    sandbox, reach = world
    expected = a_budget(ticking, key=SANDBOX_KEY).estimate(1000)
    transports = [reach(), reach()]  # as two remotes of one key
    for number in range(1000):
        assert transports[number % 2].send(GET).status == 200
    assert {entry.status for entry in sandbox.log} == {200}
    assert len(sandbox.log) == 1000
    assert 1000 / ticking.slept >= 0.75 * 480 / 60
    assert ticking.slept == pytest.approx(expected)


def test_many_threads_together_meet_no_429(
    world: tuple[Sandbox, Callable[..., Transport]], ticking: Ticking
) -> None:
    _, reach = world
    transport = reach(limits=(Window(470, 60),))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: transport.send(GET).status, range(1000)))
    assert set(answers) == {200}
    assert ticking.slept >= 60


def test_a_429_of_one_worker_makes_all_of_them_wait(
    ticking: Ticking, world: tuple[Sandbox, Callable[..., Transport]]
) -> None:
    sandbox, reach = world
    events: list[Event] = []
    waits = Waits()
    one, other = reach(events.append, waits=waits), reach(events.append, waits=waits)
    # the server is asked again only after the wait, and by nobody before it
    sandbox.faults.add(Fault("status", 429, retry_after=200))
    assert one.send(GET).status == 200
    assert ticking.slept == pytest.approx(200)
    assert [entry.status for entry in sandbox.log] == [429, 200]

    a_budget(ticking, key=SANDBOX_KEY).pause(30)
    assert other.send(GET).status == 200
    assert ticking.slept == pytest.approx(230)
    assert [round(e.seconds) for e in events if isinstance(e, Waiting)] == [200, 30]
    assert len(events) == 2


def test_429s_without_end_are_given_up(
    ticking: Ticking, world: tuple[Sandbox, Callable[..., Transport]]
) -> None:
    sandbox, reach = world
    sandbox.faults.add(Fault("status", 429, retry_after=9, times=None))
    assert reach().send(GET).status == 429
    assert len(sandbox.log) == 4
    assert ticking.slept == pytest.approx(27)


ASKED = [
    ("7", 7),
    ("0", UNASKED_PAUSE),
    ("", UNASKED_PAUSE),
    ("soon", UNASKED_PAUSE),
    ("90000", LONGEST),
]


@pytest.mark.parametrize(("asked", "pause"), ASKED)
def test_a_429_pauses_as_asked_an_hour_at_most(asked: str, pause: float, ticking: Ticking) -> None:
    paced = Paced(Script([Answer(429, {"retry-after": asked})]), a_budget(ticking), ticking)
    assert paced.send(GET).status == 429
    assert ticking.slept == 0
    assert paced.send(GET).status == 200
    assert ticking.slept == pytest.approx(pause)


def test_another_key_and_another_host_have_their_own_budget(ticking: Ticking) -> None:
    a_budget(ticking).pause(60)
    assert a_budget(ticking).take() == pytest.approx(60)
    assert a_budget(ticking, key="phx_b").take() == 0
    elsewhere = open_budget("https://other.test", Secret("phx_a"), ticking, Pace())
    assert elsewhere.take() == 0


def test_max_wait_ends_with_what_to_type(ticking: Ticking) -> None:
    script = Script()
    budget = a_budget(ticking, (Window(2, 60),))
    paced = Paced(script, budget, ticking, waits=Waits(100))
    for _ in range(4):
        paced.send(GET)
    with pytest.raises(Throttled) as caught:
        paced.send(GET)
    assert (caught.value.exit_code, caught.value.perhaps_applied) == (5, False)
    assert "wait 60 s, and --max-wait leaves 40 s" in caught.value.message
    assert caught.value.hint == "run the same command again in 60 s, or with --max-wait 120s"
    assert script.sent == 4
    assert ticking.slept == pytest.approx(60)


def test_no_wait_at_all_may_be_asked_for(ticking: Ticking) -> None:
    paced = Paced(
        Script([Answer(429, {"retry-after": "5"})]), a_budget(ticking), ticking, waits=Waits(0)
    )
    assert paced.send(GET).status == 429
    with pytest.raises(Throttled):
        paced.send(GET)
    assert ticking.slept == 0


def test_waits_side_by_side_count_once() -> None:
    waits = Waits(100)
    assert [waits.spend(0, 60), waits.spend(0, 60), waits.spend(20, 50)] == [60, 0, 10]
    with pytest.raises(Throttled):
        waits.spend(80, 31)
    assert waits.spend(80, 30) == 30  # what was refused was not spent


def test_a_check_may_hold_a_request_back_after_its_wait(ticking: Ticking) -> None:
    script = Script()
    checks = count()

    def check() -> None:
        if next(checks):
            raise Interrupted(2)

    budget = a_budget(ticking)
    budget.pause(5)
    with pytest.raises(Interrupted):
        Paced(script, budget, ticking, check=check).send(GET)
    assert script.sent == 0
    assert ticking.slept == pytest.approx(5)


def test_a_woken_clock_ends_the_wait() -> None:
    clock, script = SystemClock(), Script()
    budget = Budget(open_ledger(HOST, Secret("phx_a"), state_folder()), clock)
    budget.pause(600)
    clock.wake()
    started = clock.monotonic()
    assert Paced(script, budget, clock).send(GET) is OK
    assert clock.monotonic() - started < 60


@pytest.mark.parametrize("hours", [0.25, 1, 100])
def test_a_clock_set_back_does_not_freeze_a_run(hours: float, ticking: Ticking) -> None:
    budget = a_budget(ticking)
    paced = Paced(Script(), budget, ticking)
    for _ in range(384):
        paced.send(GET)
    ticking.set_back(hours * 3600)
    paced.send(GET)
    assert ticking.slept <= 60 + SHORTEST_WAIT
