"""What `verify` finds: how a record's past hangs together, and what is wrong where it does not.

A record's contents follow each other without a gap: each begins at the run that ended the one
before it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from dssync.core.fields import KindName

Remedy = Literal["reread", "pull", "forget", "copy"]
"""What helps: `doctor --reread` and a pull, a pull alone, forgetting snapshots, or a copy."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged thing; `what` is a clause about it.

    Of a record: its kind, key and label, an item's dataset, and the runs of the snapshots that hold
    it so. Of a snapshot: its one run. Of the file: nothing but `what`.
    """

    what: str
    remedy: Remedy
    remote: str | None = None
    kind: KindName | None = None
    key: str | None = None
    label: str = ""
    dataset: str | None = None
    snapshots: tuple[int, ...] = ()


class Span(NamedTuple):
    """From which run until which run a content stood; None while it stands."""

    run: int
    until_run: int | None


def spanned(span: Span, snapshots: Sequence[int]) -> tuple[int, ...]:
    """Return those snapshots that hold what stood in a span."""
    end = span.until_run
    return tuple(run for run in snapshots if span.run <= run and (end is None or run < end))


def allowed_gap(begin: int, end: int, pruned: int, snapshots: Sequence[int]) -> bool:
    """Tell whether a prune explains that nothing is kept of a record between two runs.

    `pruned` is the newest run up to which a prune took away what no snapshot holds, 0 if there was
    none. What a snapshot that is kept holds is never pruned.
    """
    return end <= pruned and not spanned(Span(begin, end), snapshots)


def disorder(
    spans: Iterable[Span], pruned: int, snapshots: Sequence[int]
) -> Iterator[tuple[Span, str]]:
    """Yield each stretch of a record's past that is not as it should be, with a clause about it.

    One of `spans` should be what stands now. A content that a run both saw and ended spans no time.
    """
    ordered = sorted(spans, key=lambda span: (span.run, _end(span)))
    for span in ordered:
        if span.run > _end(span):
            yield span, f"it ends with run {span.until_run}, before its beginning"
    for one, two in pairwise(ordered):
        if two.run < _end(one):
            yield Span(two.run, one.until_run), f"two contents of it stand at run {two.run}"
        elif two.run > _end(one) and not allowed_gap(_end(one), two.run, pruned, snapshots):
            lacking = Span(int(_end(one)), two.run)
            yield lacking, f"what it was between run {lacking.run} and run {two.run} is missing"
    last = max(map(_end, ordered), default=_NOW)
    if last != _NOW:
        yield Span(int(last), None), f"what it is since run {int(last)} is missing"


_NOW = 1 << 63


def _end(span: Span) -> int:
    return _NOW if span.until_run is None else span.until_run
