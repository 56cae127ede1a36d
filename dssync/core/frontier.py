"""Where a walk stands in its list, and where it reads next."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from dssync.core.crossing import Witness
from dssync.core.records import Position
from dssync.core.seek import Seek

CLOSE = 8
"""Rows to read one by one, rather than search once more for the unreadable one among them."""


@dataclass(frozen=True, slots=True)
class Trap:
    """A page that failed: read `grip` new rows at a time, up to the offset `end`."""

    end: int
    grip: int


class Frontier:
    """The last accepted row, and the offset to read from.

    Everything that stood still up to `last` is accepted, and nothing readable that stood still is
    between `last` and `reach`. `near` is the row seen at the offset `next`, if one was: the page
    read there should begin with it. `tries` counts the reads since the last new row.
    """

    def __init__(self) -> None:
        self.last: Position | None = None
        self.reach: Position | None = None
        self.next = 0
        self.near: Witness | None = None
        self.tries = 0
        self._seek: Seek | None = None
        self._trap: Trap | None = None

    @property
    def clear(self) -> bool:
        """Tell whether pages may be fetched ahead: nothing moved or failed lately."""
        return self._seek is None and self._trap is None

    @property
    def untouched(self) -> bool:
        """Tell whether nothing of the list was seen yet."""
        return self.reach is None and self.next == 0

    @property
    def settled(self) -> bool:
        """Tell whether every row seen so far is accepted, also the far side of unreadable ones."""
        return self.untouched or (self.last is not None and self.last == self.reach)

    @property
    def _overlaps(self) -> bool:
        """Tell whether the next page should begin with an accepted row."""
        if self.near is None or self.last is None:
            return False
        return self.near.position <= self.last

    def limit(self, rows: int) -> int:
        """Return the page size to read with: `rows`, or less inside a page that failed."""
        if self._trap is None:
            return rows
        return min(self._trap.grip + self._overlaps, max(2, self._trap.end - self.next))

    def proves(self, offset: int, rows: Sequence[Position]) -> bool:
        """Tell whether no row can be missing between the accepted ones and these."""
        return offset == 0 or (self.reach is not None and rows[0] <= self.reach)

    def fresh(self, rows: Sequence[Position]) -> int:
        """Return the index of the first row behind the last accepted one."""
        return bisect_right(rows, self.last) if self.last else 0

    def advance(self, offset: int, rows: Sequence[Position]) -> int | None:
        """Accept rows; return the page size that got through a failed page, when it is through."""
        self.last = self.reach = rows[-1]
        self.see(offset + len(rows) - 1, rows[-1])
        self._seek, self.tries = None, 0
        if self._trap is None or self.next + 1 < self._trap.end:
            return None
        grip, self._trap = self._trap.grip, None
        return grip

    def see(self, offset: int, row: Position) -> None:
        """Read next from `offset`, where `row` was just seen."""
        self.next, self.near = offset, Witness(offset, row)

    def land(self, offset: int, row: Position) -> None:
        """Read next from the far side of unreadable rows, where `row` was just seen."""
        if self.last is None or row > self.last:
            self.reach = row
        self.see(offset, row)
        self._seek = self._trap = None

    def lose(self) -> None:
        """Do not rely on `near` any longer: the list has moved."""
        self.near = None

    def step_back(self, offset: int, rows: int) -> None:
        """Look before `offset`: rows vanished ahead, so some may have been skipped."""
        self._seek = self._seek or Seek()
        self.next, self.near = self._seek.too_far(offset, rows), None
        if offset - self.next > CLOSE:
            self._trap = None

    def step_on(self, offset: int, rows: Sequence[Position]) -> None:
        """Look behind these rows, which are known: others appeared ahead."""
        if list(rows) == [self.last]:
            self._seek = None
            self.see(offset, rows[0])
            return
        self._seek = self._seek or Seek()
        self.next, self.near = self._seek.too_early(offset, len(rows)), None
        if self.next == offset + len(rows) - 1:
            self.see(self.next, rows[-1])

    def narrow(self, offset: int, limit: int) -> bool:
        """Read less of a page that failed; tell whether just one unreadable row is left of it.

        That row then follows `near`, or heads the list. Where the row before it is not known, it is
        read next.
        """
        if limit > 1 + self._overlaps:
            self._trap = Trap(offset + limit, limit // 2)
            return False
        if self._overlaps or offset == 0:
            return True
        self._seek, self._trap = None, Trap(offset + 1, 1)
        self.next, self.near = offset - 1, None
        self.tries += 1
        return False
