"""When a backup starts, what it missed, and how much of a report is told."""

from hypothesis import given
from hypothesis import strategies as st

from dssync.core.nightly import CUT, delay, end_of, unaccounted
from dssync.core.receipt import Trouble


def test_the_start_is_delayed_by_chance() -> None:
    assert [delay(600, chance) for chance in (0, 0.5, 1)] == [0, 300, 600]


def test_a_remote_without_snapshot_and_reason_is_a_failure() -> None:
    told = [Trouble("down", "cannot be reached", 5)]
    [found] = unaccounted(["prod", "down", "lost"], {"prod"}, told)
    assert (found.remote, found.exit_code) == ("lost", 3)


@given(st.text(), st.integers(16, 400))
def test_the_end_of_a_report_fits_and_is_its_end(report: str, most: int) -> None:
    found = end_of(report, most)
    whole = report.encode("utf-8", "replace").decode()
    assert len(found.encode("utf-8", "replace")) <= most
    if found != report:
        assert found.startswith(CUT)
        assert whole.endswith(found.removeprefix(CUT))
        assert len(found.encode()) > len(CUT.encode()) or "\n" in whole


def test_a_line_that_is_too_long_is_cut() -> None:
    assert end_of("first\n" + "x" * 100, 20) == CUT + "x" * 16
    assert end_of("first\nsecond\n", 12) == CUT + "second\n"
    assert end_of("short", 12) == "short"
