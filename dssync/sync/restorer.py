"""Make the working copy of a remote equal the past: its own, or another's.

Everything is one edit of the working copy, kept whole or not at all. What it comes to on the server
is an ordinary push.
"""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from dssync.core.fields import KindName
from dssync.core.plan import Plan
from dssync.core.snapshot import Snapshot, Unread
from dssync.core.toll import Toll
from dssync.errors import UsageError
from dssync.mirror import Mirror, Transaction, lock
from dssync.sync.carrying import Left
from dssync.sync.past import Source
from dssync.sync.planner import plan_within
from dssync.sync.recasting import Recasting, Scope
from dssync.sync.session import Session

NAMED = 5
"""So many pending records are named."""


class _TakenBack(Exception):
    """Nothing is kept of what was only to be seen."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore edited, or would: its plan, and what it could not do.

    `dropped` counts the pending changes that are gone, or are others now.

    `apart` counts the live records of the remote, by kind, that it left alone because the source
    knows nothing of them.
    """

    title: str
    remote: str
    plan: Plan
    toll: Toll
    left: tuple[Left, ...]
    unread: tuple[Unread, ...]
    apart: dict[KindName, int]
    dropped: int


def restore(
    mirror: Mirror,
    source: Source,
    session: Session,
    *,
    remote: str | None = None,
    dataset: str | None = None,
    discard: bool = False,
    dry: bool = False,
) -> Restored:
    """Edit the working copy of a remote until it equals the source; send nothing.

    `remote` is another than the source's own, which gets copies with lasting links. `dataset`
    names the only one that is meant, with its items. Pending edits are only dropped with
    `discard`; `dry` takes everything back at the end. Raises UsageError, UnknownRecord, Locked.
    """
    target = remote or source.remote
    known = {each.name: each for each in mirror.remotes()}
    if target not in known:
        raise UsageError(
            f"the mirror has not met {target} yet", hint=f"dssync pull -r {target}, then try again"
        )
    with ExitStack() as stack:
        if not dry:
            stack.enter_context(lock.hold(mirror.path, "restore", session.clock, wait=session.wait))
        tx = stack.enter_context(mirror.database.edit())
        scope = Scope.of(source, dataset) if dataset else None
        with suppress(_TakenBack), mirror.database.step(tx):
            work = Recasting(mirror, tx, source, known[target], scope, discard=discard)
            done = _recast(tx, work, source, target)
            if dry:
                raise _TakenBack
    return done


def _recast(tx: Transaction, work: Recasting, source: Source, target: str) -> Restored:
    before = set(_digests(plan_within(tx, [target])))
    work.go()
    _refuse_pending(work.overwritten)
    plan = plan_within(tx, [target])
    digests = _digests(plan)
    pairs = zip(plan.changes, digests, strict=True)
    return Restored(
        title=source.title,
        remote=target,
        plan=Plan.of(change for change, digest in pairs if digest not in before),
        toll=work.toll,
        left=tuple(work.left),
        unread=source.unread,
        apart=work.apart(),
        dropped=len(before.difference(digests)),
    )


def _digests(plan: Plan) -> list[str]:
    return [change.digest for change in plan.changes]


def only_remote(taken: Sequence[Snapshot]) -> str:
    """Return the one remote that these snapshots are of. Raises UsageError for several."""
    remotes = sorted({each.remote for each in taken})
    if len(remotes) > 1:
        raise UsageError(
            f"snapshots of several remotes are here: {', '.join(remotes)}",
            hint=f"say which one is meant: -r {remotes[0]}",
        )
    return remotes[0] if remotes else ""


def _refuse_pending(overwritten: Sequence[str]) -> None:
    if not overwritten:
        return
    more = f", and {len(overwritten) - NAMED:,} more" if len(overwritten) > NAMED else ""
    raise UsageError(
        "pending edits are in the way, so nothing was restored:"
        f" {', '.join(overwritten[:NAMED])}{more}",
        hint="look at them with `dssync diff`; push them, or drop them with --discard",
    )
