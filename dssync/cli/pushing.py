"""A push as a person sees it: the plan, one question, then the sending."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dssync.cli.context import Context
from dssync.cli.render.moved import elsewhere_sentence, moved_lines, use_sentences
from dssync.cli.render.plan import plan_lines, summary
from dssync.cli.render.receipt import receipt_lines
from dssync.cli.render.text import sentence
from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.plan import Change, Plan
from dssync.core.planfile import SavedPlan
from dssync.core.receipt import Receipt, Trouble
from dssync.core.standing import Moved
from dssync.errors import Declined, StalePlan, UsageError
from dssync.mirror import Mirror
from dssync.mirror.plans import Use
from dssync.sync import Prepared, Session, apply_push, make_plan, prepare_push, pull
from dssync.sync.planfile import refuse_foreign
from dssync.sync.preparation import entries_of
from dssync.sync.reviewed import Reviewed, by_digest, by_file, refuse_other
from dssync.sync.settler import unsettled


@dataclass(frozen=True, slots=True)
class Pushed:
    """What would be sent, or was, what dropped out, who applied it before, and the receipt."""

    plan: Plan
    receipt: Receipt
    moved: tuple[Moved, ...] = ()
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Pushing:
    """How to push: `yes` is consent, `dry` sends nothing, `limit` is how much may be deleted.

    `saved` is the plan to apply, `checksum` the digest of the one that is consented to; `whole`
    sends all of it or nothing.
    """

    context: Context
    mirror: Mirror
    session: Session
    yes: bool
    dry: bool
    limit: Limit | None
    saved: SavedPlan | None = None
    checksum: str | None = None
    whole: bool = False

    @property
    def consented(self) -> bool:
        """Tell whether somebody consented already."""
        return self.yes or self.checksum is not None

    def reviewed(self, remotes: Sequence[Remote]) -> Reviewed | None:
        """Return what is left of the plan that was handed over, if one was.

        Raises WrongTarget for a plan of another project, StalePlan for another digest.
        """
        names = [remote.name for remote in remotes]
        if self.saved is not None:
            refuse_foreign(self.saved, self.mirror, remotes)
            if self.checksum is not None:
                refuse_other(self.checksum, self.saved.plan)
            return by_file(self.mirror, self.saved, names)
        return None if self.checksum is None else by_digest(self.mirror, self.checksum, names)

    def pending(self, remotes: Sequence[Remote]) -> Plan:
        """Return what is pending."""
        return make_plan(self.mirror, [remote.name for remote in remotes])

    def tell_elsewhere(self, changes: Sequence[Change]) -> None:
        """Say what -r leaves out of a reviewed plan. Raises UsageError if it must go whole."""
        if not changes:
            return
        said = elsewhere_sentence(changes)
        if self.whole:
            raise UsageError(
                "--all-or-nothing sends all of a plan, and -r leaves a part of it out",
                hint=said,
            )
        self.context.screen.warn(sentence(said, self.context.screen.width))

    def refuse_unasked(self, plan: Plan) -> None:
        """Raise UsageError if there is something to send and nobody can consent to it."""
        if plan.changes and not (self.consented or self.dry or self.context.screen.interactive):
            raise UsageError(
                "there is nobody to ask whether to push, so nothing was sent",
                hint="look at `dssync diff`, then add -y to consent",
            )

    def go(self, remotes: Sequence[Remote], reviewed: Reviewed | None = None) -> Pushed:
        """Prepare, show, ask and send. Raises Declined, Brake, InvalidRecords, Locked."""
        prepared = self._prepare(remotes, reviewed)
        screen = self.context.screen
        screen.warn(moved_lines(prepared.moved, screen.width))
        uses = reviewed.uses if reviewed else ()
        return Pushed(prepared.plan, self._send(prepared, remotes), prepared.moved, uses)

    def _prepare(self, remotes: Sequence[Remote], reviewed: Reviewed | None) -> Prepared:
        with self.context.watching(self.session) as session:
            return prepare_push(
                self.mirror,
                remotes,
                session,
                plan=reviewed.plan if reviewed else None,
                approved=reviewed.digest if reviewed else "",
                limit=self.limit,
            )

    def _send(self, prepared: Prepared, remotes: Sequence[Remote]) -> Receipt:
        if self.whole and not prepared.whole:
            return self._unsent(prepared, "not sent, because of --all-or-nothing", _whole(prepared))
        if self.dry:
            return self._unsent(prepared, "only shown, because of -n")
        told = self._ask(prepared)
        with self.context.watching(self.session) as session:
            receipt = apply_push(self.mirror, prepared, remotes, session)
        self.context.tell_receipt(receipt, told)
        return receipt

    def _unsent(self, prepared: Prepared, reason: str, *troubles: Trouble) -> Receipt:
        """Say what dropped out, and return the receipt of a push that sent nothing."""
        dropped = left_out(prepared)
        told = _told(prepared, conflicts=self.dry and bool(prepared.plan))
        self.context.tell_receipt(replace(dropped, troubles=(*dropped.troubles, *troubles)), told)
        unsent = entries_of(prepared.plan.changes, "skipped", reason)
        return Receipt(
            "push",
            None,
            planned=prepared.planned,
            entries=(*prepared.dropped, *unsent),
            troubles=(*prepared.troubles, *troubles),
        )

    def _ask(self, prepared: Prepared) -> Receipt:
        """Show what is going to be sent, get the consent for it, and return what was told of it."""
        plan, screen = prepared.plan, self.context.screen
        if not plan:
            return _told(prepared, conflicts=False)
        show = screen.tell if self.consented else screen.warn
        show(plan_lines(plan, screen.width))
        told = _told(prepared, conflicts=not (self.consented and screen.quiet))
        if self.consented:
            return told
        screen.warn(receipt_lines(left_out(prepared), screen.width, told=told))
        where = ", ".join(sorted({change.remote for change in plan.changes}))
        if not screen.ask(f"Send {summary(Plan(plan.changes))} to {where}?"):
            raise Declined(
                "nothing was sent", hint="the changes are still here: dssync diff, dssync revert"
            )
        return left_out(prepared)


def left_out(prepared: Prepared) -> Receipt:
    """Say what dropped out, and why."""
    return Receipt("push", None, entries=prepared.dropped, troubles=prepared.troubles)


def _told(prepared: Prepared, *, conflicts: bool) -> Receipt:
    """Return the rows of what was shown with its values: what moved, and the plan's conflicts."""
    shown = {each.change.spot for each in prepared.moved}
    if conflicts:
        shown |= {conflicted.spot for conflicted in prepared.plan.conflicts}
    return Receipt("push", None, entries=tuple(e for e in prepared.dropped if e.spot in shown))


