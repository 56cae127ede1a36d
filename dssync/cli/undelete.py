"""`dssync undelete`."""

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING


@command("undelete", exits=OPENING)
@click.argument("records", metavar="RECORD...", nargs=-1, required=True)
def undelete(context: Context, records: tuple[str, ...]) -> int:
    """Bring deleted records back.

    Works for what was deleted here, and for what was deleted on the server: a push brings it back
    there, too. `dssync list --deleted` shows what there is.
    """
    from dssync.cli.editing import finish_edit

    with context.mirror() as mirror:
        names = context.chosen(mirror)
        found = [mirror.find(record, names) for record in records]
        for record in found:
            mirror.undelete(record.kind, record.key)
        return finish_edit(context, mirror, "brought back", found)
