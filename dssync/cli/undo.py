"""`dssync undo`."""

from typing import TYPE_CHECKING

import click

from dssync.cli.command import command
from dssync.cli.completing import records, runs_to_undo
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import consent_options, max_delete_option, max_wait_option, wait_option
from dssync.core.brakes import Limit
from dssync.errors import UsageError

if TYPE_CHECKING:
    from dssync.mirror import Mirror


@command("undo", exits=(*ASKING, *OPENING, 4, 8))
@click.argument("run", metavar="RUN", required=False, shell_complete=runs_to_undo)
@click.argument("records", metavar="[RECORD]...", nargs=-1, shell_complete=records())
@click.option("--checksum", metavar="DIGEST", help="Consent to the plan of this digest only.")
@consent_options
@max_delete_option
@wait_option
@max_wait_option
def undo(
    context: Context,
    run: str | None,
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
            number=_number(run, mirror),
            records=tuple(mirror.find(record, names) for record in records),
            names=names,
            consent=checksum or yes,
            dry=dry,
            limit=limit,
        )
        return undoing.go(context.remotes(settings))


def _number(text: str | None, mirror: "Mirror") -> int:
    """Read the number of a run. Raises UsageError, which says what can be taken back."""
    from dssync.sync.undo import what_to_undo

    if text is None or not (text.isascii() and text.isdecimal()):
        said = "which run is to be undone?" if text is None else f"{text!r} is not a run's number"
        raise UsageError(said, hint=what_to_undo(mirror))
    return int(text)
