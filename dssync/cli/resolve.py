"""`dssync resolve`."""

import click

from dssync.cli.command import command
from dssync.cli.completing import conflicted_fields, records
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.errors import UsageError


@command("resolve", exits=OPENING)
@click.argument("record", required=False, shell_complete=records("conflicted"))
@click.argument("fields", metavar="[FIELD]...", nargs=-1, shell_complete=conflicted_fields)
@click.option("--all", "everything", is_flag=True, help="Every record in conflict.")
@click.option("--ours", is_flag=True, help="Keep what this mirror says; a push sends it.")
@click.option("--theirs", is_flag=True, help="Keep what the server holds.")
@click.option("--edit", is_flag=True, help="Write the value to keep, in $VISUAL or $EDITOR.")
def resolve(
    context: Context,
    record: str | None,
    fields: tuple[str, ...],
    everything: bool,
    ours: bool,
    theirs: bool,
    edit: bool,
) -> int:
    """Settle conflicts.

    Without arguments it lists them: base, theirs and ours of each. A RECORD in conflict is settled
    as a whole, or by FIELD; without a choice you are asked, field by field. Inside JSON only the
    keys in conflict take the chosen side. Reads and writes the mirror only.
    """
    from dssync.cli.render.resolve import ConflictsView
    from dssync.cli.resolving import Resolving, chosen_way
    from dssync.sync.resolver import unresolved

    way = chosen_way(ours=ours, theirs=theirs, edit=edit)
    if everything and record is not None:
        raise UsageError("say what to settle: a RECORD, or --all")
    with context.mirror() as mirror:
        names = context.chosen(mirror)
        if record is None and not everything:
            if way is not None:
                raise UsageError("say what to settle: a RECORD, or --all")
            return context.finish(ConflictsView(unresolved(mirror, names)))
        found = None if record is None else mirror.find(record, names)
        return Resolving(context, mirror, way, fields).go(found, unresolved(mirror, names))
