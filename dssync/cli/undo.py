"""`dssync undo`."""

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import consent_options, max_delete_option, max_wait_option, wait_option
from dssync.core.brakes import Limit


@command("undo", exits=(*ASKING, *OPENING, 4, 8))
@click.argument("run", type=click.IntRange(min=1))
@click.argument("records", metavar="[RECORD]...", nargs=-1)
@click.option("--checksum", metavar="DIGEST", help="Consent to the plan of this digest only.")
@consent_options
@max_delete_option
@wait_option
@max_wait_option
def undo(
    context: Context,
    run: int,
    records: tuple[str, ...],
    checksum: str | None,
    dry: bool,
    yes: bool,
    limit: Limit | None,
    wait: float,
    max_wait: float | None,
) -> int:
    """Take a push back.

    RUN is a number of `dssync log`; with RECORD, only these. What the run changed gets back what it
    held before, what it made is deleted, what it deleted is brought back. A record that somebody
    changed since, here or on the server, is left as it is and shown with its values. The plan is
    shown, and one question asked. An undo is a run like any other, and can be taken back as well.
    """
    from dssync.cli.undoing import Undoing

    settings = context.settings()
    with context.mirror(settings) as mirror:
        names = context.chosen(mirror)
        undoing = Undoing(
            context=context,
            mirror=mirror,
            session=context.session(wait, max_wait),
            number=run,
            records=tuple(mirror.find(record, names) for record in records),
            names=names,
            consent=checksum or yes,
            dry=dry,
            limit=limit,
        )
        return undoing.go(context.remotes(settings))
