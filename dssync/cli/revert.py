"""`dssync revert`."""

from functools import partial
from typing import TYPE_CHECKING

import click

from dssync.cli.command import command
from dssync.cli.completing import edited_fields, records
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.options import where_options
from dssync.core.fields import KindName
from dssync.errors import UsageError

if TYPE_CHECKING:
    from dssync.mirror import Mirror, Record


@command("revert", exits=OPENING)
@click.argument("record", required=False, shell_complete=records("touched"))
@click.argument("fields", metavar="[FIELD]...", nargs=-1, shell_complete=edited_fields)
@click.option("--all", "everything", is_flag=True, help="Drop every local edit.")
@where_options
def revert(
    context: Context,
    record: str | None,
    fields: tuple[str, ...],
    everything: bool,
    where: str | None,
    kind: KindName | None,
    dataset: str | None,
    dry: bool,
    yes: bool,
) -> int:
    """Drop local edits.

    Of a whole RECORD, of some of its fields, or of everything. What is dropped is shown, and gone:
    the record is again as the server has it, and one that was made here goes. Settles a conflict
    in favour of the server. With --where, or --dataset, of every edited record that EXPR holds
    for, after a preview and one question.
    """
    from dssync.cli.bulk import Where, go
    from dssync.cli.editing import finish_edit
    from dssync.cli.render.bulk import dropped_lines
    from dssync.sync.bulk import apply_reverts, reverting, take_back

    many = Where(where, kind, dataset, dry, yes)
    if [everything, record is not None, many.given].count(True) != 1:
        raise UsageError("say what to revert: a RECORD, --all, or --where EXPR")
    with context.mirror() as mirror:
        if many.given:
            changes = reverting(mirror, many.find(context, mirror, touched=True))
            apply = partial(apply_reverts, mirror, changes)
            return go(context, mirror, many, "revert", changes, apply)
        many.refuse_alone()
        found = _meant(context, mirror, record)
        dropped = reverting(mirror, found, fields)
        reverted = take_back(mirror, found, fields)
        if not reverted:
            context.tell("nothing was edited")
        context.screen.tell(dropped_lines(dropped, context.screen.width))
        return finish_edit(context, mirror, "reverted", reverted)


def _meant(context: Context, mirror: "Mirror", record: str | None) -> "list[Record]":
    from dssync.mirror import records

    names = context.chosen(mirror)
    if record is not None:
        return [mirror.find(record, names)]
    with mirror.database.read() as tx:
        return [records.get(tx, kind, key) for kind, key in mirror.touched_keys(names)]
