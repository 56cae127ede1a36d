"""`dssync restore`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from dssync.cli.command import command
from dssync.cli.completing import datasets, remotes, snapshots
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.options import wait_option
from dssync.errors import UsageError

if TYPE_CHECKING:
    from dssync.core.snapshot import Snapshot
    from dssync.mirror import Mirror
    from dssync.sync.past import Source


@command("restore", exits=OPENING)
@click.argument("moment", metavar="SNAPSHOT|TIME|FILE", shell_complete=snapshots)
@click.option(
    "--dataset",
    metavar="NAME",
    shell_complete=datasets,
    help="Only this dataset, as it was called then.",
)
@click.option(
    "--to",
    metavar="REMOTE",
    shell_complete=remotes,
    help="Into another remote, an empty one too; made there once, updated ever after.",
)
@click.option("--discard", is_flag=True, help="Drop pending edits that are in the way.")
@click.option("-n", "--dry-run", "dry", is_flag=True, help="Only show what would change.")
@wait_option
def restore(
    context: Context,
    moment: str,
    dataset: str | None,
    to: str | None,
    discard: bool,
    dry: bool,
    wait: float,
) -> int:
    """Make the working copy equal the past.

    SNAPSHOT is the run of a complete pull; a TIME means the newest snapshot taken at or before it,
    a date the end of that day in UTC; a FILE is a bundle, proved before it is read. Fields get back
    what they held, deleted records are brought back, and what did not exist then is deleted.
    Nothing is sent: `dssync push` shows the plan and sends it, `dssync revert --all` takes it back.
    What cannot come back is listed first.
    """
    from dssync.cli.render.restore import RestoreView
    from dssync.sync import make_plan
    from dssync.sync.restorer import restore

    with context.mirror() as mirror:
        with _source(context, mirror, moment, to) as source:
            done = restore(
                mirror,
                source,
                context.session(wait),
                remote=to,
                dataset=dataset,
                discard=discard,
                dry=dry,
            )
        view = RestoreView(done, dry)
        view.warn(context.screen)
        return context.finish(view, pending=None if dry else make_plan(mirror))


@contextmanager
def _source(context: Context, mirror: "Mirror", text: str, to: str | None) -> "Iterator[Source]":
    """Give what is meant: a bundle, if there is a file of that name, else a snapshot."""
    from dssync.cli.sources import carried
    from dssync.sync.past import open_snapshot

    file = context.given.folder / text
    if file.is_file() and not text.isdecimal():
        yield carried(mirror, file, to)
        return
    with open_snapshot(mirror, _meant(context, mirror, text)) as source:
        yield source


def _meant(context: Context, mirror: "Mirror", text: str) -> "Snapshot":
    """Return the snapshot that is meant. Raises UsageError, UnknownRun."""
    from dssync.core.moment import chosen
    from dssync.core.moment import moment as when
    from dssync.mirror.snapshots import known
    from dssync.sync.restorer import only_remote

    try:
        when(text)
    except UsageError as error:
        raise UsageError(f"{error.message}, and no file is called so", hint=error.hint) from None
    names = context.chosen(mirror)
    with mirror.database.read() as tx:
        taken = known(tx, names)
    remote = only_remote(taken) or next(iter(names), "any remote")
    return chosen(taken, text, remote)
