"""`dssync doctor`."""

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import consent_options


@command("doctor", exits=(*ASKING, *OPENING))
@click.option("--acknowledge", is_flag=True, help="Know of the unreadable records; pulls end 0.")
@click.option("--repair", metavar="KEY", help="Make an unreadable record readable again.")
@consent_options
def doctor(context: Context, acknowledge: bool, repair: str | None, dry: bool, yes: bool) -> int:
    """List what the server cannot show, and repair it.

    A repair sends the record's JSON fields as they last could be read, one after another, until
    the record can be read again. What would be sent is shown first.
    """
    from dssync.cli.render.unreadable import UnreadableView
    from dssync.cli.repairing import repair as repair_one
    from dssync.sync.repair import acknowledge as note
    from dssync.sync.repair import unreadable_records

    settings = context.settings()
    with context.mirror(settings) as mirror:
        if repair is not None:
            return repair_one(context, settings, mirror, repair, dry=dry, yes=yes)
        names = context.chosen(mirror)
        if acknowledge:
            count = note(mirror, context.session(), names)
            context.tell(f"acknowledged {count} unreadable records")
        return context.finish(UnreadableView(unreadable_records(mirror, names)))
