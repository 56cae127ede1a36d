"""`dssync diff`."""

from pathlib import Path

import click

from dssync.cli.command import command
from dssync.cli.completing import snapshots
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.plan import PlanView
from dssync.cli.render.text import counted
from dssync.core.plan import Plan
from dssync.core.receipt import Exit
from dssync.errors import MirrorDamaged, UsageError


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
@click.option(
    "--at",
    "moments",
    shell_complete=snapshots,
    metavar="WHEN",
    multiple=True,
    help="What became of the server's records since WHEN; with a second one, until then.",
)
def diff(
    context: Context, exit_code: bool, form: str, file: Path | None, moments: tuple[str, ...]
) -> int:
    """Show what a push would send, field by field.

    Before each record stands + for a new one, ~ for a changed one, - for a deleted one, ^ for one
    that is brought back, ! for a conflict. The last line has the plan's digest: `dssync push
    --checksum DIGEST` sends exactly this, and so does a push of the saved plan. Reads the mirror
    only.

    With --at, what became of the records on the server: WHEN is the number of a run, or a time such
    as 2026-11-01 or 2026-11-01T18:00:00Z, which means the newest snapshot taken at or before it; a
    day means its end in UTC.
    """
    if moments:
        return _past(context, exit_code, form, file, moments)
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


def _past(
    context: Context, exit_code: bool, form: str, file: Path | None, moments: tuple[str, ...]
) -> int:
    """Show what became of the records on the server."""
    from dssync.cli.render.between import BetweenView
    from dssync.sync.asof import between

    if len(moments) > 2 or file is not None:
        said = "-o saves what a push would send" if file else "--at compares two moments at most"
        raise UsageError(said, hint="dssync diff --help")
    with context.mirror() as mirror:
        first, second = (*moments, None)[:2]
        found = between(mirror, context.chosen(mirror), str(first), second)
    context.finish(BetweenView(found, form))
    if found.broken:
        return MirrorDamaged.exit_code
    return Exit.DIFFERENCES if exit_code and found.plan.changes else Exit.DONE


def _contents(plan: Plan) -> str:
    """Say what a saved plan holds, and what it does not."""
    left_out = f" ({counted(len(plan.conflicts), 'conflict')} left out)" if plan.conflicts else ""
    return f"{counted(len(plan.changes), 'change')}{left_out}"
