"""`dssync drill`."""

from pathlib import Path

import click

from dssync.cli.command import command
from dssync.cli.completing import files
from dssync.cli.context import Context

ENDS = (3, 5, 6, 7, 9, 10)


@command("drill", exits=ENDS)
@click.argument("name", metavar="[COPY]", required=False)
@click.option(
    "--identity",
    metavar="FILE",
    shell_complete=files,
    help="The file with the secret key of age that opens the copy.",
)
@click.option(
    "--keep",
    metavar="FILE",
    shell_complete=files,
    help="Leave the mirror of the copy at FILE, once it is proved.",
)
def drill(context: Context, name: str | None, identity: str | None, keep: str | None) -> int:
    """Take a copy through all that a restore needs, and compare.

    The newest copy, or COPY, is fetched from where [offsite] of dssync.toml says, opened and
    verified. Then the newest snapshot of each remote in it is restored to an embedded server that
    is empty, read back into a mirror that is empty, and every record is compared, value by value.
    Any difference is exit 9, and the record is named. No PostHog server is asked, and no mirror
    needs to be here: the configuration and the key are enough, as after a disaster. Whoever
    [heartbeat] names is told, as by `dssync backup`.

    With --keep this is also how a mirror is got back from a copy: name the place that --mirror, or
    the configuration, means.
    """
    from dssync.cli.drilling import Drills

    folder: Path = context.given.folder
    kept = folder / keep if keep else None
    return Drills.of(context, folder / identity if identity else None).go(name, kept)
