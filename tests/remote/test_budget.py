"""What the windows allow, as a table and as laws."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.net.budget import (
    LIMITS,
    LONGEST,
    SHORTEST_WAIT,
    Usage,
    Window,
    estimate,
    settled,
    wait_for,
)
from tests.remote.pace import TWO

WAITS: list[tuple[str, Sequence[float], float, Sequence[Window], float]] = [
    # now is 1000                  times                pause  windows               wait
    ("nothing sent", [], 0, [TWO], 0),
    ("room for one", [999], 0, [TWO], 0),
    ("full", [950, 990], 0, [TWO], 10),
    ("full, of which the last counts", [900, 950, 990], 0, [TWO], 10),
    ("just free again", [940, 990], 0, [TWO], 0),
    ("all at once", [1000, 1000], 0, [TWO], 60),
    ("the longer window is full", [500, 900], 0, [Window(3, 60), Window(2, 600)], 100),
    ("both are full", [980, 990], 0, [TWO, Window(2, 600)], 580),
    ("a pause", [], 1030, [TWO], 30),
    ("a pause and less of a wait", [950, 990], 1030, [TWO], 30),
    ("a pause and more of a wait", [990, 999], 1030, [TWO], 50),
    ("a pause that is over", [], 990, [TWO], 0),
    ("no windows", [1000] * 99, 0, [], 0),
    ("no windows, a pause", [], 1005, [], 5),
    ("too little to tell apart", [], 1000 + 1e-9, [], SHORTEST_WAIT),
]


@pytest.mark.parametrize(("name", "times", "pause", "windows", "wait"), WAITS)
def test_waits(
    name: str, times: Sequence[float], pause: float, windows: Sequence[Window], wait: float
) -> None:
    assert wait_for(times, pause, 1000.0, windows) == wait, name


@pytest.mark.parametrize(("requests", "seconds"), [(0, 60), (-1, 60), (1, 0), (1, LONGEST + 1)])
def test_a_window_that_nothing_fits_is_refused(requests: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="no budget allows"):
        Window(requests, seconds)


windows = st.lists(
    st.builds(Window, st.integers(1, 8), st.floats(0.5, 200)), min_size=1, max_size=3
)


@given(windows=windows, gaps=st.lists(st.floats(0, 50), max_size=80), start=st.floats(1e9, 2e9))
def test_never_more_than_the_limit_and_no_needless_wait(
    windows: list[Window], gaps: list[float], start: float
) -> None:
    times: list[float] = []
    now = start
    for gap in gaps:
        now += gap
        wait = wait_for(times, 0.0, now, windows)
        now += wait
        times.append(now)
        fits = [
            len(times) <= w.requests or now - times[-1 - w.requests] >= w.seconds - 1e-5
            for w in windows
        ]
        assert all(fits)
        if wait > SHORTEST_WAIT:  # some window had no room a moment earlier
            assert any(
                len(times) > w.requests and now - times[-1 - w.requests] <= w.seconds + 1e-5
                for w in windows
            )


@given(windows=windows, requests=st.integers(0, 60), sent=st.lists(st.floats(-100, 0), max_size=9))
def test_the_estimate_is_what_it_then_takes(
    windows: list[Window], requests: int, sent: list[float]
) -> None:
    start = 1e9
    times = sorted(start + t for t in sent)
    expected = estimate(requests, times, start + 7, start, windows)
    clock = start
    for _ in range(requests):
        clock += wait_for(times, start + 7, clock, windows)
        times.append(clock)
    assert expected == pytest.approx(clock - start)
    assert requests == 0 or expected >= 7


def test_an_estimate_of_a_large_pull() -> None:
    assert estimate(384, [], 0, 0, LIMITS) == 0
    assert estimate(1000, [], 0, 0, LIMITS) == 120
    assert estimate(3841, [], 0, 0, LIMITS) == 3600


@given(
    pause=st.floats(),
    times=st.lists(st.floats(allow_nan=False)),
    now=st.floats(1e9, 2e9),
)
def test_whatever_was_kept_the_wait_is_bounded(
    pause: float, times: list[float], now: float
) -> None:
    usage = settled(Usage(pause, tuple(times)), now)
    assert list(usage.times) == sorted(usage.times)
    assert all(now - LONGEST < t <= now for t in usage.times)
    assert settled(usage, now) == usage
    assert wait_for(usage.times, usage.pause_until, now, LIMITS) <= LONGEST + SHORTEST_WAIT
