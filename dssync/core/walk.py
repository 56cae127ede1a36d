"""Walk a list by pages so that no row that stood still is missed, whatever moved meanwhile.

The proof. The list is ordered by keys that never change, so of two rows that stand still the same
one always comes first. Say that every such row up to `last` was accepted. A page is what the list
held, without a gap, between its first and its last row at one moment. If the first sorts at or
before `last`, every row that stands still after `last` and up to the page's end is on the page, and
the same holds for its end. Offsets only choose where to look, so it does not matter that they shift.
A page that starts later proves nothing: the walk steps back. A page that starts at or before `last`
and shows nothing after it proves the end, if it was not cut there: it must show the overlapping row
alone, from a server seen to grant two; where that is not so, or where an unreadable row bars the
way, `crossing` looks from one side to the other. The server's hints can raise doubt, never settle.

Assumed of the server: each answer shows one moment; who granted two rows once always grants two.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dssync.core.crossing import Crossed, Crossing, Dead, Moved, Window, Witness, cross
from dssync.core.known import Gap, KnownGaps
from dssync.core.line import Line, Role, Slot, Wish
from dssync.core.records import Position
from dssync.core.scan import (
    Accepted,
    Answer,
    Ask,
    Complete,
    CompleteWithHoles,
    Discarded,
    Failed,
    Hole,
    KnownHole,
    Outcome,
    Page,
    Partial,
    Verdict,
)
from dssync.core.seek import Seek
from dssync.core.sizing import Sizing

TRIES = 30
"""Reads without a new row before a walk gives up: enough to find a shift of 100,000 rows."""
DOUBTS = 3
"""Times the end may be contradicted by the server's own hints."""
FAILURES = 8
"""Failures in a row beyond those of halving a page: unreadable rows at the head, or a dead server."""


@dataclass(slots=True)
class Trap:
    """A page that failed: halve inside it, up to the offset `end`, by `grip` new rows."""

    end: int
    grip: int


