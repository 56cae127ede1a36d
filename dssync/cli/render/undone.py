"""What an undo sent, or would send."""

from dataclasses import dataclass

from dssync.cli.render.plan import digest_lines, plan_json, plan_lines
from dssync.cli.render.screen import Screen
from dssync.cli.render.view import Document
from dssync.core.plan import Plan


@dataclass(frozen=True, slots=True)
class UndoView:
    """Shows the plan that takes run `number` back; one that was sent was `shown` before."""

    number: int
    plan: Plan
    dry: bool
    shown: bool

    def json(self) -> Document:
        """Return the plan for programs; what came of it stands in the receipt."""
        return {"dry_run": self.dry, "undoes": self.number, "plan": plan_json(self.plan)}

    def draw(self, screen: Screen) -> None:
        """Print the plan, if there is anything in it."""
        if not self.shown and (self.plan.changes or self.plan.conflicts):
            consent = f"dssync undo {self.number} --checksum {self.plan.digest}"
            last = digest_lines(self.plan, consent)
            screen.data([*plan_lines(self.plan, screen.width), *last])
