"""`dssync sync`."""

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import consent_options, max_delete_option, max_wait_option, wait_option
from dssync.cli.render.pushed import PushView
from dssync.core.brakes import Limit


@command("sync", exits=(*ASKING, *OPENING, 4, 8))
@consent_options
@max_delete_option
@wait_option
@max_wait_option
def sync(
    context: Context, dry: bool, yes: bool, limit: Limit | None, wait: float, max_wait: float | None
) -> int:
    """Pull, then push.

    The pull is done unasked, the push as `dssync push` does it. A remote whose pull did not finish
    is not pushed to. With -n nothing is pulled either: it only shows what a push would send.
    """
    from dssync.cli.pushing import Pushing, push
    from dssync.cli.pushing import sync as sync_all
    from dssync.sync import make_plan

    settings = context.settings()
    remotes = context.remotes(settings)
    with context.mirror(settings, create=not dry) as mirror:
        pushing = Pushing(context, mirror, context.session(wait, max_wait), yes, dry, limit)
        pushed = push(pushing, remotes) if dry else sync_all(pushing, remotes, limit)
        approvable = pushed.plan.digest == pushing.pending(remotes).digest
        pending = make_plan(mirror)
    view = PushView(pushed.plan, dry, approvable=approvable)
    return context.finish(view, receipt=pushed.receipt, pending=pending)
