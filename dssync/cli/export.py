"""`dssync export`."""

from pathlib import Path

import click

from dssync.cli.command import command
from dssync.cli.completing import datasets as named_datasets
from dssync.cli.completing import folders
from dssync.cli.context import Context
from dssync.cli.exits import OPENING


@command("export", exits=(5, *OPENING))
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=folders)
@click.option(
    "--format",
    "suffix",
    type=click.Choice(["jsonl", "csv", "xlsx"]),
    help="How items are written; without it, as DIR has them, else jsonl.",
)
@click.option(
    "--dataset",
    "datasets",
    metavar="NAME",
    shell_complete=named_datasets,
    multiple=True,
    help="Only this dataset, by name, key or id; may be repeated.",
)
@click.option("--overwrite", is_flag=True, help="Drop edits in DIR that were not imported.")
def export(
    context: Context,
    directory: Path,
    suffix: str | None,
    datasets: tuple[str, ...],
    overwrite: bool,
) -> int:
    """Write the working copy as files.

    DIR gets a folder for each remote, and in it two files for each dataset: its fields as JSON, and
    its items. The same records give the same bytes, so DIR can be kept in Git. Edits come back with
    `dssync import DIR`. Nothing is removed but what an export wrote.
    """
    from dssync.cli.render.files import ExportView
    from dssync.files import export as write

    with context.mirror() as mirror:
        done = write(
            mirror,
            context.given.folder / directory,
            remotes=context.chosen(mirror),
            datasets=datasets,
            suffix=suffix,
            overwrite=overwrite,
        )
    view = ExportView(done)
    context.screen.tell(view.lines())
    return context.finish(view)
