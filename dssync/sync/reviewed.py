"""A reviewed plan: whether it is the one that is pending, and which runs applied it before."""

from collections.abc import Sequence
from dataclasses import dataclass

from dssync.core.plan import Change, Plan
from dssync.core.planfile import SavedPlan
from dssync.errors import StalePlan
from dssync.mirror import Mirror, plans
from dssync.mirror.plans import Use
from dssync.sync.planner import make_plan


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What is left to send of a plan with this digest, and the runs that applied it before.

    `size` counts the changes of all of it, `elsewhere` has those that are left of other remotes
    than were asked for.
    """

    digest: str
    plan: Plan
    uses: tuple[Use, ...] = ()
    size: int = 0
    elsewhere: tuple[Change, ...] = ()


def by_file(mirror: Mirror, saved: SavedPlan, names: Sequence[str]) -> Reviewed:
    """Return what is left of a saved plan, for these remotes.

    After a run applied it, nothing of it is done twice: what that run applied is left out. What it
    did not is judged again, so that a change that moved never ends in a 0 that reads as applied.
    """
    digest, changes = saved.plan.digest, saved.plan.changes
    uses = [use for use in _uses(mirror, digest) if use.started_at >= saved.made_at]
    return _reviewed(digest, _undone(changes, uses), uses, len(changes), names)


def _reviewed(
    digest: str, left: Sequence[Change], uses: Sequence[Use], size: int, names: Sequence[str]
) -> Reviewed:
    return Reviewed(
        digest,
        Plan.of(change for change in left if change.remote in names),
        tuple(uses),
        size,
        tuple(change for change in left if change.remote not in names),
    )


def by_digest(mirror: Mirror, digest: str, names: Sequence[str]) -> Reviewed:
    """Return the plan that is pending for these remotes, if it has this digest.

    Where a run applied a plan with this digest before, all that it did not apply is returned, also
    what is not pending any more: that moved, and must not end in a 0. Raises StalePlan for a digest
    of anything else.
    """
    pending = make_plan(mirror, names)
    if pending.changes and pending.digest == digest:
        return Reviewed(digest, Plan(pending.changes))
    uses = _uses(mirror, digest)
    if not uses:
        raise _stale(digest, pending)
    planned = _planned(mirror, digest, uses)
    if planned:
        return _reviewed(digest, _undone(planned, uses), uses, len(planned), names)
    left = [c for c in _undone(pending.changes, uses) if any(use.had(c) for use in uses)]
    return _reviewed(digest, left, uses, 0, names)


def _planned(mirror: Mirror, digest: str, uses: Sequence[Use]) -> tuple[Change, ...]:
    """Return the changes of a plan as the receipts of its runs have them; none where they cannot.

    A run's conflicts were changes of a reviewed plan, and none of a plan made by the push itself.
    Runs for some of its remotes leave the others' pending.
    """
    with mirror.database.read() as tx:
        rows = {c.spot: (row, c) for use in reversed(uses) for row, c in plans.changes(tx, use)}
    every = [change for _, change in rows.values()]
    plain = [change for row, change in rows.values() if row.outcome != "conflicted"]
    rest = [change for change in make_plan(mirror).changes if change.spot not in rows]
    for changes in (every, plain, [*every, *rest], [*plain, *rest]):
        plan = Plan.of(changes)
        if plan.digest == digest:
            return plan.changes
    return ()


def refuse_other(digest: str, plan: Plan) -> None:
    """Raise StalePlan unless a saved plan has this digest."""
    if plan.digest != digest:
        raise StalePlan(
            f"the saved plan is not the one that was approved: its digest is {plan.digest}, not"
            f" {digest}",
            hint=f"look at the file; if it is right, approve it: --checksum {plan.digest}",
        )


def _stale(digest: str, plan: Plan) -> StalePlan:
    """Say that a digest is not that of the plan that is pending."""
    if not plan.changes:
        return StalePlan(
            f"nothing is pending here, so there is no plan with the digest {digest}",
            hint="see what was pushed: dssync log",
        )
    return StalePlan(
        f"the plan is not the one that was reviewed: its digest is {plan.digest}, not {digest}",
        hint=f"look at `dssync diff`; if it is right: dssync push --checksum {plan.digest}",
    )


def _uses(mirror: Mirror, digest: str) -> list[Use]:
    with mirror.database.read() as tx:
        return plans.uses(tx, digest)


def _undone(changes: Sequence[Change], uses: Sequence[Use]) -> list[Change]:
    return [change for change in changes if not any(use.did(change) for use in uses)]
