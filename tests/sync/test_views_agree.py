"""Whatever both sides do, the views name what the differ finds."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.mirror.test_views import Said, planned
from tests.sync.two_sides import TwoSides

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Viewed(TwoSides):
    """Asks the views after every step."""

    @invariant()
    def the_views_agree_with_the_differ(self) -> None:
        assert self._viewed() == planned(self.world.plan())

    def _viewed(self) -> Said:
        changes = self.world.sql(
            "SELECT action, key, field FROM pending_changes WHERE action <> 'conflict'"
            " UNION ALL SELECT 'conflict', key, field FROM conflicts"
        )
        return {(action, key, field) for action, key, field in changes}


def test_the_views_agree_with_the_differ() -> None:
    short = settings(SLOW, max_examples=6, stateful_step_count=10, derandomize=True)
    run_state_machine_as_test(Viewed, settings=short)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_views_agree_with_the_differ_after_many_more_steps() -> None:
    long = settings(SLOW, max_examples=500, stateful_step_count=30, derandomize=False)
    run_state_machine_as_test(Viewed, settings=long)
