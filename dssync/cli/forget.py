"""`dssync forget`."""

import click

from dssync.cli.command import command
from dssync.cli.completing import snapshots
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.options import keep_options, wait_option
from dssync.errors import UsageError


@command("forget", exits=OPENING)
@click.argument(
    "runs",
    metavar="[RUN]...",
    type=click.IntRange(min=1),
    nargs=-1,
    shell_complete=snapshots,
)
@keep_options
@click.option("--prune", is_flag=True, help="Free what no snapshot that is left holds.")
@click.option("-n", "--dry-run", "dry", is_flag=True, help="Only show what would be forgotten.")
@click.option("-y", "--yes", is_flag=True, help="Consent; ask nothing.")
@wait_option
def forget(
    context: Context,
    runs: tuple[int, ...],
    prune: bool,
    dry: bool,
    yes: bool,
    wait: float,
    zone: str | None,
    **kept: object,
) -> int:
    """Forget snapshots that a policy does not keep.

    Of each remote, a snapshot stays if any rule keeps it, and the newest always stays; -n shows
    each with the rules that keep it. Without a rule here those of the configuration count: of
    [remotes.NAME.forget], else of [forget]. With RUN, exactly these snapshots are forgotten. With
    no rule at all, --prune alone forgets nothing more and frees what was forgotten before.

    What is forgotten does not come back, so one question is asked; -y is the consent where nobody
    can answer. Only --prune frees space: then the states that no snapshot holds go, and with them
    what `show --at`, `undo` and `log` could tell of them. What stands now, edits and receipts stay.
    """
    from dssync.cli.forgetting import Forgets, judged
    from dssync.core.retention import Policy
    from dssync.sync.forgetter import naming

    written = {f"keep_{name}": value for name, value in kept.items() if value is not None}
    if runs and (written or zone):
        raise UsageError("RUN names what to forget, and a policy what to keep; give one of them")
    try:
        policy = Policy.of(written)
    except ValueError as error:
        raise UsageError(str(error).replace("_", "-"), hint="dssync forget --help") from None
    settings = context.settings()
    with context.mirror(settings) as mirror:
        names = context.chosen(mirror)
        if runs:
            found = naming(mirror, runs, names)
        else:
            found = judged(settings, mirror, names, policy, zone, prune=prune)
        return Forgets(context, mirror, found, prune, dry, yes, wait).go()
