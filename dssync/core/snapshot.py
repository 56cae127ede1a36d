"""What a remote held at the end of a complete pull, summed up so that it can be proved again.

A snapshot's `total` is the sum of one number for each state that stood then. A sum needs no order
and lets states be taken out again, so one walk over all of history reproduces every snapshot: each
state is added at the run that first saw it and taken away at the run that ended it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

from dssync.core.fields import KindName
from dssync.core.values import digest_of
from dssync.errors import MirrorDamaged

TOTAL_BYTES = 32
_MODULUS = 1 << 8 * TOTAL_BYTES


class Standing(NamedTuple):
    """One state of a record, as far as snapshots go: when it stood, and the text it is proved by.

    `until_run` is None while it stands. `live` tells whether the server showed it, not deleted.
    """

    kind: KindName
    run: int
    until_run: int | None
    live: bool
    proof: str


def _number(proof: str) -> int:
    hashed = blake2b(proof.encode("utf-8", "surrogatepass"), digest_size=TOTAL_BYTES)
    return int.from_bytes(hashed.digest())


@dataclass(slots=True)
class Tally:
    """A sum of states: the live records of each kind, and the total over all of them."""

    total: int = 0
    live: dict[KindName, int] = field(default_factory=lambda: {"dataset": 0, "item": 0})

    def count(self, state: Standing, times: int = 1) -> None:
        """Add a state, or take it away with -1."""
        self.total = (self.total + times * _number(state.proof)) % _MODULUS
        self.live[state.kind] += times * state.live

    @classmethod
    def of(cls, states: Iterable[Standing]) -> "Tally":
        """Add states up."""
        tally, total = cls(), 0
        for kind, _, _, live, proof in states:
            total += _number(proof)
            tally.live[kind] += live
        tally.total = total % _MODULUS
        return tally

    def __add__(self, other: "Tally") -> "Tally":
        live = {kind: count + other.live[kind] for kind, count in self.live.items()}
        return Tally((self.total + other.total) % _MODULUS, live)


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that the server could not show; its last readable state stands in, if there is one.

    `place` counts from 1 in the server's list.
    """

    kind: KindName
    key: str | None
    place: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one remote held when a run had read both of its lists whole.

    `datasets` and `items` count the live ones; `unread` names those carried at their last readable
    state. `seal` is a digest over everything else.
    """

    run: int
    remote: str
    taken_at: str
    datasets: int
    items: int
    unread: tuple[Unread, ...]
    total: bytes
    seal: bytes

    @classmethod
    def of(
        cls, run: int, remote: str, taken_at: str, unread: Sequence[Unread], tally: Tally
    ) -> "Snapshot":
        """Sum a remote up."""
        total = tally.total.to_bytes(TOTAL_BYTES)
        live = tally.live
        made = cls(run, remote, taken_at, live["dataset"], live["item"], tuple(unread), total, b"")
        return replace(made, seal=made.sealed())

    @property
    def moment(self) -> datetime:
        """Return when it was taken. Raises MirrorDamaged where damage made that unreadable."""
        try:
            found = datetime.fromisoformat(self.taken_at)
        except ValueError:
            raise MirrorDamaged(
                f"when snapshot {self.run} of {self.remote} was taken can no longer be read",
                hint="dssync verify says what helps",
            ) from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def sealed(self) -> bytes:
        """Compute the seal from the rest."""
        unread = (part for each in self.unread for part in (each.kind, each.key, each.place))
        counts = (self.run, self.remote, self.taken_at, self.datasets, self.items)
        return digest_of(*counts, self.total, *unread)

    def holds(self, tally: Tally) -> bool:
        """Tell whether these states are the ones that were summed up."""
        there = (tally.total.to_bytes(TOTAL_BYTES), tally.live["dataset"], tally.live["item"])
        return self.sealed() == self.seal and there == (self.total, self.datasets, self.items)


def replay(states: Iterable[Standing], runs: Sequence[int]) -> Iterator[tuple[int, Tally]]:
    """Yield what stood at the end of each of these runs, in their order, from all states there are.

    Reads the states once; what it keeps grows with the runs, not with the states.
    """
    marks = sorted(runs)
    steps = [Tally() for _ in range(len(marks) + 1)]
    for state in states:
        steps[bisect_left(marks, state.run)].count(state)
        if state.until_run is not None:
            steps[bisect_left(marks, state.until_run)].count(state, -1)
    standing = Tally()
    for run, step in zip(marks, steps, strict=False):
        standing += step
        yield run, standing
