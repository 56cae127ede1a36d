"""What became of the records of remotes between two moments of their past."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.plan import change_json, plan_lines
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, sentence
from dssync.cli.render.view import Document

if TYPE_CHECKING:
    from dssync.sync.asof import Between


@dataclass(frozen=True, slots=True)
class BetweenView:
    """Shows changes as a plan shows them; nobody could push them, so there is no digest."""

    between: "Between"
    form: str = "text"

    def json(self) -> Document:
        """Return the changes for programs."""
        plan = self.between.plan
        return {
            "remotes": [
                {"remote": remote, "from_run": first, "to_run": second}
                for remote, first, second in self.between.runs
            ],
            "counts": dict(plan.counts()),
            "changes": [change_json(change) for change in plan.changes],
            "damaged": list(self.between.broken),
        }

    def draw(self, screen: Screen) -> None:
        """Print the changes in the form that was asked for, and warn of what is damaged."""
        plan, spans = self.between.plan, "; ".join(self._spans())
        if self.form == "json":
            screen.document(self.json(), indent=2)
        elif self.form == "md":
            from dssync.cli.render.markdown import plan_markdown

            screen.data(map(Line, plan_markdown(plan, spans)))
        elif plan.changes:
            screen.data([Line(spans, "head"), Line(), *plan_lines(plan, screen.width)])
        else:
            screen.tell([Line(f"{spans}: no differences")])
        for name in self.between.broken:
            said = f"what is kept of {name} is not what the server sent; see `dssync verify`"
            screen.warn(sentence(said, screen.width, tone="error"))

    def _spans(self) -> Iterator[str]:
        for remote, first, second in self.between.runs:
            until = "now" if second is None else f"run {second}"
            yield f"{remote}, run {first} to {until}"
