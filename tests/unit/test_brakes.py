"""When a loss is too large to be believed."""

import pytest

from dssync.core.brakes import Limit, check_push, scan_stopped
from dssync.errors import Brake

BY_DEFAULT = (
    # lost, of, allowed: the larger of ten and a quarter may go
    (0, 0, True),
    (10, 10, True),
    (11, 43, False),
    (11, 44, True),
    (25, 100, True),
    (26, 100, False),
    (250, 1_000, True),
    (251, 1_000, False),
)


@pytest.mark.parametrize(("lost", "total", "allowed"), BY_DEFAULT)
def test_by_default_ten_records_or_a_quarter_may_go(lost: int, total: int, allowed: bool) -> None:
    assert Limit().allows(lost, total) is allowed


PARSED = (
    ("0", Limit(count=0)),
    ("300", Limit(count=300)),
    ("30%", Limit(share=0.3)),
    ("12.5%", Limit(share=0.125)),
    ("0%", Limit(share=0)),
    ("100%", Limit(share=1)),
)


@pytest.mark.parametrize(("text", "limit"), PARSED)
def test_a_limit_is_read(text: str, limit: Limit) -> None:
    assert Limit.parse(text) == limit


@pytest.mark.parametrize("text", ["", "%", "-1", "-1%", "101%", "nan%", "ten", "1.5", "1e9%"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Limit.parse(text)


def test_a_given_limit_holds_in_both_directions() -> None:
    assert Limit(count=5).allows(5, 1_000)
    assert not Limit(count=5).allows(6, 1_000)
    assert Limit(count=900).allows(900, 900)
    assert Limit(share=0.5).allows(5, 10)
    assert not Limit(share=0.5).allows(6, 10)
    assert not Limit(share=0).allows(1, 1_000)


def test_a_push_says_how_many_of_what_and_which_word_lets_it_through() -> None:
    lost = {("main", "item"): 1_200, ("main", "dataset"): 3}
    totals = {("main", "item"): 2_000, ("main", "dataset"): 3}
    with pytest.raises(Brake) as stopped:
        check_push(lost, totals, {})
    assert stopped.value.exit_code == 8
    assert stopped.value.message.splitlines() == [
        "too much would be deleted, so nothing was sent",
        "main: 1,200 of 2,000 items; more than 25% and more than 10",
    ]
    assert "--max-delete 1200" in stopped.value.hint
    check_push(lost, totals, {"main": Limit(count=1_200)})
    with pytest.raises(Brake, match=r"1,200 of 2,000 items; --max-delete allows 1,199"):
        check_push(lost, totals, {"main": Limit(count=1_199)})
    with pytest.raises(Brake, match="3 of 3 datasets; --max-delete allows 2"):
        check_push({("main", "dataset"): 3}, totals, {"main": Limit(count=2)})
    check_push({}, {}, {"main": Limit(count=0)})


def test_each_remote_and_kind_is_counted_for_itself_and_by_its_own_limit() -> None:
    totals = {("a", "item"): 40, ("b", "item"): 40}
    check_push({("a", "item"): 10, ("b", "item"): 10}, totals, {})
    with pytest.raises(Brake) as one:
        check_push({("a", "item"): 10, ("b", "item"): 11}, totals, {})
    assert [line[:2] for line in one.value.message.splitlines()[1:]] == ["b:"]
    own = {"a": Limit(share=0.1, origin="max_delete of [remotes.a]"), "b": Limit(share=0.5)}
    with pytest.raises(Brake, match=r"a: 10 of 40 items; max_delete of \[remotes.a\] allows 10%"):
        check_push({("a", "item"): 10, ("b", "item"): 11}, totals, own)


def test_all_that_goes_too_far_is_named_at_once_and_one_flag_lets_it_through() -> None:
    lost = {("a", "dataset"): 12, ("a", "item"): 30, ("b", "item"): 40, ("b", "dataset"): 1}
    totals = dict.fromkeys(lost, 40)
    with pytest.raises(Brake) as stopped:
        check_push(lost, totals, {})
    assert len(stopped.value.message.splitlines()) == 1 + 3
    assert stopped.value.hint.endswith("add --max-delete 40")
    check_push(lost, totals, dict.fromkeys("ab", Limit(count=40)))


def test_origin_is_for_messages_only() -> None:
    assert Limit(count=3, origin="somebody") == Limit(count=3)
    assert [str(each) for each in (Limit(), Limit(count=1_000), Limit(share=0.125))] == [
        "25% and more than 10",
        "1,000",
        "12.5%",
    ]


SCANS = (
    # listed, candidates, live before, limit, stopped
    (100, 25, 100, Limit(), False),
    (100, 26, 100, Limit(), True),
    (3, 2, 5, Limit(), False),
    (0, 5, 5, Limit(), True),
    (0, 0, 0, Limit(), False),
    (0, 5, 5, Limit(count=5), False),
    (0, 5, 5, Limit(count=4), True),
    (0, 5, 5, Limit(share=1), False),
    (0, 5, 5, Limit(count=5, origin="max_delete of [remotes.a]"), True),
    (1, 5, 6, Limit(count=5, origin="max_delete of [remotes.a]"), False),
    (0, 0, 0, Limit(count=5, origin="max_delete of [remotes.a]"), False),
)


@pytest.mark.parametrize(("listed", "candidates", "live", "limit", "stopped"), SCANS)
def test_a_scan_is_stopped_by_its_losses_or_when_all_is_gone(
    listed: int, candidates: int, live: int, limit: Limit, stopped: bool
) -> None:
    assert scan_stopped(listed, candidates, live, limit) is stopped
