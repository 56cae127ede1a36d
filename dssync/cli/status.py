"""`dssync status`."""

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING


@command("status", exits=OPENING)
def status(context: Context) -> int:
    """Show what changed here and how old the mirror is.

    Reads the mirror only. The age of a remote is that of its last complete pull.
    """
    from dssync.cli.render.status import StatusView
    from dssync.clock import SystemClock
    from dssync.sync.status import read_status, unreadable_records

    with context.mirror() as mirror:
        names = context.chosen(mirror)
        view = StatusView(
            read_status(mirror, names),
            unreadable_records(mirror, names),
            str(mirror.path),
            SystemClock().now(),
        )
        return context.finish(view)
