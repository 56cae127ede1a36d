"""Whatever both sides do, views and lists name what the differ finds."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from dssync.core.fields import KindName
from dssync.sync.status import PENDING, pending_word, pending_words, read_status
from tests.mirror.test_views import Said, planned
from tests.sync.two_sides import TwoSides

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Viewed(TwoSides):
    """Asks the views after every step."""

    @invariant()
    def the_views_agree_with_the_differ(self) -> None:
        assert self._viewed() == planned(self.world.plan())

    @invariant()
    def the_lists_agree_with_the_plan(self) -> None:
        plan, doubts = self.world.plan(), read_status(self.world.mirror).in_doubt
        wanted = {(c.kind, c.key): PENDING[c.action] for c in plan.changes}
        wanted |= {(c.kind, c.key): "conflict" for c in plan.conflicts}
        wanted |= {(intent.kind, intent.key): "in doubt" for intent in doubts}
        assert self._listed() == wanted

    def _listed(self) -> dict[tuple[KindName, str], str]:
        mirror = self.world.mirror
        found = dict(pending_words(mirror, "dataset"))
        for dataset in list(mirror.datasets(deleted=True)):
            found |= pending_words(mirror, "item", dataset=dataset.key)
        assert {place: pending_word(mirror, *place) for place in found} == found
        return found

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
