"""What a push sent, or would send."""

from dataclasses import dataclass

from dssync.cli.render.plan import PlanView, plan_json
from dssync.cli.render.screen import Screen
from dssync.cli.render.view import Document
from dssync.core.plan import Plan


@dataclass(frozen=True, slots=True)
class PushView:
    """Shows a plan as the data of a push that is `dry`; people saw any other plan before it ran."""

    plan: Plan
    dry: bool = False

    def json(self) -> Document:
        """Return the plan for programs; what came of it stands in the receipt."""
        return {"dry_run": self.dry, "plan": plan_json(self.plan)}

    def draw(self, screen: Screen) -> None:
        """Print the plan of a dry run."""
        if self.dry:
            PlanView(self.plan).draw(screen)
