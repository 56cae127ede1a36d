"""A push as a person sees it: the plan, one question, then the sending."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dssync.cli.context import Context
from dssync.cli.render.plan import plan_lines, summary
from dssync.cli.render.receipt import receipt_lines
from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.plan import Plan
from dssync.core.receipt import Receipt
from dssync.errors import Declined, UsageError
from dssync.mirror import Mirror
from dssync.sync import Prepared, Session, apply_push, make_plan, prepare_push, pull
from dssync.sync.preparation import entries_of
from dssync.sync.settler import unsettled


@dataclass(frozen=True, slots=True)
class Pushed:
    """What would be sent, or was, and the receipt."""

    plan: Plan
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Pushing:
    """How to push: `yes` is consent, `dry` sends nothing, `limit` is how much may be deleted."""

    context: Context
    mirror: Mirror
    session: Session
    yes: bool
    dry: bool
    limit: Limit | None

    def anything(self, remotes: Sequence[Remote]) -> bool:
        """Tell whether there is anything to push. Raises UsageError if nobody can consent to it."""
        pending = make_plan(self.mirror, [remote.name for remote in remotes])
        if pending.changes and not (self.yes or self.dry or self.context.screen.interactive):
            raise UsageError(
                "there is nobody to ask whether to push, so nothing was sent",
                hint="look at `dssync diff`, then add -y to consent",
            )
        names = {remote.name for remote in remotes}
        return bool(pending.changes or pending.conflicts or unsettled(self.mirror) & names)

    def go(self, remotes: Sequence[Remote]) -> Pushed:
        """Prepare, show, ask and send. Raises Declined, Brake, InvalidRecords, Locked."""
        with self.context.watching(self.session) as session:
            prepared = prepare_push(self.mirror, remotes, session, limit=self.limit)
        if self.dry:
            self.context.tell_receipt(_left_out(prepared))
            return Pushed(prepared.plan, _only_shown(prepared))
        self._ask(prepared)
        with self.context.watching(self.session) as session:
            receipt = apply_push(self.mirror, prepared, remotes, session)
        self.context.tell_receipt(receipt)
        return Pushed(prepared.plan, receipt)

    def _ask(self, prepared: Prepared) -> None:
        """Show what is going to be sent, and get the consent for it."""
        plan, screen = prepared.plan, self.context.screen
        if not plan:
            return
        if self.yes:
            screen.tell(plan_lines(plan, screen.width))
            return
        screen.warn(plan_lines(plan, screen.width))
        screen.warn(receipt_lines(_left_out(prepared)))
        where = ", ".join(sorted({change.remote for change in plan.changes}))
        if not screen.ask(f"Send {summary(Plan(plan.changes))} to {where}?"):
            raise Declined(
                "nothing was sent", hint="the changes are still here: dssync diff, dssync revert"
            )


def _left_out(prepared: Prepared) -> Receipt:
    """Say what dropped out; conflicts are part of the plan that is shown."""
    others = tuple(entry for entry in prepared.dropped if entry.outcome != "conflicted")
    return Receipt("push", None, entries=others, troubles=prepared.troubles)


def _only_shown(prepared: Prepared) -> Receipt:
    shown = entries_of(prepared.plan.changes, "skipped", "only shown, because of -n")
    return Receipt(
        "push",
        None,
        planned=prepared.planned,
        entries=(*prepared.dropped, *shown),
        troubles=prepared.troubles,
    )


def push(pushing: Pushing, remotes: Sequence[Remote]) -> Pushed:
    """Push what there is, or say that there is nothing."""
    if remotes and pushing.anything(remotes):
        return pushing.go(remotes)
    pushing.context.tell("nothing to push")
    return Pushed(Plan(()), Receipt("push", None))


def sync(pushing: Pushing, remotes: Sequence[Remote], limit: Limit | None) -> Pushed:
    """Pull, then push to the remotes whose pull finished."""
    pushing.anything(remotes)  # whoever cannot consent learns it before any request
    with pushing.context.watching(pushing.session) as session:
        pulled = pull(pushing.mirror, remotes, session, limit=limit)
    pushing.context.tell_receipt(pulled)
    unfinished = {trouble.remote for trouble in pulled.troubles}
    pushed = push(pushing, [remote for remote in remotes if remote.name not in unfinished])
    return replace(pushed, receipt=_both(pulled, pushed.receipt))


def _both(pulled: Receipt, pushed: Receipt) -> Receipt:
    """Join the receipts of a sync's two runs; the id is the push's, if it made a run.

    Of what was in doubt, the push has the later word.
    """
    later = {(entry.kind, entry.key) for entry in pushed.entries}
    entries = [entry for entry in pulled.entries if (entry.kind, entry.key) not in later]
    return Receipt(
        "sync",
        pulled.run if pushed.run is None else pushed.run,
        planned=pushed.planned + sum(entry.outcome == "in doubt" for entry in entries),
        entries=(*entries, *pushed.entries),
        scans=pulled.scans,
        troubles=(*pulled.troubles, *pushed.troubles),
        notes=(*pulled.notes, *pushed.notes),
    )
