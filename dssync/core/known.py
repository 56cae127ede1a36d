"""Holes remembered from the last walk, so that nobody has to search for them again."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from dssync.core.records import Position
from dssync.core.scan import Hole, KnownHole


@dataclass(slots=True)
class Gap:
    """Adjacent known holes between the same two rows; `unchecked` are those to ask for first."""

    offset: int
    width: int
    before: Position | None
    after: Position | None
    unchecked: list[int] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Tell whether the gap is the whole list: there is no readable row beside it."""
        return self.before is None and self.after is None

    def holes(self, offset: int) -> list[Hole]:
        """Return the gap's holes, the first of them at `offset`."""
        return [Hole(offset + i, self.before, self.after) for i in range(self.width)]


class KnownGaps:
    """The gaps ahead of the walk, in list order, and how far the list has shifted since."""

    def __init__(self, holes: Iterable[KnownHole]) -> None:
        ordered = sorted(holes, key=lambda known: known.hole.offset)
        self._gaps = [_gap(list(run)) for _, run in groupby(ordered, key=_neighbours)]
        self._shift = 0

    def behind(self, last: Position | None) -> Gap | None:
        """Return the gap that follows the row `last`; None stands for the list's head."""
        return next((gap for gap in self._gaps if gap.before == last), None)

    def ahead(self, offset: int) -> Gap | None:
        """Return the first gap expected to begin after `offset`."""
        return next((gap for gap in self._gaps if self.expected(gap) > offset), None)

    def expected(self, gap: Gap) -> int:
        """Return the offset where the gap should begin by now."""
        return gap.offset + self._shift

    def found(self, gap: Gap, offset: int) -> None:
        """Learn where the gap was really met, and be done with it."""
        self._shift = offset - gap.offset
        self.drop(gap)

    def drop(self, gap: Gap) -> None:
        """Forget a gap that is not what is remembered."""
        self._gaps.remove(gap)

    def passed(self, last: Position) -> None:
        """Forget the gaps before the row `last`."""
        self._gaps = [gap for gap in self._gaps if gap.before is not None and gap.before >= last]


def _neighbours(known: KnownHole) -> tuple[Position | None, Position | None]:
    return known.hole.before, known.hole.after


def _gap(run: list[KnownHole]) -> Gap:
    first = run[0].hole
    unchecked = [index for index, known in enumerate(run) if known.recheck]
    if first.before is None and 0 not in unchecked:
        # New rows come in front, where no accepted row would show that they are there.
        unchecked.insert(0, 0)
    return Gap(first.offset, len(run), first.before, first.after, unchecked)
