"""Backup: pull, verify, copy off-site, forget, as one run with one receipt."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dssync.backup.offsite import Copied, copy_off
from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.nightly import unaccounted
from dssync.core.receipt import Receipt, Trouble
from dssync.core.retention import Rules
from dssync.core.snapshot import Snapshot
from dssync.errors import DssyncError, Interrupted, MirrorDamaged
from dssync.events import StepEnded, StepStarted
from dssync.mirror import Mirror
from dssync.policy import Offsite
from dssync.sync.forgetter import forget_within, judge
from dssync.sync.puller import pull_within
from dssync.sync.session import Run, Session, run
from dssync.sync.verifier import Verified, read_snapshots, verify


@dataclass(frozen=True, slots=True)
class Orders:
    """What a backup is to do: which remotes, where copies go, which snapshots stay.

    A remote without rules forgets nothing; `prune` frees what no snapshot holds any more.
    """

    remotes: Sequence[Remote]
    rules: Mapping[str, Rules] = field(default_factory=dict)
    offsite: Offsite | None = None
    prune: bool = False
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What came of a backup; `verified` and `copied` are None where it did not get that far.

    `snapshots` are those that this run took.
    """

    receipt: Receipt
    snapshots: tuple[Snapshot, ...]
    verified: Verified | None
    copied: Copied | None
    seconds: Mapping[str, float]


def backup(mirror: Mirror, orders: Orders, session: Session) -> BackedUp:
    """Pull these remotes, prove the mirror, copy it off-site, forget what the rules do not keep.

    A remote that fails stops neither the others nor the copy of what is there. A mirror that is
    damaged is neither copied nor forgotten from, and nothing is forgotten that has no copy. All is
    one run: nobody else writes meanwhile. Raises Locked; what else goes wrong is in the receipt.
    """
    with run(mirror, "backup", session) as current:
        backing = _Backing(current, orders)
        backing.go()
        current.finish(backing.receipt)
    return backing.result()


class _Backing:
    """A backup under way, and its receipt so far."""

    def __init__(self, current: Run, orders: Orders) -> None:
        self.run = current
        self.orders = orders
        self.receipt = Receipt("backup", current.number)
        self.snapshots: tuple[Snapshot, ...] = ()
        self.verified: Verified | None = None
        self.copied: Copied | None = None
        self.seconds: dict[str, float] = {}

    def go(self) -> None:
        """Take the steps; all but the first need the ones before them to be whole."""
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("pull", self._pull),
            ("verify", self._verify),
            ("copy", self._copy),
            ("forget", self._forget),
        )
        for name, work in steps:
            if not self._step(name, work):
                return

    def result(self) -> BackedUp:
        """Return what came of it."""
        return BackedUp(self.receipt, self.snapshots, self.verified, self.copied, self.seconds)

    def _step(self, name: str, work: Callable[[], None]) -> bool:
        session = self.run.session
        session.report(StepStarted(name))
        begun, whole = session.clock.monotonic(), True
        try:
            session.stop.check()
            work()
        except DssyncError as error:  # the outcome of this step, and the end of those after it
            self._add(troubles=self._news(error))
            whole = False
        self.seconds[name] = session.clock.monotonic() - begun
        session.report(StepEnded(name, whole, self.seconds[name]))
        return whole

    def _news(self, error: DssyncError) -> tuple[Trouble, ...]:
        """Say what stopped the backup, unless every remote has said so already."""
        told = any(trouble.code == error.code for trouble in self.receipt.troubles)
        return () if told and isinstance(error, Interrupted) else (Trouble.of("", error),)

    def _add(
        self,
        notes: Sequence[str] = (),
        warnings: Sequence[str] = (),
        troubles: Sequence[Trouble] = (),
    ) -> None:
        self.receipt = replace(
            self.receipt,
            notes=(*self.receipt.notes, *notes),
            warnings=(*self.receipt.warnings, *warnings),
            troubles=(*self.receipt.troubles, *troubles),
        )

    def _pull(self) -> None:
        pulled = pull_within(self.run, self.orders.remotes, self.orders.limit)
        self.receipt = replace(pulled, command="backup")
        taken = read_snapshots(self.run.mirror, [remote.name for remote in self.orders.remotes])
        self.snapshots = tuple(each for each in taken if each.run == self.run.number)
        names = [remote.name for remote in self.orders.remotes]
        have = {each.remote for each in self.snapshots}
        self._add(troubles=tuple(unaccounted(names, have, pulled.troubles)))

    def _verify(self) -> None:
        """Prove the whole mirror, for all of it is copied. Raises MirrorDamaged."""
        found = self.verified = verify(self.run.mirror)
        if found.damaged:
            first = found.damages[0]
            who = f"{first.remote}: " if first.remote else ""
            raise MirrorDamaged(
                f"the mirror is damaged ({found.damaged:,} found), so it was neither copied nor"
                f" forgotten from; the first: {who}{first.what}",
                hint="`dssync verify` names everything and says what to type",
            )
        many = f"{_many(found.rows, 'row')} and {_many(found.snapshots, 'snapshot')}"
        self._add([f"verified: {many}, every one is as it was"])

    def _copy(self) -> None:
        """Copy off-site. Raises what copying raises."""
        if self.orders.offsite is None:
            self._add(["not copied: dssync.toml has no [offsite]"])
            return
        session = self.run.session
        copied = self.copied = copy_off(
            self.run.mirror, self.orders.offsite, session.clock, session.env
        )
        pruned = f"; pruned: {', '.join(copied.pruned)}" if copied.pruned else ""
        said = f"copied to {copied.place}: {copied.name}, {copied.bytes:,} bytes, read back"
        self._add([f"{said}{pruned}"], copied.warnings)

    def _forget(self) -> None:
        known = {each.name for each in self.run.mirror.remotes()}
        rules = {name: each for name, each in self.orders.rules.items() if each.policy}
        here = {name: each for name, each in rules.items() if name in known}
        if here:
            done = forget_within(self.run, judge(self.run.mirror, here), prune=self.orders.prune)
            self._add(done.notes, done.warnings, done.troubles)


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
