"""`dssync status`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.options import read_duration
from dssync.errors import ConfigError, MirrorDamaged

if TYPE_CHECKING:
    from dssync.config import Settings
    from dssync.mirror import Mirror


@command("status", exits=OPENING)
@click.option(
    "--max-age",
    metavar="TIME",
    type=read_duration,
    help="End with 9 where a newest snapshot is older, such as 26h, or there is none.",
)
def status(context: Context, max_age: float | None) -> int:
    """Show what changed here and how old the mirror is.

    Reads the mirror only. The age of a remote is that of its last complete pull.

    --max-age notices from elsewhere that the backups have stopped: of each configured remote, or
    of those named with -r, the newest snapshot must be younger. One that was never pulled whole,
    or whose snapshot is from the future, fails as well. With -q nothing is said where none fails.
    """
    from dssync.cli.render.status import StatusView
    from dssync.clock import SystemClock
    from dssync.sync.status import read_ages, read_status, unreadable_records

    settings, now = context.settings(), SystemClock().now()
    with context.mirror(settings) as mirror:
        names = context.chosen(mirror) if max_age is None else _wanted(context, settings, mirror)
        fresh = read_ages(mirror, names, now, max_age) if max_age is not None else ()
        some = names if context.given.remotes else ()
        view = StatusView(
            read_status(mirror, some),
            unreadable_records(mirror, some),
            str(mirror.path),
            now,
            fresh,
            max_age,
        )
        flawed = any(each.flaw for each in fresh)
        given = context.given
        if flawed or given.json or not (given.quiet and max_age is not None):
            context.finish(view)
        return MirrorDamaged.exit_code if flawed else 0


def _wanted(context: Context, settings: "Settings", mirror: "Mirror") -> Sequence[str]:
    """Name the remotes whose age counts: those given, else those configured, else all there are.

    One that is no longer configured is nobody's worry. Raises ConfigError for an unknown name.
    """
    here = [remote.name for remote in mirror.remotes()]
    for name in context.given.remotes:
        if name not in settings.remotes and name not in here:
            known = ", ".join(dict.fromkeys([*settings.remotes, *here])) or "none"
            raise ConfigError(f"no remote is called {name}", hint=f"there is: {known}")
    return context.given.remotes or list(settings.remotes) or here