def _whole(prepared: Prepared) -> Trouble:
    """Say that nothing was sent, because not everything could be."""
    error = StalePlan(
        f"only {len(prepared.plan.changes):,} of {prepared.planned:,} planned changes could be"
        " sent, so nothing was",
        hint="settle the others first, or leave out --all-or-nothing",
    )
    return Trouble.of(", ".join(sorted({entry.remote for entry in prepared.dropped})), error)


def push(pushing: Pushing, remotes: Sequence[Remote]) -> Pushed:
    """Push what there is, or say that there is nothing."""
    reviewed = pushing.reviewed(remotes)
    plan = pushing.pending(remotes) if reviewed is None else reviewed.plan
    uses = reviewed.uses if reviewed else ()
    if reviewed:
        pushing.context.tell(*use_sentences(uses, reviewed.size))
        pushing.tell_elsewhere(reviewed.elsewhere)
    pushing.refuse_unasked(plan)
    in_doubt = unsettled(pushing.mirror) & {remote.name for remote in remotes}
    if remotes and (plan.changes or plan.conflicts or in_doubt):
        return pushing.go(remotes, reviewed)
    here = " for these remotes" if reviewed and reviewed.elsewhere else ""
    nothing = f"nothing of this plan is left to push{here}" if reviewed else "nothing to push"
    pushing.context.tell(nothing)
    return Pushed(Plan(()), Receipt("push", None), uses=uses)


def sync(pushing: Pushing, remotes: Sequence[Remote], limit: Limit | None) -> Pushed:
    """Pull, then push to the remotes whose pull finished."""
    # whoever cannot consent learns it before any request
    pushing.refuse_unasked(pushing.pending(remotes))
    with pushing.context.watching(pushing.session) as session:
        pulled = pull(pushing.mirror, remotes, session, limit=limit)
    pushing.context.tell_receipt(pulled)
    unfinished = {trouble.remote for trouble in pulled.troubles}
    pushed = push(pushing, [remote for remote in remotes if remote.name not in unfinished])
    return replace(pushed, receipt=_both(pulled, pushed.receipt))


def _both(pulled: Receipt, pushed: Receipt) -> Receipt:
    """Join the receipts of a sync's two runs; the id is the push's, if it made a run.

    Of what was in doubt or in conflict, the push has the later word.
    """
    later = {entry.spot for entry in pushed.entries}
    entries = [
        entry
        for entry in pulled.entries
        if entry.outcome != "conflicted" and entry.spot not in later
    ]
    return Receipt(
        "sync",
        pulled.run if pushed.run is None else pushed.run,
        planned=pushed.planned + sum(entry.outcome == "in doubt" for entry in entries),
        entries=(*entries, *pushed.entries),
        scans=pulled.scans,
        troubles=(*pulled.troubles, *pushed.troubles),
        notes=(*pulled.notes, *pushed.notes),
    )
