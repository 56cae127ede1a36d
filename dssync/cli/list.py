"""`dssync list`."""

import click

from dssync.cli.command import command
from dssync.cli.completing import datasets
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.record import RecordsView
from dssync.errors import UsageError


@command("list", exits=OPENING)
@click.argument("dataset", required=False, shell_complete=datasets)
@click.option("--deleted", is_flag=True, help="List deleted ones as well.")
def list_records(context: Context, dataset: str | None, deleted: bool) -> int:
    """List the datasets, or the items of one.

    DATASET is a key or id, a name, or the beginning of one. Columns of datasets: key, name,
    remote, updated_at, state; of items: key, input, expected_output, updated_at, state. The state
    is new, edited, to delete, to undelete, conflict or in doubt for what a push has to do with,
    else deleted or empty. Without a terminal the columns are separated by tabs, without a heading.
    """
    from dssync.sync.status import pending_words

    with context.mirror() as mirror:
        names = context.chosen(mirror)
        if dataset is None:
            found = mirror.datasets(names, deleted=deleted)
            pending = pending_words(mirror, "dataset", names)
            return context.finish(RecordsView("dataset", found, pending))
        parent = mirror.find(dataset, names)
        if parent.kind != "dataset":
            raise UsageError(f"{parent.key} is an item", hint=f"dssync show {parent.key}")
        items = mirror.items(parent.key, deleted=deleted)
        pending = pending_words(mirror, "item", dataset=parent.key)
        return context.finish(RecordsView("item", items, pending))
