"""Conclude which records are gone: brakes first, then proof."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from dssync.core.brakes import Limit, scan_stopped
from dssync.core.scan import Complete, CompleteWithHoles, Hole, Outcome
from dssync.errors import Brake, ServerTrouble, TemporaryError
from dssync.mirror import Transaction, records, theirs
from dssync.mirror.incoming import Inbox
from dssync.mirror.records import Place
from dssync.posthog import Contract
from dssync.sync.session import Run

ASKED_ONE_BY_ONE = 20
"""Up to so many candidates are asked for by themselves; more by a second walk."""

FILTERED = 5
"""A second walk looks into so many datasets at most, else at the whole list."""

Again = Callable[[str | None], Outcome]
"""Walks the list once more into the same inbox: one dataset's, by its id, or the whole one."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How many records were proved gone, and which known records the holes turned out to be."""

    absent: int
    named: dict[Hole, str]


@dataclass(frozen=True, slots=True)
class Absence:
    """Decides what became of the records that a scan did not show.

    `believed` are the keys of records that were found unreadable a short while ago.
    """

    inbox: Inbox
    contract: Contract
    run: Run
    limit: Limit
    again: Again
    believed: frozenset[str] = frozenset()

    def conclude(self, listed: int, outcome: Complete | CompleteWithHoles) -> Conclusion:
        """Tombstone what is proved gone; store what is found after all.

        Raises Brake, and what reading raises; then nothing is tombstoned.
        """
        holes = outcome.holes if isinstance(outcome, CompleteWithHoles) else ()
        candidates = self._candidates()
        hidden = [place for place in candidates if any(_inside(place, hole) for hole in holes)]
        plain = [place for place in candidates if place not in hidden]
        self._brake(listed, len(plain) + _outnumbered(hidden, holes))
        gone = [*self._prove(plain)]
        unread = [place for place in hidden if place.key in self.believed]
        gone += self._ask([place for place in hidden if place not in unread], unread.append)
        self.run.write(partial(self._bury, keys=gone))
        return Conclusion(len(gone), _name(holes, unread))

    def _candidates(self) -> list[Place]:
        with self.run.mirror.database.read() as tx:
            return records.places(tx, self.inbox.kind, self.inbox.unseen(tx))

    def _brake(self, listed: int, lost: int) -> None:
        inbox = self.inbox
        with self.run.mirror.database.read() as tx:
            live = records.rowcount(tx, inbox.remote, inbox.kind)
        if lost and scan_stopped(listed, lost, live, self.limit):
            raise Brake(
                f"{lost:,} of {live:,} {inbox.kind}s of {inbox.remote} are no longer listed,"
                " so none of them was taken for deleted",
                hint="check that the project and the key's access are what they were;"
                f" if they are really gone, add --max-delete {lost}",
            )

    def _prove(self, candidates: Sequence[Place]) -> Iterator[str]:
        """Yield the keys of those that a second way of looking does not find either."""
        if len(candidates) <= ASKED_ONE_BY_ONE:
            yield from self._ask(candidates)
            return
        for dataset_id in self._where_to_look(candidates):
            outcome = self.again(dataset_id)
            if not isinstance(outcome, Complete | CompleteWithHoles):
                raise TemporaryError(
                    f"what is gone could not be proved by a second look: {outcome.reason}"
                )
        with self.run.mirror.database.read() as tx:
            still = set(self.inbox.unseen(tx))
        yield from (place.key for place in candidates if place.key in still)

    def _where_to_look(self, candidates: Sequence[Place]) -> list[str | None]:
        parents = {place.dataset for place in candidates if place.dataset}
        with self.run.mirror.database.read() as tx:
            families = [records.family(tx, parent) for parent in sorted(parents)]
            whole = records.rowcount(tx, self.inbox.remote, self.inbox.kind)
        few = 0 < len(families) <= FILTERED and all(each.id for each in families)
        cheap = sum(each.items for each in families) < whole / 2
        return [each.id for each in families] if few and cheap else [None]

    def _ask(
        self, candidates: Sequence[Place], unreadable: Callable[[Place], None] | None = None
    ) -> Iterator[str]:
        """Yield the keys of those whose GET finds nothing; hand over those it cannot show."""
        for place in candidates:
            try:
                found = self.contract.read(self.inbox.kind, place.id)
            except ServerTrouble:
                if unreadable is None:
                    raise
                unreadable(place)
                continue
            if found is None:
                yield place.key
            else:
                self.run.write(partial(self.inbox.store, readings=[found]))

    def _bury(self, tx: Transaction, keys: Sequence[str]) -> None:
        inbox = self.inbox
        theirs.tombstone(tx, inbox.kind, keys, inbox.run, inbox.now)
        theirs.settle_absent(tx, inbox.remote, inbox.kind)


def _inside(place: Place, hole: Hole) -> bool:
    """Tell whether a record's place in the list lies between a hole's neighbours."""
    after_before = hole.before is None or hole.before < place.position
    return after_before and (hole.after is None or place.position < hole.after)


def _outnumbered(hidden: Sequence[Place], holes: Sequence[Hole]) -> int:
    """Count the records that must be gone because each hole hides no more than one."""
    gaps = Counter(replace(hole, offset=0) for hole in holes)
    inside = (sum(_inside(place, gap) for place in hidden) - width for gap, width in gaps.items())
    return sum(max(0, surplus) for surplus in inside)


def _name(holes: Sequence[Hole], unread: Sequence[Place]) -> dict[Hole, str]:
    """Give each hole the unreadable record that lies there; of adjacent ones, in list order."""
    named: dict[Hole, str] = {}
    left = sorted(unread, key=lambda place: place.position)
    for hole in sorted(holes, key=lambda hole: hole.offset):
        mine = next((place for place in left if _inside(place, hole)), None)
        if mine is not None:
            left.remove(mine)
            named[hole] = mine.key
    return named
