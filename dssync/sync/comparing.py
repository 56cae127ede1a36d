"""Prove against the live server that the newest snapshot is what it holds: GETs only."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from dssync.config import Remote
from dssync.core.against import Difference, Side, compare
from dssync.core.fields import KINDS, KindName
from dssync.core.receipt import Trouble
from dssync.core.records import Reading
from dssync.core.sampling import Size, choose
from dssync.core.scan import CompleteWithHoles, Outcome, Partial
from dssync.core.sizing import Sizing
from dssync.core.snapshot import Snapshot
from dssync.core.walk import Walk
from dssync.errors import DssyncError, MirrorDamaged, ServerTrouble, TemporaryError
from dssync.events import ScanEnded, ScanStarted
from dssync.mirror import Mirror, snapshots, standing, unreadable
from dssync.mirror.incoming import Seen
from dssync.mirror.standing import Held
from dssync.sync.scanner import Scanner
from dssync.sync.session import Link, Session, check, link

ASKED_ONE_BY_ONE = 20
"""So many records that the list did not show are asked for by themselves."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How much is asked for, and the seed of the choice."""

    size: Size
    seed: int


@dataclass(slots=True)
class Compared:
    """What was held against the server of one remote, and what differs.

    `population` is how many live records the snapshot has, `compared` how many of them were asked
    for. `carried` were unreadable when it was taken, and are still. `trouble` kept it from an end.
    """

    remote: str
    snapshot: Snapshot | None = None
    population: int = 0
    compared: int = 0
    carried: int = 0
    differences: list[Difference] = field(default_factory=list)
    trouble: Trouble | None = None

    @property
    def exit_code(self) -> int:
        """Return the worst of what was found."""
        if self.differences:
            return MirrorDamaged.exit_code
        return self.trouble.exit_code if self.trouble else 0


def compare_remotes(
    mirror: Mirror, remotes: Sequence[Remote], session: Session, sample: Sample | None = None
) -> list[Compared]:
    """Hold the newest snapshot of each remote against its server; writes nothing to the mirror."""
    return [_compare(mirror, remote, session, sample) for remote in remotes]


def _compare(mirror: Mirror, remote: Remote, session: Session, sample: Sample | None) -> Compared:
    done = Compared(remote.name)
    try:
        with mirror.database.read() as tx:
            done.snapshot = snapshots.newest(tx, remote.name)
        if done.snapshot is None:
            raise MirrorDamaged(f"there is no snapshot of {remote.name}", hint="dssync pull")
        with link(remote, session, read_only=True) as reached:
            check(reached, mirror)
            done.population = done.snapshot.datasets + done.snapshot.items
            one = _One(mirror, reached, session, done.snapshot, done)
            one.sample(sample) if sample else one.whole()
    except DssyncError as error:  # the outcome of this remote; the others are still compared
        done.trouble = Trouble.of(remote.name, error)
    return done


