"""`dssync push`."""

from pathlib import Path

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import consent_options, max_delete_option, max_wait_option, wait_option
from dssync.cli.render.pushed import PushView
from dssync.core.brakes import Limit


@command("push", exits=(*ASKING, *OPENING, 4, 8))
@click.argument("file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
@consent_options
@click.option(
    "--checksum",
    metavar="DIGEST",
    help="Consent to the plan with this digest, and to no other.",
)
@click.option("--all-or-nothing", "whole", is_flag=True, help="Send nothing if a record drops out.")
@max_delete_option
@wait_option
@max_wait_option
def push(
    context: Context,
    file: Path | None,
    dry: bool,
    yes: bool,
    checksum: str | None,
    whole: bool,
    limit: Limit | None,
    wait: float,
    max_wait: float | None,
) -> int:
    """Send what changed here.

    Every record is read again first, and what somebody else changed is never overwritten. The plan
    is shown, and one question asked; -y is the consent where nobody can answer.

    PLAN is a file that `dssync diff -o` saved. With it, or with --checksum, exactly what was
    reviewed is sent: a record that moved since drops out and is shown with its three values, and
    what else is pending stays so.
    """
    from dssync.cli.pushing import Pushing
    from dssync.cli.pushing import push as push_all
    from dssync.sync import make_plan, planfile

    saved = planfile.read(file) if file else None
    settings = context.settings()
    remotes = context.remotes(settings)
    with context.mirror(settings) as mirror:
        session = context.session(wait, max_wait)
        pushing = Pushing(
            context, mirror, session, yes, dry, limit, saved=saved, checksum=checksum, whole=whole
        )
        pushed = push_all(pushing, remotes)
        approvable = pushed.plan.digest == pushing.pending(remotes).digest
        pending = make_plan(mirror)
    view = PushView(pushed.plan, dry, pushed.moved, pushed.uses, approvable)
    return context.finish(view, receipt=pushed.receipt, pending=pending)
