"""How many requests a key may send, and when: arithmetic without a clock, a file or a thread.

Moments are POSIX seconds. A budget is a few sliding windows; a request may leave when every window
has room for it and no pause, as a 429 asks for, is under way.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 3600.0
"""Seconds: no window is longer, and no pause; PostHog asks for an hour at most."""

SHORTEST_WAIT = 0.001
"""Seconds: below what clocks and floats can tell apart, a wait might never end."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most `requests` in any `seconds`, which are LONGEST at most."""

    requests: int
    seconds: float

    def __post_init__(self) -> None:
        if self.requests < 1 or not 0 < self.seconds <= LONGEST:
            raise ValueError(f"no budget allows {self.requests} requests in {self.seconds} s")


Limits = tuple[Window, ...]

LIMITS: Limits = (Window(384, 60), Window(3840, 3600))
"""80 % of what PostHog grants a key: 480 requests a minute and 4,800 an hour."""


@dataclass(frozen=True, slots=True)
class Usage:
    """When a key's last requests left, oldest first, and until when none may."""

    pause_until: float = 0.0
    times: tuple[float, ...] = ()


def settled(usage: Usage, now: float) -> Usage:
    """Drop what is past, and bound what lies ahead because the clock was set back.

    A time ahead counts as now; what is further ahead than LONGEST says nothing.
    """
    times = sorted(usage.times)
    first, present, last = (bisect_right(times, now + gap) for gap in (-LONGEST, 0.0, LONGEST))
    pause = usage.pause_until if now < usage.pause_until <= now + LONGEST else 0.0
    return Usage(pause, (*times[first:present], *[now] * (last - present)))


def wait_for(
    times: Sequence[float], pause_until: float, now: float, windows: Sequence[Window]
) -> float:
    """Return the seconds until one more request may leave, 0 for at once; `times` ascend."""
    room_at = (times[-w.requests] + w.seconds for w in windows if len(times) >= w.requests)
    wait = max(pause_until, *room_at, now) - now
    return max(wait, SHORTEST_WAIT) if wait else 0.0


def estimate(
    requests: int,
    times: Sequence[float],
    pause_until: float,
    now: float,
    windows: Sequence[Window],
) -> float:
    """Return the seconds until the last of so many more requests may leave.

    The time the server takes to answer comes on top.
    """
    all_times, moment = list(times), now
    for _ in range(requests):
        moment += wait_for(all_times, pause_until, moment, windows)
        all_times.append(moment)
    return moment - now
