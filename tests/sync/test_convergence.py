"""Whatever both sides do, they end up equal, and no edit is lost without a conflict."""

import pytest
from hypothesis import HealthCheck, settings

from tests.sync.two_sides import TwoSides

QUIET = (HealthCheck.too_slow, HealthCheck.filter_too_much)


class TestTwoSides(TwoSides.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(
        max_examples=30,
        stateful_step_count=12,
        derandomize=True,
        deadline=None,
        suppress_health_check=QUIET,
    )


@pytest.mark.soak
@pytest.mark.timeout(7200)
class TestTwoSidesForLong(TwoSides.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(
        max_examples=1_000, stateful_step_count=50, deadline=None, suppress_health_check=QUIET
    )
