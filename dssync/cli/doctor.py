"""`dssync doctor`."""

import click

from dssync.cli.command import command
from dssync.cli.completing import unreadable
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import consent_options
from dssync.cli.render.text import counted
from dssync.errors import MirrorDamaged


@command("doctor", exits=(*ASKING, *OPENING))
@click.option("--acknowledge", is_flag=True, help="Know of the unreadable records; pulls end 0.")
@click.option(
    "--repair",
    metavar="KEY",
    shell_complete=unreadable,
    help="Make an unreadable record readable again.",
)
@click.option("--reread", is_flag=True, help="Let the next pull replace what is not as it came.")
@consent_options
def doctor(
    context: Context, acknowledge: bool, repair: str | None, reread: bool, dry: bool, yes: bool
) -> int:
    """List what the server cannot show, and repair it.

    Every record that nobody edited is held against the digest it came with. One that says
    something else was changed without the triggers: by a replaced table, a restored dump, a broken
    disk. It is never pushed; --reread lets the next pull replace it.

    A repair sends the record's JSON fields as they last could be read, one after another, until
    the record can be read again. What would be sent is shown first.
    """
    from dssync.cli.render.unreadable import UnreadableView
    from dssync.cli.repairing import repair as repair_one
    from dssync.sync.repair import acknowledge as note
    from dssync.sync.seal import check_seals
    from dssync.sync.seal import reread as replace
    from dssync.sync.status import unreadable_records

    settings = context.settings()
    with context.mirror(settings) as mirror:
        if repair is not None:
            return repair_one(context, settings, mirror, repair, dry=dry, yes=yes)
        names = context.chosen(mirror)
        if acknowledge:
            count = note(mirror, context.session(), names)
            context.tell(f"acknowledged {count} unreadable records")
        broken = check_seals(mirror, names)
        if reread:
            replace(mirror, broken)
            context.tell(f"the next pull replaces {counted(len(broken), 'record')}: dssync pull")
            broken = ()
        view = UnreadableView(unreadable_records(mirror, names), broken, mirror.put_back())
        context.finish(view)
        return MirrorDamaged.exit_code if broken else 0