@dataclass(frozen=True, slots=True)
class _One:
    """One remote's part; `done` takes what is found."""

    mirror: Mirror
    reached: Link
    session: Session
    snapshot: Snapshot
    done: Compared

    def whole(self) -> None:
        """Walk both lists, as a pull does, and hold every row against the snapshot."""
        for kind in KINDS:
            seen = Seen()
            self.session.report(ScanStarted(self.snapshot.remote, kind))
            outcome = self._walk(kind, partial(self._hold, kind, seen))
            if isinstance(outcome, Partial):
                raise TemporaryError(
                    f"the list of {kind}s was not read to its end: {outcome.reason}"
                )
            holes = outcome.holes if isinstance(outcome, CompleteWithHoles) else ()
            self._missing(kind, seen, len(holes))
            listed = "complete with holes" if holes else "complete"
            self.session.report(ScanEnded(self.snapshot.remote, kind, listed, seen.count))

    def _walk(self, kind: KindName, hold: Callable[[Sequence[Reading]], None]) -> Outcome:
        sizing = Sizing(self.session.page)
        with self.mirror.database.read() as tx:
            now = self.session.clock.now()
            hints = unreadable.hints(tx, self.snapshot.remote, kind, now)
        walk = Walk(sizing, self.session.ahead, hints)
        with ThreadPoolExecutor(1, thread_name_prefix="dssync-compare") as pool:
            scanner = Scanner(
                walk=walk,
                sizing=sizing,
                link=self.reached,
                kind=kind,
                store=lambda readings: pool.submit(hold, list(readings)),
                session=self.session,
                eager=lambda: False,
            )
            scanner.run()
        return walk.outcome or Partial("the walk has no end")

    def _hold(self, kind: KindName, seen: Seen, readings: Sequence[Reading]) -> None:
        with self.mirror.database.read() as tx:
            held = standing.by_ids(tx, self.snapshot, kind, {r.id for r in readings})
        for reading in readings:
            there = held.get(reading.id)
            if there is not None:
                if there.rowid in seen:
                    continue  # pages overlap by a row
                seen.add(there.rowid)
                self.done.compared += 1
            self._note(compare(*self._spot(kind, reading.id), _held(there), _shown(reading, there)))

    def _spot(self, kind: KindName, id: str) -> tuple[str, KindName, str]:
        return self.snapshot.remote, kind, id

    def _note(self, difference: Difference | None) -> None:
        if difference is not None and difference not in self.done.differences[-1:]:
            self.done.differences.append(difference)

    def _missing(self, kind: KindName, seen: Seen, holes: int) -> None:
        """Judge what the snapshot has and the list did not show; few, or hidden, are asked for."""
        with self.mirror.database.read() as tx:
            rest = (h for h in standing.live(tx, self.snapshot, kind) if h.rowid not in seen)
            missing = list(islice(rest, ASKED_ONE_BY_ONE + holes + 1))
            asked = len(missing) <= ASKED_ONE_BY_ONE + holes
            if not asked:
                missing += list(rest)
        for held in missing:
            self.done.compared += 1
            if asked:
                self._ask(kind, held)
            else:
                self._note(compare(*self._spot(kind, held.id), held.side, None))

    def _ask(self, kind: KindName, held: Held) -> None:
        """Ask for one record; one that was unreadable at the snapshot, too, is no difference."""
        try:
            reading = self.reached.contract.read(kind, held.id)
        except ServerTrouble:
            carried = {(each.kind, each.key) for each in self.snapshot.unread}
            if (kind, held.key) in carried:
                self.done.carried += 1
            else:
                self._note(Difference(*self._spot(kind, held.id), "unreadable"))
            return
        self._note(compare(*self._spot(kind, held.id), held.side, _shown(reading, held)))

    def sample(self, sample: Sample) -> None:
        """Ask for some records of the snapshot, chosen by the seed."""
        size = sample.size.of(self.done.population)
        chosen = choose(self.done.population, size, sample.seed)
        picked = [(kind, held) for at, (kind, held) in enumerate(self._live()) if at in chosen]
        datasets = [held for kind, held in picked if kind == "dataset"]
        shown = {
            reading.id: reading
            for reading in self.reached.contract.read_many("dataset", [h.id for h in datasets])
        }
        for kind, held in picked:
            self.done.compared += 1
            if held.id in shown:
                found = compare(*self._spot(kind, held.id), held.side, _shown(shown[held.id], held))
                self._note(found)
            else:
                self._ask(kind, held)

    def _live(self) -> Iterator[tuple[KindName, Held]]:
        with self.mirror.database.read() as tx:
            for kind in KINDS:
                yield from ((kind, held) for held in standing.live(tx, self.snapshot, kind))


def _held(held: Held | None) -> Side | None:
    return held.side if held else None


def _shown(reading: Reading | None, held: Held | None) -> Side | None:
    """Return a reading as a side; its values are made only where they will be looked at."""
    if reading is None:
        return None
    if held is not None and held.side.digest == reading.digest:
        return replace(held.side, digest=reading.digest)
    row = reading.row()
    return Side(row.values, row.updated_at, reading.digest)
