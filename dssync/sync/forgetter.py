"""Forget snapshots: by a policy, or the ones that are named; and free what only they held."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from dssync.core.receipt import Receipt, Trouble
from dssync.core.retention import NEWEST, Rules, Taken, keep
from dssync.core.snapshot import Snapshot
from dssync.errors import DssyncError, MirrorDamaged, UsageError
from dssync.mirror import Mirror, Transaction, pruning, snapshots
from dssync.sync.session import Run, Session, run

NAMED = "not named"
"""The rule that keeps a snapshot where others were named to be forgotten."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One snapshot, and the rules that keep it; without any it is to be forgotten."""

    snapshot: Snapshot
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What is to be forgotten and what is kept, remote by remote, oldest first."""

    verdicts: tuple[Verdict, ...]

    @property
    def forgotten(self) -> Mapping[str, tuple[int, ...]]:
        """Return the runs of what is to be forgotten, for every remote that was judged."""
        return {
            remote: tuple(each.snapshot.run for each in group if not each.rules)
            for remote, group in groupby(self.verdicts, lambda each: each.snapshot.remote)
        }

    @property
    def count(self) -> int:
        """Count what is to be forgotten."""
        return sum(not each.rules for each in self.verdicts)


def judge(mirror: Mirror, rules: Mapping[str, Rules]) -> Forgetting:
    """Judge the snapshots of each remote by its rules; a remote without a policy is left alone.

    Raises UsageError where no remote has one: that would be no decision, but an accident.
    """
    chosen = {remote: found for remote, found in rules.items() if found.policy}
    if not chosen:
        raise UsageError(
            "no policy says which snapshots to keep, so nothing was forgotten",
            hint="give one, such as --keep-daily 7, or write [forget] in dssync.toml;"
            " look first with -n",
        )
    verdicts: list[Verdict] = []
    with mirror.database.read() as tx:
        for remote, found in sorted(chosen.items()):
            taken = snapshots.known(tx, [remote])
            kept = keep(
                (Taken(each.run, each.moment) for each in taken),
                found.policy,
                found.zone,
            )
            verdicts += (Verdict(each, kept[each.run]) for each in taken)
    return Forgetting(tuple(verdicts))


def naming(mirror: Mirror, runs: Collection[int], remotes: Sequence[str]) -> Forgetting:
    """Judge that exactly the snapshots of these runs are to be forgotten, of these remotes or all.

    Remotes without one of them are left alone, but where no run is named every remote keeps all.
    Raises UsageError for a run without a snapshot, and for the newest one of a remote.
    """
    with mirror.database.read() as tx:
        taken = snapshots.known(tx, remotes)
    newest = {each.remote: each.run for each in taken}
    of = f" of {', '.join(remotes)}" if remotes else ""
    for number in runs:
        found = [each for each in taken if each.run == number]
        if not found:
            raise UsageError(
                f"run {number} has no snapshot that is kept{of}",
                hint="`dssync snapshots` lists those that are",
            )
        for each in found:
            _refuse_newest(each.remote, newest[each.remote], runs)
    judged = {each.remote for each in taken if each.run in runs or not runs}
    return Forgetting(
        tuple(
            Verdict(each, () if each.run in runs else _spared_by(each, newest))
            for each in sorted(taken, key=lambda each: (each.remote, each.run))
            if each.remote in judged
        )
    )


def _spared_by(each: Snapshot, newest: Mapping[str, int]) -> tuple[str, ...]:
    return (NEWEST, NAMED) if each.run == newest[each.remote] else (NAMED,)


def _refuse_newest(remote: str, newest: int, runs: Collection[int]) -> None:
    if newest in runs:
        raise UsageError(
            f"snapshot {newest} is the newest complete one of {remote}, and is never forgotten",
            hint="a later pull takes a newer one; nothing was forgotten",
        )


def forget(
    mirror: Mirror, forgetting: Forgetting, session: Session, *, prune: bool = False
) -> Receipt:
    """Forget what was judged so, in a run; with `prune`, free what no snapshot holds any more.

    A remote is done whole or not at all: where a snapshot that is kept would not add up
    afterwards, nothing of its remote is forgotten. Raises Locked.
    """
    with run(mirror, "forget", session) as current:
        return current.finish(forget_within(current, forgetting, prune=prune))


def forget_within(current: Run, forgetting: Forgetting, *, prune: bool = False) -> Receipt:
    """Forget as a part of a run, and return the receipt of that part; the run goes on."""
    notes: list[str] = []
    troubles: list[Trouble] = []
    for remote, runs in forgetting.forgotten.items():
        work = partial(_forget, remote=remote, runs=runs, prune=prune)
        try:
            notes.append(current.write(work, durable=True))
        except DssyncError as error:  # the outcome of this remote; the others are still done
            troubles.append(Trouble.of(remote, error))
    if prune and notes:
        notes += _room(pruning.free(current.mirror.path))
    return Receipt("forget", current.number, troubles=tuple(troubles), notes=tuple(notes))


def _forget(tx: Transaction, remote: str, runs: Sequence[int], *, prune: bool) -> str:
    """Forget and prune within one transaction, and say what was done. Raises MirrorDamaged."""
    _refuse_newest(remote, snapshots.newest_run(tx, remote), runs)
    pruning.forget(tx, remote, runs)
    pruned = pruning.prune(tx, remote) if prune else None
    if lost := snapshots.lost(tx, remote):
        raise MirrorDamaged(
            f"snapshot {lost[0].run} of {remote} does not add up, so nothing was forgotten",
            hint="`dssync verify` says where; `dssync forget RUN` forgets a snapshot that is lost",
        )
    there = len(snapshots.known(tx, [remote]))
    said = f"{remote}: {_many(len(runs), 'snapshot')} forgotten, {there:,} kept"
    return said if pruned is None else f"{said}, {_many(pruned, 'state')} pruned"


def _room(freed: pruning.Freed) -> list[str]:
    """Say how much smaller the file is, or what is free inside it."""
    inside = f"{_size(freed.inside)} inside the file are free for what comes next"
    if freed.reason:
        return [f"the file is as large as before ({freed.reason}); {inside}"]
    if freed.given_back:
        return [f"the file is {_size(freed.given_back)} smaller"]
    return [inside] if freed.inside else []


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