class Walk:
    """One walk of one list; a state machine that does no I/O.

    Send what `asks` returns, hand each answer to `take` or `fail` in any order, and do what the
    verdicts say, until `done`. Every page taken gets one verdict, now or after a later answer;
    accepted ones come in list order. At most `ahead` requests are under way at a time.
    """

    def __init__(
        self, sizing: Sizing, ahead: int = 1, known_holes: Sequence[KnownHole] = ()
    ) -> None:
        self.outcome: Outcome | None = None
        self._sizing = sizing
        self._ahead = ahead
        self._line = Line(ahead)
        self._known = KnownGaps(known_holes)
        self._holes: list[Hole] = []
        # Everything that stood still up to `last` is accepted, and nothing readable stands between
        # `last` and `reach`. `near` is the readable row seen at the offset `next`, if any was.
        self._last: Position | None = None
        self._reach: Position | None = None
        self._next = 0
        self._near: Witness | None = None
        self._seek: Seek | None = None
        self._trap: Trap | None = None
        self._crossing: Crossing | None = None
        self._window: Window = (0, 0)
        self._ending: Gap | None = None
        self._count: int | None = None
        self._granted: int | None = None
        self._overlaps = False
        self._recent: deque[tuple[int, Position, Position]] = deque(maxlen=ahead)
        self._reread = False
        self._tries = self._doubts = self._failures = 0

    @property
    def done(self) -> bool:
        """Tell whether the walk is over; `outcome` says how it ended."""
        return self.outcome is not None

    def asks(self) -> list[Ask]:
        """Return the requests to send now, first come first. They count as under way."""
        asks: list[Ask] = []
        while not self.done and self._line.has_room(self._depth()) and (wish := self._wish()):
            asks.append(self._line.join(wish))
        return asks

    def take(self, ask: Ask, page: Page, size_bytes: int, seconds: float) -> list[Verdict]:
        """Judge a page that came back. Raises ValueError if `ask` is not under way."""
        self._sizing.measure(len(page.positions), size_bytes, seconds)
        self._count = page.count
        return self._answered(ask, page)

    def fail(self, ask: Ask, reason: str, fatal: bool = False) -> list[Verdict]:
        """Go on after a lasting 5xx or a time-out; a `fatal` failure ends the walk."""
        if fatal:
            self.outcome = Partial(reason)
        return self._answered(ask, Failed(reason))

    def _answered(self, ask: Ask, answer: Answer) -> list[Verdict]:
        if not self._line.answered(ask, answer):
            return [Discarded(ask)] if isinstance(answer, Page) else []
        verdicts: list[Verdict] = []
        while not self.done and (slot := self._line.next_answered()):
            verdicts += self._judge(slot)
            head = self._line.head
            if head and head.wish.role is Role.PAGE and head.ask.offset > self._next:
                verdicts += self._line.clear()
        return verdicts + (self._line.clear() if self.done else [])

    # What to ask for.

    def _depth(self) -> int:
        careful = self._crossing or self._seek or self._trap
        return 1 if careful else self._sizing.depth(self._ahead)

    def _wish(self) -> Wish | None:
        if self._line.tail:
            return self._wish_behind(self._line.tail.wish)
        if self._crossing is None and (gap := self._gap_here()):
            return self._wish_past(gap)
        if self._crossing:
            return Wish(Role.PROBE, *self._window, rows=1)
        return self._wish_rows(Role.PAGE, self._next)

    def _gap_here(self) -> Gap | None:
        """Return the known gap that comes next, where the walk knows its own offset."""
        at_head = self._next == 0 and self._reach is None
        at_last = self._near is not None and self._near.position == self._last
        return self._known.behind(self._last) if at_head or at_last else None

    def _wish_past(self, gap: Gap) -> Wish:
        start = self._near.offset + 1 if self._near else 0
        if gap.unchecked:
            return Wish(Role.CHECK, start + gap.unchecked[0], 1, 1, gap)
        if gap.after:
            return self._wish_rows(Role.JUMP, start + gap.width, gap)
        self._ending = gap
        self._cross(start + gap.width, self._near)
        return Wish(Role.PROBE, *self._window, rows=1)

    def _wish_behind(self, tail: Wish) -> Wish | None:
        """Fetch ahead, as far as the list should reach; a wrong guess only costs a request."""
        ends = self._count is not None and tail.end >= self._count - 1
        if ends or tail.role not in (Role.PAGE, Role.JUMP):
            return None
        gap = self._known.ahead(tail.end)
        if gap is None or self._known.expected(gap) != tail.end + 1:
            return self._wish_rows(Role.PAGE, tail.end)
        if gap.unchecked or gap.after is None:
            return None
        return self._wish_rows(Role.JUMP, tail.end + 1 + gap.width, gap)

    def _wish_rows(self, role: Role, offset: int, gap: Gap | None = None) -> Wish:
        limit = self._sizing.rows
        if role is Role.PAGE and self._trap:
            limit = min(self._trap.grip + bool(self._near), max(2, self._trap.end - offset))
        elif ahead := self._known.ahead(offset):
            room = self._known.expected(ahead) - offset
            limit = min(limit, room) if room > 1 or offset == 0 else limit
        return Wish(role, offset, limit, min(limit, self._granted or limit), gap)

    # What to make of an answer.

    def _judge(self, slot: Slot) -> list[Verdict]:
        self._failures = self._failures + 1 if isinstance(slot.answer, Failed) else 0
        if self._failures > FAILURES + self._sizing.rows.bit_length():
            self.outcome = Partial(f"the server failed {self._failures} times in a row")
            return []
        judges = {
            Role.PAGE: self._judge_page,
            Role.JUMP: self._judge_jump,
            Role.CHECK: self._judge_check,
            Role.PROBE: self._judge_probe,
        }
        return judges[slot.wish.role](slot)

    def _judge_check(self, slot: Slot) -> list[Verdict]:
        assert slot.wish.gap
        if isinstance(slot.answer, Failed):
            slot.wish.gap.unchecked.pop(0)
        else:
            self._known.drop(slot.wish.gap)
        return [*slot.discarded()]

    def _judge_jump(self, slot: Slot) -> list[Verdict]:
        gap, page = slot.wish.gap, slot.answer
        assert gap
        reached = gap.before == self._last
        if not (reached and isinstance(page, Page) and list(page.positions[:1]) == [gap.after]):
            if reached:
                self._known.drop(gap)
            return [*slot.discarded(), *self._line.clear()]
        start = slot.ask.offset - gap.width
        self._known.found(gap, start)
        self._record(gap.holes(start))
        self._reach, self._trap = gap.after, None
        return self._judge_page(slot)

    def _judge_probe(self, slot: Slot) -> list[Verdict]:
        assert self._crossing
        assert slot.answer
        try:
            self._window = self._crossing.send(slot.answer)
        except StopIteration as stop:
            self._crossing = None
            self._crossed(stop.value)
        return [*slot.discarded()]

    def _judge_page(self, slot: Slot) -> list[Verdict]:
        page, offset = slot.answer, slot.ask.offset
        if not isinstance(page, Page):
            self._halve(slot.ask)
            return [*self._line.clear()]
        rows = page.positions
        if any(one >= two for one, two in pairwise(rows)):
            self.outcome = Partial(f"the rows from {offset} on are not in the default order")
            return [*slot.discarded()]
        if not rows:
            self._judge_empty(offset, page)
        elif offset > 0 and (self._reach is None or rows[0] > self._reach):
            self._step_back(offset, len(rows))
        else:
            return self._judge_proved(slot.ask, page)
        return [*slot.discarded(), *self._line.clear()]

    def _judge_empty(self, offset: int, page: Page) -> None:
        if offset > 0 or self._reach is not None:
            self._step_back(offset, self._sizing.rows)
        elif page.claims_more(offset):
            self._doubt()
        else:
            self._complete()

    def _judge_proved(self, ask: Ask, page: Page) -> list[Verdict]:
        rows = page.positions
        summary = len(rows), rows[0], rows[-1]
        repeated = summary in self._recent
        self._recent.append(summary)
        self._overlaps = self._overlaps or len(rows) > 1
        start = bisect_right(rows, self._last) if self._last else 0
        if start < len(rows):
            self._advance(ask, page)
        if len(rows) == 1 < ask.limit:
            self._near = Witness(ask.offset, rows[0])
            self._next = ask.offset
            self._judge_end(ask.offset, page, repeated)
        elif start == len(rows):
            self._step_on(ask.offset, rows, repeated)
        if start < len(rows):
            return [Accepted(ask, start)]
        return [Discarded(ask), *self._line.clear()]

    def _judge_end(self, offset: int, page: Page, repeated: bool) -> None:
        """Judge a page that shows the overlapping row and nothing else."""
        if page.claims_more(offset):
            self._doubt()
        elif self._overlaps and not repeated:
            self._complete()
        else:
            self._cross(offset + 1, self._near)

    # Where the walk stands.

    def _advance(self, ask: Ask, page: Page) -> None:
        rows = page.positions
        self._last = self._reach = rows[-1]
        self._next = ask.offset + len(rows) - 1
        self._near = Witness(self._next, self._last)
        self._seek, self._reread = None, False
        self._tries = self._doubts = 0
        self._known.passed(self._last)
        if len(rows) < ask.limit and page.more:
            self._granted = len(rows)
        elif self._granted and len(rows) > self._granted:
            self._granted = None
        if self._trap and self._next + 1 >= self._trap.end:
            self._sizing.restrain(self._trap.grip)
            self._trap = None

    def _step_back(self, offset: int, rows: int) -> None:
        """Rows vanished ahead, and what followed may have been skipped."""
        self._seek = self._seek or Seek()
        self._next = self._seek.too_far(offset, rows)
        self._near = self._trap = None
        self._try_again()

    def _step_on(self, offset: int, rows: Sequence[Position], repeated: bool) -> None:
        """Rows appeared ahead, or the server repeats itself, which one more read will tell."""
        self._try_again()
        if repeated and not self._reread:
            self._reread = True
            return
        self._reread = False
        self._seek = self._seek or Seek()
        self._next = self._seek.too_early(offset, len(rows))
        shown = self._next == offset + len(rows) - 1
        self._near = Witness(self._next, rows[-1]) if shown else None

    def _halve(self, ask: Ask) -> None:
        overlap = self._near is not None
        if ask.limit > 1 + overlap:
            self._trap = Trap(ask.offset + ask.limit, ask.limit // 2)
        elif overlap or ask.offset == 0:
            self._cross(ask.offset + overlap, self._near)
        else:
            self._trap = Trap(ask.offset + 1, 1)
            self._next = ask.offset - 1
            self._try_again()

    def _cross(self, start: int, witness: Witness | None) -> None:
        self._crossing = cross(start, witness)
        self._window = next(self._crossing)

    def _crossed(self, result: Crossed | Moved | Dead) -> None:
        ending, self._ending = self._ending, None
        if isinstance(result, Dead):
            self.outcome = Partial(result.reason)
        elif isinstance(result, Moved) or (result.after is None and self._last is None):
            self._try_again()
            if ending:
                self._known.drop(ending)
        else:
            self._pass(result, ending)

    def _pass(self, result: Crossed, ending: Gap | None) -> None:
        """Go on behind unreadable rows; those behind the last accepted row are not news."""
        if result.after is None or self._last is None or result.after > self._last:
            gap = Gap(result.start, result.width, self._last, result.after)
            self._record(gap.holes(result.start))
            self._reach = result.after
        if ending:
            self._record(ending.holes(result.start - ending.width))
        if result.after is None:
            self._complete()
            return
        self._next = result.start + result.width
        self._near = Witness(self._next, result.after)
        self._seek = self._trap = None
        self._try_again()

    def _record(self, holes: Sequence[Hole]) -> None:
        """Keep holes behind the last accepted row, in place of those found there before."""
        self._holes = [hole for hole in self._holes if hole.before != self._last] + [*holes]

    def _doubt(self) -> None:
        self._doubts += 1
        if self._doubts > DOUBTS:
            self.outcome = Partial("the server says that more rows follow, but shows none")

    def _try_again(self) -> None:
        self._tries += 1
        if self._tries > TRIES and not self.done:
            self.outcome = Partial(f"the list kept moving around row {self._next}")

    def _complete(self) -> None:
        holes = tuple(self._holes)
        self.outcome = CompleteWithHoles(holes) if holes else Complete()
