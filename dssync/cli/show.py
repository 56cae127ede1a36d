"""`dssync show`."""

import click

from dssync.cli.command import command
from dssync.cli.completing import records
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.record import RecordView


@command("show", exits=OPENING)
@click.argument("record", shell_complete=records())
def show(context: Context, record: str) -> int:
    """Show one record in full.

    RECORD is a key or id, a dataset's name, or the beginning of one (4 characters or more).
    Without a terminal the record is JSON.
    """
    from dssync.sync.status import pending_word

    with context.mirror() as mirror:
        names = context.chosen(mirror)
        found = mirror.find(record, names)
        pending = pending_word(mirror, found.kind, found.key)
        parents = mirror.names([str(found.values["dataset"])]) if found.kind == "item" else ()
        return context.finish(RecordView(found, pending, parents))
