"""`dssync undelete`."""

from typing import TYPE_CHECKING

import click

from dssync.cli.command import command
from dssync.cli.completing import records
from dssync.cli.context import Context
from dssync.cli.exits import OPENING

if TYPE_CHECKING:
    from dssync.mirror import Mirror, Record


@command("undelete", exits=OPENING)
@click.argument(
    "records", metavar="RECORD...", nargs=-1, required=True, shell_complete=records("deleted")
)
@click.option("--recreate", is_flag=True, help="Make them again: the server cannot undelete them.")
def undelete(context: Context, records: tuple[str, ...], recreate: bool) -> int:
    """Bring deleted records back.

    Works for what was deleted here, and for what was deleted on the server: a push brings it back
    there, too. The oldest servers refuse that; --recreate makes the record again, with a new id
    there and its key here, and moves a dataset's items along. `dssync list --deleted` shows what
    there is.
    """
    from dssync.cli.editing import finish_edit

    with context.mirror() as mirror:
        names = context.chosen(mirror)
        found = [mirror.find(record, names) for record in records]
        for record in found:
            if recreate:
                _recreate(context, mirror, record)
            else:
                mirror.undelete(record.kind, record.key)
        return finish_edit(context, mirror, "to make again" if recreate else "brought back", found)


def _recreate(context: Context, mirror: "Mirror", record: "Record") -> None:
    from dssync.cli.render.text import counted

    items = mirror.recreate(record.kind, record.key)
    if items.moving:
        context.tell(f"{counted(items.moving, 'item')} will move along, one request each")
    if items.staying:
        context.tell(f"{counted(items.staying, 'item')} will stay in the deleted dataset")
