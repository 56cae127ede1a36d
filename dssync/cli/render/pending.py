"""What waits to be pushed: how much, how to see it, how to take it back."""

from collections.abc import Iterator

from dssync.cli.render.plan import summary
from dssync.cli.render.text import Line
from dssync.cli.render.view import Document
from dssync.core.plan import Plan


def pending_json(plan: Plan) -> Document:
    """Return the counts for programs."""
    return {"changes": dict(plan.counts()), "conflicts": len(plan.conflicts)}


def pending_lines(plan: Plan) -> Iterator[Line]:
    """Say what is pending, and what to type next."""
    if not plan.changes and not plan.conflicts:
        yield Line("pending: nothing")
        return
    yield Line(f"pending: {summary(plan)}", "head")
    if plan.changes:
        yield Line("  see it: dssync diff; send it: dssync push; take it back: dssync revert --all")
    if plan.conflicts:
        yield Line("  see the conflicts and settle them: dssync resolve")
