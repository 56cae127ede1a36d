"""`dssync search`."""

import click

from dssync.cli.command import command
from dssync.cli.completing import datasets
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.found import FoundView, building, snippet_width
from dssync.core.fields import KindName
from dssync.core.query import read_query
from dssync.errors import UsageError


@command("search", exits=OPENING)
@click.argument("text", nargs=-1, required=True)
@click.option(
    "--dataset",
    metavar="DATASET",
    shell_complete=datasets,
    help="Only in this dataset and its items.",
)
@click.option("--kind", type=click.Choice(["dataset", "item"]), help="Only datasets, or items.")
@click.option("--deleted", is_flag=True, help="Search deleted records as well.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Show so many.",
)
def search(
    context: Context,
    text: tuple[str, ...],
    dataset: str | None,
    kind: KindName | None,
    deleted: bool,
    limit: int,
) -> int:
    """Find records by the words in them.

    A record must have every word of TEXT, in its name, description, metadata, input or outputs,
    in any case and with or without accents. '"exact phrase"' stands together, refund* begins a
    word. The best come first. Columns: kind, key, remote, dataset, field, snippet. The first
    search makes an index beside the mirror, later ones catch it up; it can be deleted at any time.
    """
    from dssync.mirror import search as index

    terms = read_query(" ".join(text))
    with context.mirror() as mirror:
        parent = None if dataset is None else mirror.find(dataset, context.chosen(mirror))
        if parent is not None and parent.kind != "dataset":
            raise UsageError(f"{parent.key} is an item", hint=f"dssync show {parent.key}")
        wanted = index.Wanted(
            terms,
            tuple(context.chosen(mirror)),
            parent.key if parent else None,
            kind,
            deleted,
            limit,
        )
        with building(context.screen) as report:
            found = index.search(mirror.path, wanted, snippet_width(context.screen), report)
    return context.finish(FoundView(found))
