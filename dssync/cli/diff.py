"""`dssync diff`."""

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.plan import PlanView
from dssync.core.receipt import Exit


@command("diff", exits=(*OPENING, Exit.DIFFERENCES))
@click.option("--exit-code", is_flag=True, help="End with 20 when there are differences.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or the plan as JSON.",
)
def diff(context: Context, exit_code: bool, form: str) -> int:
    """Show what a push would send, field by field.

    Before each record stands + for a new one, ~ for a changed one, - for a deleted one, ^ for one
    that is brought back, ! for a conflict. Reads the mirror only.
    """
    from dssync.sync import make_plan

    with context.mirror() as mirror:
        plan = make_plan(mirror, context.chosen(mirror))
    context.finish(PlanView(plan, as_json=form == "json"))
    different = bool(plan.changes or plan.conflicts)
    return Exit.DIFFERENCES if exit_code and different else Exit.DONE
