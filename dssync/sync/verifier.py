"""Prove what the mirror holds: its file, every row, every record's past, every snapshot."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from dssync.core.damage import Damage, Remedy, Span, disorder, spanned
from dssync.core.fields import KINDS, KindName
from dssync.core.snapshot import Snapshot
from dssync.errors import MirrorDamaged
from dssync.mirror import Mirror, Transaction, evidence, people, pruning, remotes, snapshots
from dssync.mirror.evidence import Kept
from dssync.sync.proving import Prover

NAMED = 1_000
"""So many damaged things are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is damaged: the first of it by name, all of it by number."""

    rows: int
    snapshots: int
    damages: tuple[Damage, ...]
    damaged: int

    @property
    def exit_code(self) -> int:
        """Return 0 for a mirror that is whole."""
        return MirrorDamaged.exit_code if self.damaged else 0


@dataclass(slots=True)
class _Counted:
    rows: int = 0


def read_snapshots(mirror: Mirror, names: Sequence[str] = ()) -> list[Snapshot]:
    """Return the snapshots of these remotes, of all when none is named, oldest first."""
    with mirror.database.read() as tx:
        return snapshots.known(tx, names)


def verify(mirror: Mirror, names: Sequence[str] = ()) -> Verified:
    """Read everything and write nothing; of these remotes, of all when none is named.

    What is no longer readable at all is damage of the file.
    """
    counted = _Counted()
    found = _Found()
    try:
        with mirror.database.read() as tx, evidence.lenient(tx):
            taken = snapshots.known(tx, names)
            found.take(_all(tx, names, taken, counted))
    except MirrorDamaged as error:
        found.take([Damage(error.message, "copy")])
        taken = []
    return Verified(counted.rows, len(taken), tuple(found.damages), found.count)


def prove(mirror: Mirror, snapshot: Snapshot) -> None:
    """Raise MirrorDamaged where anything that a snapshot holds is not what the server sent."""
    found = verify(mirror, [snapshot.remote])
    hit = [each for each in found.damages if each.remote is None or snapshot.run in each.snapshots]
    uncertain = found.damaged > len(found.damages)  # what is not named may be in this snapshot
    if hit or uncertain:
        named = _first(hit, found.damaged)
        raise MirrorDamaged(
            f"snapshot {snapshot.run} of {snapshot.remote} is damaged: {named}",
            hint="`dssync verify` says what helps; `dssync snapshots` lists other snapshots",
        )


def _first(hit: Sequence[Damage], total: int) -> str:
    if not hit:
        return f"{total:,} things are in this mirror, too many to name"
    first = hit[0]
    record = f"{first.kind} {first.key}: " if first.kind else ""
    more = f" (and {len(hit) - 1:,} more)" if len(hit) > 1 else ""
    return f"{record}{first.what}{more}"


class _Found:
    """Damages, of which the first are kept, so that memory stays flat."""

    def __init__(self) -> None:
        self.damages: list[Damage] = []
        self.count = 0

    def take(self, damages: Iterable[Damage]) -> None:
        """Take them as they come, also those before an error."""
        for damage in damages:
            self.count += 1
            if len(self.damages) < NAMED:
                self.damages.append(damage)


def _all(
    tx: Transaction, names: Sequence[str], taken: Sequence[Snapshot], counted: _Counted
) -> Iterator[Damage]:
    yield from (Damage(f"the file: {fault}", "copy") for fault in evidence.faults(tx))
    runs: dict[str, list[int]] = {}
    for each in taken:
        runs.setdefault(each.remote, []).append(each.run)
    met = frozenset(remote.name for remote in remotes.known(tx))
    known = met & frozenset(names) if names else met
    prover = Prover(
        remotes=met,
        runs=evidence.known_runs(tx),
        ids=evidence.ids_of(tx),
        lost=partial(evidence.lost_before, tx),
        begun=partial(evidence.runs_of, tx),
        pruned=partial(pruning.pruned_through, tx),
    )
    for kind in KINDS:
        for kept in evidence.rows(tx, kind):
            # what belongs to no remote that there is, is everybody's
            if kept.cells["remote"] in met - known:
                continue
            counted.rows += 1
            yield from _of_row(tx, prover, kept, runs)
        yield from _of_pasts(tx, kind, known, runs)
    for id in sorted(people.unsealed(tx)):
        yield Damage(f"the profile of {id}, who made records, is not what was read", "pull")
    yield from _of_snapshots(tx, known, met)
    for remote in known:
        pruning.pruned_through(tx, remote)  # raises, also where no record has a past to ask for it


def _of_row(
    tx: Transaction, prover: Prover, kept: Kept, runs: dict[str, list[int]]
) -> Iterator[Damage]:
    cells = kept.cells
    for what, remedy in islice(prover.flaws(kept), 1):  # one sentence for one row
        held = _held(kept, runs.get(str(cells["remote"]), []))
        yield Damage(
            what,
            "copy" if remedy == "forget" and not held else remedy,
            str(cells["remote"]),
            kept.kind,
            str(cells["key"]),
            str(cells.get("name") or cells["key"]),
            _dataset(tx, kept),
            held,
        )


def _held(kept: Kept, runs: Sequence[int]) -> tuple[int, ...]:
    """Return the snapshots that hold a row; ours and base are in none."""
    run, until = kept.cells["run"], kept.more.get("until_run")
    if kept.place in ("ours", "base") or not isinstance(run, int):
        return ()
    return spanned(Span(run, until if isinstance(until, int) else None), runs)


def _dataset(tx: Transaction, kept: Kept) -> str | None:
    if kept.kind == "dataset":
        return None
    return evidence.dataset_name(tx, kept.cells["dataset"]) or str(kept.cells["dataset"])


def _of_pasts(
    tx: Transaction, kind: KindName, known: frozenset[str], runs: dict[str, list[int]]
) -> Iterator[Damage]:
    for key, remote, spans in evidence.pasts(tx, kind):
        if remote not in known:
            continue  # another's, or one that damage made up, as its rows tell
        held = runs.get(str(remote), [])
        for span, what in disorder(spans, pruning.pruned_through(tx, str(remote)), held):
            hit = spanned(span, held)
            label = (evidence.dataset_name(tx, key) if kind == "dataset" else None) or str(key)
            remedy: Remedy = "forget" if hit else "copy"
            yield Damage(what, remedy, str(remote), kind, str(key), label, None, hit)


def _of_snapshots(tx: Transaction, known: frozenset[str], met: frozenset[str]) -> Iterator[Damage]:
    for remote in evidence.sealed_remotes(tx):
        if remote not in met:
            yield Damage("a snapshot is of a remote that the mirror does not know", "copy", remote)
        elif remote in known:
            for each in snapshots.lost(tx, remote):
                what = "what is kept does not add up to it"
                if each.sealed() != each.seal:
                    what = "its own row is not as it was sealed"
                yield Damage(what, "forget", each.remote, snapshots=(each.run,))
