"""`dssync delete`."""

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING


@command("delete", exits=OPENING)
@click.argument("records", metavar="RECORD...", nargs=-1, required=True)
def delete(context: Context, records: tuple[str, ...]) -> int:
    """Mark records deleted.

    A push deletes them on the server, where they can be brought back. A dataset's items stay as
    they are. A record that was made here and never pushed really goes.
    """
    from dssync.cli.editing import finish_edit

    with context.mirror() as mirror:
        names = context.chosen(mirror)
        found = [mirror.find(record, names) for record in records]
        for record in found:
            mirror.delete(record.kind, record.key)
        return finish_edit(context, mirror, "deleted", found)
