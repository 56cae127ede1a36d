"""`dssync backup`."""

import click

from dssync.cli.command import command
from dssync.cli.completing import files
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import max_delete_option, max_wait_option, read_duration, wait_option
from dssync.core.brakes import Limit
from dssync.errors import UsageError


@command("backup", exits=(*ASKING, *OPENING, 8))
@wait_option
@max_wait_option
@click.option(
    "--jitter",
    metavar="TIME",
    type=read_duration,
    default="0",
    help="Begin at random, at most so much later, such as 10m.",
)
@click.option("--prune", is_flag=True, help="After forgetting, free what no snapshot holds.")
@max_delete_option
@click.option(
    "--log-json",
    metavar="FILE|-",
    shell_complete=files,
    help="Write each event as a line of JSON, after what FILE holds.",
)
@click.option("--print-cron", is_flag=True, help="Print the line for a crontab; do nothing.")
@click.option(
    "--print-systemd",
    metavar="[service|timer]",
    type=click.Choice(["service", "timer", "both"]),
    is_flag=False,
    flag_value="both",
    help="Print the units for systemd, or one of them; do nothing.",
)
def backup(
    context: Context,
    wait: float,
    max_wait: float | None,
    jitter: float,
    prune: bool,
    limit: Limit | None,
    log_json: str | None,
    print_cron: bool,
    print_systemd: str | None,
) -> int:
    """Pull, verify, copy off-site, forget: for a nightly job.

    All remotes are pulled, or those named with -r; one that fails does not stop the others. Then
    the whole mirror is proved, copied where [offsite] of dssync.toml says, and snapshots that
    [forget] does not keep are forgotten. A damaged mirror is neither copied nor forgotten from,
    and nothing is forgotten in a night without its copy.

    With -q nothing is said as long as all is well. Whoever [heartbeat] names is told of the start
    and of the end, with the end of the report; [metrics] names a file for Prometheus. A heartbeat
    that fails costs seconds and is a warning. `dssync status --max-age 26h` notices from
    elsewhere that no backup ran.
    """
    from dssync.cli.backing import Backs, Wishes

    wishes = Wishes(wait, max_wait, jitter, prune, limit, log_json)
    if not (print_cron or print_systemd):
        return Backs.of(context, wishes).go()
    from dssync.cli.scheduling import print_schedule

    if print_cron and print_systemd:
        raise UsageError("--print-cron and --print-systemd are two ways to start it; choose one")
    units = ("service", "timer") if print_systemd == "both" else (str(print_systemd),)
    return print_schedule(context, wishes, ("crontab",) if print_cron else units)
