"""`dssync import`."""

from pathlib import Path

import click

from dssync.cli.command import command
from dssync.cli.completing import folders
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.options import max_delete_option
from dssync.core.brakes import Limit


@command("import", exits=(*OPENING, 8))
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=folders)
@click.option("-n", "--dry-run", "dry", is_flag=True, help="Only show what would change.")
@click.option(
    "--delete-missing", is_flag=True, help="Delete what was exported and is gone from DIR."
)
@max_delete_option
def import_files(
    context: Context, directory: Path, dry: bool, delete_missing: bool, limit: Limit | None
) -> int:
    """Bring edits in files back.

    Only what was changed in DIR since the export is taken; what is newer in the mirror stays. A row
    without an id becomes a new item, once, however often it is imported. All files are checked
    first: one mistake, or one field that changed on both sides, and nothing is imported.
    """
    from dssync.cli.render.files import ImportView
    from dssync.files import bring_in
    from dssync.sync import make_plan

    with context.mirror() as mirror:
        done = bring_in(
            mirror,
            context.given.folder / directory,
            remotes=context.chosen(mirror),
            dry=dry,
            delete_missing=delete_missing,
            limit=limit,
        )
        view = ImportView(done)
        context.screen.tell(view.lines())
        return context.finish(view, pending=None if dry else make_plan(mirror))
