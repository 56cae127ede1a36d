"""`dssync revert`."""

from typing import TYPE_CHECKING

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.errors import UsageError

if TYPE_CHECKING:
    from dssync.mirror import Mirror, Record


@command("revert", exits=OPENING)
@click.argument("record", required=False)
@click.argument("fields", metavar="[FIELD]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Drop every local edit.")
def revert(context: Context, record: str | None, fields: tuple[str, ...], everything: bool) -> int:
    """Drop local edits.

    Of a whole RECORD, of some of its fields, or of everything. What is dropped is gone: the record
    is again as the server has it, and one that was made here goes. Settles a conflict in favour of
    the server.
    """
    from dssync.cli.editing import finish_edit

    if everything == (record is not None):
        raise UsageError("say what to revert: a RECORD, or --all")
    with context.mirror() as mirror:
        found = _meant(context, mirror, record)
        reverted = [each for each in found if mirror.revert(each.kind, each.key, fields)]
        if not reverted:
            context.tell("nothing was edited")
        return finish_edit(context, mirror, "reverted", reverted)


def _meant(context: Context, mirror: "Mirror", record: str | None) -> "list[Record]":
    from dssync.mirror import records

    names = context.chosen(mirror)
    if record is not None:
        return [mirror.find(record, names)]
    with mirror.database.read() as tx:
        return [records.get(tx, kind, key) for kind, key in mirror.touched_keys(names)]
