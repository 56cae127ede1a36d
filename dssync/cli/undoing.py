"""An undo as a person sees it: the plan, one question, then the sending."""

from collections.abc import Sequence
from dataclasses import dataclass

from dssync.cli.context import Context
from dssync.cli.pushing import left_out
from dssync.cli.render.plan import plan_lines, summary
from dssync.cli.render.receipt import receipt_lines
from dssync.cli.render.undone import UndoView
from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.plan import Plan
from dssync.core.receipt import Receipt
from dssync.core.undo import BACK
from dssync.errors import Declined, Refused, UsageError
from dssync.mirror import Mirror, Record
from dssync.sync import Prepared, Session, apply_push, make_plan
from dssync.sync.log import read_run
from dssync.sync.preparation import entries_of
from dssync.sync.undo import prepare_undo, settle_first, undoable


@dataclass(frozen=True, slots=True)
class Undoing:
    """How to take a run back: all of it, or of these `records` and remotes of these `names`.

    `consent` is True for any plan, or the digest of the only one that may be sent; `dry` sends and
    writes nothing; `limit` is how much may be deleted.
    """

    context: Context
    mirror: Mirror
    session: Session
    number: int
    records: tuple[Record, ...]
    names: Sequence[str]
    consent: bool | str
    dry: bool
    limit: Limit | None

    def go(self, remotes: Sequence[Remote]) -> int:
        """Prepare, show, ask and send; return the exit code.

        Raises UnknownRun, UsageError, Declined, Refused, Brake, InvalidRecords, Locked.
        """
        undoable(self.mirror, self.number)
        if not (self.consent or self.dry or self.context.screen.interactive):
            raise UsageError(
                "there is nobody to ask whether to undo, so nothing was sent",
                hint=f"look at `dssync undo {self.number} -n`, then add -y to consent",
            )
        if not self.dry:
            self._settle(remotes)
        prepared = self._prepare(remotes)
        if self.dry or not prepared.plan:
            return self._show(prepared)
        self._ask(prepared)
        return self._apply(prepared, remotes)

    def _settle(self, remotes: Sequence[Remote]) -> None:
        with self.context.watching(self.session) as session:
            settled = settle_first(self.mirror, self.number, remotes, session)
        if settled is not None:
            self.context.tell_receipt(settled)

    def _prepare(self, remotes: Sequence[Remote]) -> Prepared:
        with self.context.watching(self.session) as session:
            return prepare_undo(
                self.mirror,
                self.number,
                remotes,
                session,
                records=self.records,
                names=self.names,
                limit=self.limit,
            )

    def _show(self, prepared: Prepared) -> int:
        """Show what would be sent, or that nothing would."""
        if not prepared.plan:
            self.context.tell(self._nothing())
        shown = entries_of(prepared.plan.changes, "skipped", "only shown, because of -n")
        receipt = Receipt(
            "undo",
            None,
            planned=prepared.planned,
            entries=(*prepared.dropped, *shown),
            troubles=prepared.troubles,
        )
        screen = self.context.screen
        told = _told(prepared, conflicts=True)
        screen.warn(receipt_lines(left_out(prepared), screen.width, told=told))
        view = UndoView(self.number, prepared.plan, dry=self.dry, shown=False)
        return self.context.finish(view, receipt=receipt)

    def _nothing(self) -> str:
        """Say that nothing can be sent, and whether that is because it was done before."""
        by = read_run(self.mirror, self.number).undone_by
        before = f"; see run {', '.join(map(str, by))}, which undid it" if by else ""
        return f"nothing can be undone of run {self.number}{before}"

    def _ask(self, prepared: Prepared) -> None:
        """Show what is going to be sent, and get the consent for it."""
        plan, screen = prepared.plan, self.context.screen
        if isinstance(self.consent, str) and self.consent != plan.digest:
            raise Refused(
                f"the plan is not the one of {self.consent} any more, so nothing was sent",
                hint=f"look at `dssync undo {self.number} -n` again",
            )
        show = screen.tell if self.consent else screen.warn
        show(plan_lines(plan, screen.width))
        told = _told(prepared, conflicts=not (self.consent and screen.quiet))
        screen.warn(receipt_lines(left_out(prepared), screen.width, told=told))
        if self.consent:
            return
        where = ", ".join(sorted({change.remote for change in plan.changes}))
        if not screen.ask(f"Send {summary(Plan(plan.changes))} to {where}?"):
            raise Declined("nothing was sent", hint="nothing was changed here either")

    def _apply(self, prepared: Prepared, remotes: Sequence[Remote]) -> int:
        with self.context.watching(self.session) as session:
            receipt = apply_push(
                self.mirror, prepared, remotes, session, command="undo", undoes=self.number
            )
        self.context.tell_receipt(receipt, left_out(prepared))
        view = UndoView(self.number, prepared.plan, dry=False, shown=True)
        return self.context.finish(view, receipt=receipt, pending=make_plan(self.mirror))


def _told(prepared: Prepared, *, conflicts: bool) -> Receipt:
    """Return the rows that need no word more.

    `conflicts` are part of the plan that is shown; what is back already is only counted.
    """
    return Receipt(
        "undo",
        None,
        entries=tuple(
            entry
            for entry in prepared.dropped
            if entry.reason == BACK or (conflicts and entry.outcome == "conflicted")
        ),
    )
