"""`dssync diff`."""

from pathlib import Path

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.plan import PlanView
from dssync.cli.render.text import counted
from dssync.core.plan import Plan
from dssync.core.receipt import Exit


@command("diff", exits=(*OPENING, Exit.DIFFERENCES))
@click.option("--exit-code", is_flag=True, help="End with 20 when there are differences.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "md"]),
    default="text",
    help="For people, the plan as JSON, or Markdown for a pull request.",
)
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Save the plan, for `dssync push FILE`.",
)
def diff(context: Context, exit_code: bool, form: str, file: Path | None) -> int:
    """Show what a push would send, field by field.

    Before each record stands + for a new one, ~ for a changed one, - for a deleted one, ^ for one
    that is brought back, ! for a conflict. The last line has the plan's digest: `dssync push
    --checksum DIGEST` sends exactly this, and so does a push of the saved plan. Reads the mirror
    only.
    """
    from dssync.clock import SystemClock
    from dssync.sync import make_plan, planfile

    with context.mirror() as mirror:
        plan = make_plan(mirror, context.chosen(mirror))
        if file is not None:
            planfile.save(file, mirror, plan, SystemClock())
            context.tell(f"saved {_contents(plan)} in {file}")
    context.finish(PlanView(plan, form, file=file))
    different = bool(plan.changes or plan.conflicts)
    return Exit.DIFFERENCES if exit_code and different else Exit.DONE


def _contents(plan: Plan) -> str:
    """Say what a saved plan holds, and what it does not."""
    left_out = f" ({counted(len(plan.conflicts), 'conflict')} left out)" if plan.conflicts else ""
    return f"{counted(len(plan.changes), 'change')}{left_out}"
