"""`dssync log`."""

from typing import TYPE_CHECKING

import click

from dssync.cli.command import command
from dssync.cli.completing import commands_that_ran, runs_and_records
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.log import RunsView, RunView
from dssync.cli.render.names import title
from dssync.cli.render.story import StoryView
from dssync.cli.render.view import View
from dssync.errors import UnknownRecord, UsageError

if TYPE_CHECKING:
    from dssync.mirror import Mirror

SHOWN = 20


@command("log", exits=OPENING)
@click.argument("what", metavar="[RUN|RECORD]", required=False, shell_complete=runs_and_records)
@click.option(
    "-n",
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    help=f"List so many runs; without it, {SHOWN}.",
)
@click.option(
    "--command",
    "name",
    metavar="NAME",
    shell_complete=commands_that_ran,
    help="List the runs of this command only.",
)
def log(context: Context, what: str | None, limit: int | None, name: str | None) -> int:
    """Tell what happened, to a run or a record.

    Lists the runs, newest first; the pull and the push of a sync are two. RUN is a number of that
    list and is shown whole: what was sent, what came of it, what went wrong. RECORD is a key or
    id, a dataset's name, or the beginning of one, and its story is told field by field: which
    run, this mirror's change or the server's, when; newest first. Reads the mirror only. Without a
    terminal the list has columns separated by tabs: run, started, command, remotes, exit, outcome.
    """
    from dssync.sync.log import read_runs

    with context.mirror() as mirror:
        names = context.chosen(mirror)
        if what is None:
            return context.finish(RunsView(read_runs(mirror, limit or SHOWN, name, names)))
        if limit is not None or name is not None:
            raise UsageError("--limit and --command belong to the list of runs")
        return context.finish(_one(context, mirror, what))


def _one(context: Context, mirror: "Mirror", what: str) -> View:
    """Return what is shown of a run, or of a record whose name is no run's number."""
    from dssync.sync.log import is_run, read_run, read_story

    try:
        record = mirror.find(what, context.chosen(mirror))
    except UnknownRecord:
        if not what.isdecimal():
            raise
        return RunView(read_run(mirror, int(what)))
    if not is_run(mirror, what):
        return StoryView(read_story(mirror, record))
    called = title(record.kind, record.label, record.key)
    context.tell(f"{what} could mean {called}, too: dssync log {record.key}")
    return RunView(read_run(mirror, int(what)))
