"""`dssync migrate`."""

from pathlib import Path

import click

from dssync.cli.command import command
from dssync.cli.completing import datasets, remotes
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import consent_options, max_delete_option, max_wait_option, wait_option
from dssync.core.brakes import Limit


@command("migrate", exits=(*ASKING, *OPENING, 4, 8))
@click.argument("source", metavar="SOURCE|FILE", shell_complete=remotes)
@click.argument("dest", shell_complete=remotes)
@click.option(
    "--dataset",
    "only",
    metavar="NAME",
    multiple=True,
    shell_complete=datasets,
    help="Only this dataset, or those that a pattern such as 'eval-*' fits; may be repeated.",
)
@click.option(
    "--exclude",
    "besides",
    metavar="NAME",
    multiple=True,
    shell_complete=datasets,
    help="But not this one; may be repeated.",
)
@click.option("--as", "called", metavar="NAME", help="Call the copy of the one dataset so.")
@click.option("--prefix", metavar="TEXT", default="", help="Put TEXT before the names of copies.")
@click.option(
    "--at", metavar="SNAPSHOT|TIME", help="What the source held then, without asking its server."
)
@click.option("--match", is_flag=True, help="Take over what DEST has already of this.")
@click.option(
    "--delete-missing", "missing", is_flag=True, help="Delete copies whose originals are gone."
)
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Keep the plan in FILE.",
)
@click.option("--checksum", metavar="DIGEST", help="Consent to the plan of this digest only.")
@consent_options
@max_delete_option
@wait_option
@max_wait_option
def migrate(
    context: Context,
    source: str,
    dest: str,
    only: tuple[str, ...],
    besides: tuple[str, ...],
    called: str | None,
    prefix: str,
    at: str | None,
    match: bool,
    missing: bool,
    file: Path | None,
    checksum: str | None,
    dry: bool,
    yes: bool,
    limit: Limit | None,
    wait: float,
    max_wait: float | None,
) -> int:
    """Copy datasets with their items into another remote.

    Both remotes are pulled, the plan is shown, and one question asked. What was copied before is
    updated: changes of both sides are merged, and the same field changed on both is a conflict
    for `dssync resolve`. Afterwards DEST is pulled again and every copy compared. FILE is a bundle.
    With -n nothing is pulled either: it shows what the mirror knows. SOURCE may be DEST: then the
    copies need other names.
    """
    from dssync.cli.migrating import Migrating, checked_choice
    from dssync.sync.migrating import Wishes

    choice = checked_choice(source == dest, only, besides, called, prefix)
    settings = context.settings()
    with context.mirror(settings, create=not dry) as mirror:
        return Migrating(
            context=context,
            mirror=mirror,
            session=context.session(wait, max_wait),
            remotes={remote.name: remote for remote in context.remotes(settings)},
            source=source,
            dest=dest,
            at=at,
            wishes=Wishes(choice, match, missing),
            consent=checksum or yes,
            file=file,
            dry=dry,
            limit=limit,
        ).go()
