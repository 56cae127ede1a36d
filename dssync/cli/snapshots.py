"""`dssync snapshots`."""

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING


@command("snapshots", exits=OPENING)
def snapshots(context: Context) -> int:
    """List what can be gone back to.

    Every pull that read both lists of a remote whole ends in a snapshot, named by the number of
    its run. Records that the server could not show then are in it as they last could be read; they
    are counted as unread. Reads the mirror only. Without a terminal the list has columns separated
    by tabs: run, remote, taken, age, datasets, items, unread, and "newest" where it is.
    """
    from dssync.cli.render.snapshots import SnapshotsView
    from dssync.sync.verifier import read_snapshots

    with context.mirror() as mirror:
        taken = read_snapshots(mirror, context.chosen(mirror))
    return context.finish(SnapshotsView(taken, context.session().clock.now()))
