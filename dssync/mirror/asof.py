"""Which records another moment of the past shows otherwise, and up to where the past is kept."""

from collections.abc import Iterator

from dssync.core.fields import KindName
from dssync.core.moment import LISTED, moment
from dssync.errors import UnknownRun
from dssync.mirror import kept, past, pruning, snapshots
from dssync.mirror.past import Past
from dssync.mirror.transaction import Transaction

NOW = (1 << 63) - 1
"""Stands for a run later than all: what is held as of it is what the remote held last."""


def run_at(tx: Transaction, remote: str, when: str | None) -> int:
    """Return the run as of whose end a remote is meant: a run's own number, or a time's snapshot.

    None is now. Raises UsageError for what is neither, UnknownRun where nothing is known of then.
    """
    wanted = NOW if when is None else moment(when)
    if not isinstance(wanted, int):
        taken = [each.run for each in snapshots.known(tx, [remote]) if each.moment <= wanted]
        if not taken:
            raise UnknownRun(f"no snapshot of {remote} is as old as {when}", hint=LISTED)
        return taken[-1]
    if when is not None and not 0 < wanted <= kept.last(tx):
        raise UnknownRun(f"there is no run {when}", hint="`dssync log` lists the runs")
    if not pruning.known_at(tx, remote, wanted):
        through = pruning.pruned_through(tx, remote)
        raise UnknownRun(
            f"what {remote} held at run {when} was pruned, as its past up to run {through},"
            " but for snapshots that are kept",
            hint=LISTED,
        )
    return wanted


def changed(
    tx: Transaction, remote: str, kind: KindName, first: int, second: int
) -> Iterator[tuple[Past | None, Past | None]]:
    """Yield the records that had another state as of the one run than as of the other, both states.

    Only these are read.
    """
    low, high = sorted((first, second))
    keys = [
        key
        for (key,) in tx.exec_driver_sql(
            f"SELECT DISTINCT key FROM {kind}_states WHERE remote = :remote AND"
            " (run > :low AND run <= :high OR until_run > :low AND until_run <= :high)",
            {"remote": remote, "low": low, "high": high},
        )
    ]
    for start in range(0, len(keys), past.BATCH):
        batch = keys[start : start + past.BATCH]
        before, after = (
            {each.key: each for each in past.among(tx, remote, run, kind, batch)}
            for run in (first, second)
        )
        yield from ((before.get(key), after.get(key)) for key in batch)
