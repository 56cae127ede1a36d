"""`dssync show`."""

import click

from dssync.cli.command import command
from dssync.cli.completing import records, snapshots
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.record import RecordView


@command("show", exits=OPENING)
@click.argument("record", shell_complete=records())
@click.option(
    "--at", "when", metavar="WHEN", shell_complete=snapshots, help="As the server had it then."
)
def show(context: Context, record: str, when: str | None) -> int:
    """Show one record in full.

    RECORD is a key or id, a dataset's name, or the beginning of one (4 characters or more).
    Without a terminal the record is JSON. WHEN is the number of a run, or a time such as 2026-11-01
    or 2026-11-01T18:00:00Z, which means the newest snapshot taken at or before it; a day means its
    end in UTC.
    """
    from dssync.sync.asof import record_at
    from dssync.sync.status import pending_word

    with context.mirror() as mirror:
        names = context.chosen(mirror)
        found = mirror.find(record, names)
        parents = mirror.names([str(found.values["dataset"])]) if found.kind == "item" else ()
        if when is not None:
            then, run = record_at(mirror, found, when)
            return context.finish(RecordView(then, "", parents, at=run))
        pending = pending_word(mirror, found.kind, found.key)
        return context.finish(RecordView(found, pending, parents))
