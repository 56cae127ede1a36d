"""`dssync push`."""

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import consent_options, max_delete_option, max_wait_option, wait_option
from dssync.cli.render.pushed import PushView
from dssync.core.brakes import Limit


@command("push", exits=(*ASKING, *OPENING, 4, 8))
@consent_options
@max_delete_option
@wait_option
@max_wait_option
def push(
    context: Context, dry: bool, yes: bool, limit: Limit | None, wait: float, max_wait: float | None
) -> int:
    """Send what changed here.

    Every record is read again first, and what somebody else changed is never overwritten. The plan
    is shown, and one question asked; -y is the consent where nobody can answer.
    """
    from dssync.cli.pushing import Pushing
    from dssync.cli.pushing import push as push_all
    from dssync.sync import make_plan

    settings = context.settings()
    remotes = context.remotes(settings)
    with context.mirror(settings) as mirror:
        pushing = Pushing(context, mirror, context.session(wait, max_wait), yes, dry, limit)
        pushed = push_all(pushing, remotes)
        pending = make_plan(mirror)
    view = PushView(pushed.plan, dry=dry)
    return context.finish(view, receipt=pushed.receipt, pending=pending)
