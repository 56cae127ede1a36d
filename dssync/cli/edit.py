"""`dssync edit`."""

import click

from dssync.cli.command import command
from dssync.cli.completing import records
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.options import max_delete_option
from dssync.core.brakes import Limit


@command("edit", exits=(*OPENING, 8))
@click.argument("record", shell_complete=records())
@click.option("--items", "with_items", is_flag=True, help="Open the dataset's items, too.")
@click.option(
    "--delete-missing", is_flag=True, help="Delete the items that are gone from the file."
)
@max_delete_option
def edit(
    context: Context, record: str, with_items: bool, delete_missing: bool, limit: Limit | None
) -> int:
    """Edit a dataset or an item in your editor.

    Opens it as YAML in $VISUAL or $EDITOR, with long text as blocks. What you save is checked: a
    mistake brings the file back with what is wrong at its line. Only what you changed becomes an
    edit, all of it or nothing. An empty or unchanged file changes nothing. An item without a key
    is new; one that is gone from the file stays, unless --delete-missing is given.
    """
    from dssync.cli.rewriting import rewrite
    from dssync.errors import UsageError
    from dssync.files.rewriting import open_page

    if delete_missing and not with_items:
        raise UsageError("--delete-missing is about items", hint="add --items")
    with context.mirror() as mirror:
        found = mirror.find(record, context.chosen(mirror))
        page = open_page(mirror, found, with_items=with_items)
        return rewrite(context, mirror, page, delete_missing=delete_missing, limit=limit)
