"""Whatever both sides do, they end up equal, and no edit is lost without a conflict."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.sync.two_sides import TwoSides

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_both_sides_end_up_equal() -> None:
    short = settings(SLOW, max_examples=30, stateful_step_count=12, derandomize=True)
    run_state_machine_as_test(TwoSides, settings=short)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_both_sides_end_up_equal_after_many_more_steps() -> None:
    long = settings(SLOW, max_examples=1_000, stateful_step_count=30, derandomize=False)
    run_state_machine_as_test(TwoSides, settings=long)
