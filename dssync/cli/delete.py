"""`dssync delete`."""

from functools import partial

import click

from dssync.cli.command import command
from dssync.cli.completing import records
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.options import where_options
from dssync.core.fields import KindName
from dssync.errors import UsageError


@command("delete", exits=OPENING)
@click.argument("records", metavar="[RECORD]...", nargs=-1, shell_complete=records())
@where_options
def delete(
    context: Context,
    records: tuple[str, ...],
    where: str | None,
    kind: KindName | None,
    dataset: str | None,
    dry: bool,
    yes: bool,
) -> int:
    """Mark records deleted.

    A push deletes them on the server, where they can be brought back. A dataset's items stay as
    they are. A record that was made here and never pushed really goes. With --where, or --dataset,
    every record that EXPR holds for, after a preview and one question.
    """
    from dssync.cli.bulk import Where, go
    from dssync.cli.editing import finish_edit
    from dssync.sync.bulk import apply_edits, deleting

    many = Where(where, kind, dataset, dry, yes)
    if many.given == bool(records):
        raise UsageError("say what to delete: a RECORD, or --where EXPR")
    with context.mirror() as mirror:
        if many.given:
            changes = deleting(mirror, many.find(context, mirror))
            apply = partial(apply_edits, mirror, changes)
            return go(context, mirror, many, "delete", changes, apply)
        many.refuse_alone()
        names = context.chosen(mirror)
        found = [mirror.find(record, names) for record in records]
        apply_edits(mirror, deleting(mirror, found))
        return finish_edit(context, mirror, "deleted", found)
