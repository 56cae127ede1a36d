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

    Both are pulled, the plan is shown, and one question asked. What was copied before is updated:
    changes of both sides are merged, and a field that both changed is a conflict to resolve. Then
    DEST is pulled again and every copy compared. FILE is a bundle. SOURCE may be DEST, if the
    copies get other names. With -n nothing is pulled: it shows what the mirror knows.
    """
    from dssync.cli.migrating import Migrating, checked_wishes

    names = only, besides, called, prefix
    wishes = checked_wishes(*names, match=match, missing=missing, same=source == dest)
    settings = context.settings()
    remotes = {remote.name: remote for remote in context.remotes(settings)}
    consent = checksum or yes
    with context.mirror(settings, create=not dry) as mirror:
        session = context.session(wait, max_wait)
        migrating = Migrating(
            context, mirror, session, remotes, source, dest, at, wishes, consent, file, dry, limit
        )
        return migrating.go()
