"""What a push sent, or would send."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.moved import moved_json, use_json
from dssync.cli.render.plan import PlanView, plan_json
from dssync.cli.render.screen import Screen
from dssync.cli.render.view import Document
from dssync.core.plan import Plan
from dssync.core.standing import Moved

if TYPE_CHECKING:
    from dssync.mirror.plans import Use


@dataclass(frozen=True, slots=True)
class PushView:
    """Shows a plan as the data of a push that is `dry`; people saw any other plan before it ran.

    `moved` is what dropped out of a reviewed plan, `uses` are the runs that applied it before.
    `approvable` tells whether a push takes this plan's digest: not where the server has moved.
    """

    plan: Plan
    dry: bool = False
    moved: tuple[Moved, ...] = ()
    uses: "tuple[Use, ...]" = ()
    approvable: bool = True

    def json(self) -> Document:
        """Return the plan for programs; what came of it stands in the receipt."""
        return {
            "dry_run": self.dry,
            "plan": plan_json(self.plan),
            "left_out": [moved_json(each) for each in self.moved],
            "applied_before": [use_json(use) for use in self.uses],
        }

    def draw(self, screen: Screen) -> None:
        """Print the plan of a dry run."""
        if self.dry:
            PlanView(self.plan, approvable=self.approvable).draw(screen)
