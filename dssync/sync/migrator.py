"""Migrate: copy records into another remote, push them, and prove that they are there."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace

from dssync.config import Remote
from dssync.core.brakes import Limit, check_push
from dssync.core.fields import KINDS, KindName
from dssync.core.plan import Plan
from dssync.core.receipt import Receipt, Trouble
from dssync.core.snapshot import Unread
from dssync.core.toll import Toll
from dssync.errors import Brake, StalePlan, TemporaryError, UsageError
from dssync.mirror import KnownRemote, Mirror, Transaction, links, lock, plans, records, runs
from dssync.mirror.mirror import LOCAL
from dssync.sync.carrying import Left
from dssync.sync.migrating import Carried, Migrating, Wishes
from dssync.sync.past import Source
from dssync.sync.planner import plan_within
from dssync.sync.preparation import Prepared, conflicted_entry, prepare_push
from dssync.sync.puller import pull
from dssync.sync.pusher import apply_push
from dssync.sync.session import Session
from dssync.sync.written import Proof, prove

Opening = Callable[[], AbstractContextManager[Source]]
"""Opens the source, proved; it is read more than once."""

STOPPED = (130, 143)

UNPROVEN = TemporaryError(
    "the run ended before what it wrote was compared",
    hint="run the same migration again: it compares everything, and writes nothing twice",
)


class _TakenBack(Exception):
    """Nothing is kept of what was only to be seen."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What a migration does, or would: its plan, what is lost, and what is left as it is.

    `unsent` counts the edits of the source that wait here: they are not on its server, so they are
    not copied.
    """

    title: str
    source: str
    remote: str
    plan: Plan
    toll: Toll
    left: tuple[Left, ...]
    unread: tuple[Unread, ...]
    done: Carried
    unsent: int = 0

    @property
    def idle(self) -> bool:
        """Tell whether there is nothing to send, and nothing to tell of any record."""
        return not (self.plan.changes or self.plan.conflicts or self.done.entries)


@dataclass(frozen=True, slots=True)
class Migrator:
    """Migrates one source into one remote; what it is told stays the same for look and deed.

    `limit` is how much may be deleted.
    """

    mirror: Mirror
    opening: Opening
    remote: Remote
    wishes: Wishes = field(default_factory=Wishes)
    limit: Limit | None = None

    def look(self) -> Migration:
        """Return what would be done; everything is taken back. Raises what `migrate` raises."""
        # all of the transaction is rolled back: then not even the file's header changes
        with suppress(_TakenBack), self.opening() as source, self.mirror.database.edit() as tx:
            found = self._edit(tx, source)
            raise _TakenBack
        return found

    def migrate(self, session: Session, approved: str | None = None) -> tuple[Migration, Receipt]:
        """Edit, push and prove. `approved` is the digest of the only plan that may be sent.

        Nothing but a receipt comes of what goes wrong after the first write. Raises UsageError,
        UnknownRecord, Brake, StalePlan, MirrorDamaged, BundleDamaged, Locked.
        """
        hold = lock.hold(self.mirror.path, "migrate", session.clock, wait=session.wait)
        with hold, self.opening() as source, self.mirror.database.edit() as tx:
            found = self._edit(tx, source)
            refuse_other(found.plan, approved)
        if found.idle:
            return found, self._told(prove(self.mirror, found.done, Receipt("migrate", None)))
        receipt = apply_push(
            self.mirror,
            self._prepared(found, session),
            [self.remote],
            session,
            command="migrate",
            ending=_unproven,
        )
        return found, self._proved(found, receipt, session)

    def _edit(self, tx: Transaction, source: Source) -> Migration:
        remote = self._known()
        work = Migrating(self.mirror, tx, source, remote, self.wishes)
        work.go()
        whole = plan_within(tx, [remote.name])
        spots = work.done.spots
        plan = Plan.of(
            (change for change in whole.changes if change.spot in spots),
            (*(each for each in whole.conflicts if each.spot in spots), *work.done.clashes),
        )
        self._brake(tx, plan)
        return Migration(
            source.title,
            source.remote,
            remote.name,
            plan,
            work.toll,
            tuple(work.left),
            source.unread,
            work.done,
            len(plan_within(tx, [source.remote]).changes) if source.remote != remote.name else 0,
        )

    def _known(self) -> KnownRemote:
        for each in self.mirror.remotes():
            if each.name == self.remote.name:
                return each
        raise UsageError(
            f"the mirror has not met {self.remote.name} yet",
            hint=f"dssync pull -r {self.remote.name}, then try again",
        )

    def _brake(self, tx: Transaction, plan: Plan) -> None:
        name = self.remote.name
        totals: dict[tuple[str, str], int] = {
            (name, kind): records.rowcount(tx, name, kind) for kind in KINDS
        }
        limit = self.limit or self.remote.max_delete or Limit()
        try:
            check_push(plan.deletions(), totals, {name: limit})
        except Brake as brake:
            _, _, flag = brake.hint.partition("; ")
            raise Brake(brake.message, hint=f"look at it with -n; {flag}") from None

    def _prepared(self, found: Migration, session: Session) -> Prepared:
        changes = Plan(found.plan.changes)
        consented = Limit(count=len(changes.changes))
        prepared = prepare_push(self.mirror, [self.remote], session, plan=changes, limit=consented)
        rows = (*map(conflicted_entry, found.plan.conflicts), *found.done.entries)
        return replace(
            prepared,
            plan=Plan.of(prepared.plan.changes, (*prepared.plan.conflicts, *found.plan.conflicts)),
            planned=prepared.planned + len(rows),
            dropped=(*prepared.dropped, *rows),
        )

    def _proved(self, found: Migration, receipt: Receipt, session: Session) -> Receipt:
        """Pull the destination, compare every copy, and put the outcome into the receipt."""
        if any(trouble.exit_code in STOPPED for trouble in receipt.troubles):
            return receipt
        if not receipt.count("applied"):
            return self._kept(self._told(prove(self.mirror, found.done, receipt)), session)
        pulled = pull(self.mirror, [self.remote], session, limit=self.limit)
        if pulled.troubles:
            return self._kept(
                replace(receipt, troubles=(*receipt.troubles, *pulled.troubles)), session
            )
        with lock.hold(self.mirror.path, "migrate", session.clock, wait=session.wait):
            self._settle()
        proof = prove(self.mirror, found.done, _without(receipt))
        return self._kept(self._told(proof), session)

    def _settle(self) -> None:
        """Keep what both ends agree on, now that it was seen there."""
        with self.opening() as source, self.mirror.database.edit() as tx:
            Migrating(self.mirror, tx, source, self._known(), self.wishes, settling=True).go()

    def _told(self, proof: Proof) -> Receipt:
        receipt, name = proof.receipt, self.remote.name
        troubles = [Trouble.of(name, error) for error in proof.errors()]
        return replace(
            receipt,
            notes=(*receipt.notes, *proof.sentences(name)),
            troubles=(*receipt.troubles, *troubles),
        )

    def _kept(self, receipt: Receipt, session: Session) -> Receipt:
        """Keep the receipt anew, with what was found out since its run ended."""
        if receipt.run is None:
            return receipt
        with self.mirror.database.unit(LOCAL, durable=True) as tx:
            runs.keep_entries(tx, receipt.run, receipt.entries)
            code, troubles, notes = receipt.exit_code, receipt.troubles, receipt.notes
            runs.end(tx, receipt.run, code, session.clock, troubles, notes)
        return receipt


def refuse_other(plan: Plan, approved: str | None) -> None:
    """Raise StalePlan unless a plan is the one that was approved, if one was."""
    if approved is not None and approved != plan.digest:
        raise StalePlan(
            f"the plan is not the one that was approved: its digest is {plan.digest}, not"
            f" {approved}; nothing was sent",
            hint="look at it again with -n",
        )


def uses_of(mirror: Mirror, digest: str, plan: Plan) -> list[plans.Use]:
    """Return the runs that applied the plan with a digest, if `plan` is what they left of it."""
    with mirror.database.read() as tx:
        uses = plans.uses(tx, digest)
    rest = all(any(use.had(change) for use in uses) for change in plan.changes)
    return uses if rest else []


def _unproven(receipt: Receipt) -> Receipt:
    """Say of a receipt that nobody has compared yet what was written."""
    if not receipt.count("applied"):
        return receipt
    remote = next(entry.remote for entry in receipt.entries if entry.outcome == "applied")
    return replace(receipt, troubles=(*receipt.troubles, Trouble.of(remote, UNPROVEN)))


def _without(receipt: Receipt) -> Receipt:
    kept = tuple(each for each in receipt.troubles if each.message != UNPROVEN.message)
    return replace(receipt, troubles=kept)


def apart(mirror: Mirror, found: Migration) -> dict[KindName, int]:
    """Count the live records of a destination that are copies of nothing in the source."""
    if found.source == found.remote:
        return {}
    counts: dict[KindName, int] = {}
    with mirror.database.read() as tx:
        for kind in KINDS:
            where = "remote = ? AND id IS NOT NULL AND deleted IS NOT 1"
            there = set(records.keys(tx, kind, where, [found.remote]))
            linked = links.ends_of(tx, kind, found.source, found.remote)
            counts[kind] = len(there - linked - found.done.expected[kind].keys())
    return {kind: count for kind, count in counts.items() if count}
