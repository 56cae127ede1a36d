"""Sending again, and only where that is surely safe.

| outcome                             | GET   | other methods |
|-------------------------------------|-------|---------------|
| never sent (refused, no connection) | again | again         |
| cut off, timed out                  | again | final         |
| 429                                 | again | again         |
| 500 whose body is the API's JSON    | again | again         |
| any other 5xx                       | again | final         |
| anything else                       | final | final         |

A 500 of the API's own says that nothing was written; one in HTML does not. For a 429 the wait is
not here: Paced, below, makes everybody wait who uses the key.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tenacity

from dssync.clock import Clock
from dssync.errors import Unreachable
from dssync.events import Report, Waiting, ignore
from dssync.net.transport import Answer, Request, Transport

Outcome = Answer | Unreachable


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long: tries in all, and seconds.

    `tries_unserved` are for a 500 that is not the API's own: a record that cannot be served answers
    so every time. Whoever reads around such records gets it at once.
    """

    tries: int = 4
    tries_unserved: int = 2
    first_wait: float = 0.5
    longest_wait: float = 8.0


class Retrying:
    """Wrap a transport; the last answer is returned, the last Unreachable raised.

    `chance` gives numbers from 0 to 1, for waits that do not fall together.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        *,
        report: Report = ignore,
        patience: Patience | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._patience = patience or Patience()
        self._report = report
        self._chance = chance
        self._again = tenacity.Retrying(
            sleep=clock.sleep,
            stop=self._enough,
            retry=self._wanted,
            wait=self._wait,
            before_sleep=self._tell,
            retry_error_callback=lambda state: _future(state).result(),
        )

    def send(self, request: Request) -> Answer:
        """Return the answer of the last try. Raises its Unreachable."""
        return self._again(self._transport.send, request)

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def _enough(self, state: tenacity.RetryCallState) -> bool:
        outcome = _outcome(state)
        if outcome is None:
            return True
        return state.attempt_number >= tries_for(state.args[0], outcome, self._patience)

    def _wanted(self, state: tenacity.RetryCallState) -> bool:
        outcome = _outcome(state)
        return outcome is not None and bool(reason_to_resend(state.args[0].method, outcome))

    def _wait(self, state: tenacity.RetryCallState) -> float:
        outcome = _outcome(state)
        if outcome is None or is_throttled(outcome):
            return 0.0
        return back_off(state.attempt_number, self._patience, self._chance())

    def _tell(self, state: tenacity.RetryCallState) -> None:
        outcome = _outcome(state)
        if outcome is not None and state.upcoming_sleep:
            reason = reason_to_resend(state.args[0].method, outcome)
            self._report(Waiting(state.upcoming_sleep, reason))


def _future(state: tenacity.RetryCallState) -> tenacity.Future:
    if state.outcome is None:
        raise AssertionError("a try has no outcome")
    return state.outcome


def _outcome(state: tenacity.RetryCallState) -> Outcome | None:
    error = _future(state).exception()
    if error is None:
        answer: Answer = _future(state).result()
        return answer
    return error if isinstance(error, Unreachable) else None


def reason_to_resend(method: str, outcome: Outcome) -> str:
    """Say why the request may be sent again; an empty text where the outcome is final."""
    if isinstance(outcome, Unreachable):
        safe = method == "GET" or not outcome.perhaps_applied
        return str(outcome) if safe else ""
    if is_throttled(outcome):
        return "the key's rate limit is used up"
    if outcome.status >= 500 and (method == "GET" or surely_not_applied(outcome)):
        return f"the server answered {outcome.status}"
    return ""


def tries_for(request: Request, outcome: Outcome, patience: Patience) -> int:
    """Return after how many tries, in all, the outcome is final."""
    if isinstance(outcome, Unreachable) or outcome.status != 500 or surely_not_applied(outcome):
        return patience.tries
    return 1 if request.around else patience.tries_unserved


def is_throttled(outcome: Outcome) -> bool:
    """Tell whether the server refused for the key's rate."""
    return isinstance(outcome, Answer) and outcome.status == 429


def surely_not_applied(answer: Answer) -> bool:
    """Tell whether a 5xx says for certain that nothing was written."""
    return answer.status == 500 and bool(api_error(answer))


def api_error(answer: Answer) -> Mapping[str, object]:
    """Return the API's error object, or an empty one where somebody else answered."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and {"code", "detail"} <= found.keys() else {}


def retry_after(answer: Answer) -> float:
    """Return the seconds a 429 asks for, 0 where it asks for none."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 0.0


def back_off(tries: int, patience: Patience, chance: float) -> float:
    """Return the seconds to wait after that many tries: doubling, half of it left to chance."""
    longest = min(patience.longest_wait, patience.first_wait * 2 ** (tries - 1))
    return float(longest * (0.5 + chance / 2))
