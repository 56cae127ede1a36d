"""Walk a list by pages so that no row that stood still is missed, whatever moved meanwhile.

The proof. The list is ordered by keys that never change, so of two rows that stand still the same
one always comes first. Say that every such row up to `last` was accepted. A page is what the list
held, without a gap, between its first and its last row at one moment. If its first row sorts at or
before `last`, every row that stands still behind `last`, up to the page's end, is on the page; so
the same can be said of its end. Offsets only choose where to look; they may shift freely. A page
that begins later proves nothing: the walk steps back. A page that begins at or before `last` and
shows nothing behind it proves the end, unless it was cut there: it must show one row alone, from a
server seen to grant two. Where that is not so, or where an unreadable row bars the way, `crossing`
looks from one side to the other. The server's hints, `next` and `count`, raise doubt, and settle
nothing.

Assumed of the server: each answer shows one moment; who granted two rows once always grants two.
"""

from collections.abc import Sequence
from itertools import pairwise

from dssync.core.crossing import (
    Crossed,
    Crossing,
    Dead,
    Moved,
    Window,
    cross,
    prove_end,
    prove_unreadable,
)
from dssync.core.frontier import Frontier
from dssync.core.known import Gap, KnownGaps
from dssync.core.line import Line, Role, Slot, Wish
from dssync.core.recent import Recent
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
from dssync.core.sizing import Sizing

TRIES = 30
"""Reads without a new row before a walk gives up: enough to find a shift of 100,000 rows."""
DOUBTS = 3
"""Times the end may be contradicted by the server's own hints."""
FAILURES = 8
"""Failures in a row, beyond those of halving a page, before the server counts as dead."""


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
        self._front = Frontier()
        self._holes: list[Hole] = []
        self._known = KnownGaps(known_holes)
        self._crossing: Crossing | None = None
        self._window: Window = (0, 0)
        self._last_gap: Gap | None = None  # the known gap that ends the list, being crossed
        self._count: int | None = None
        self._granted: int | None = None
        self._overlaps = False  # whether the server was seen to grant two rows
        self._recent = Recent(ahead)
        self._reread = False
        self._doubts = self._failures = 0

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
        return self._answered(ask, page, self._recent.repeats(page.positions))

    def fail(self, ask: Ask, reason: str, fatal: bool = False) -> list[Verdict]:
        """Go on after a lasting 5xx or a time-out; a `fatal` failure ends the walk."""
        if fatal:
            self._give_up(reason)
        return self._answered(ask, Failed(reason))

    def _answered(self, ask: Ask, answer: Answer, repeats: bool = False) -> list[Verdict]:
        if not self._line.answered(ask, answer, repeats):
            return [Discarded(ask)] if isinstance(answer, Page) else []
        verdicts: list[Verdict] = []
        while not self.done and (slot := self._line.next_answered()):
            verdicts += self._judge(slot)
            head = self._line.head
            if head and head.role is Role.PAGE and head.offset > self._front.next:
                verdicts += self._line.clear()
        return verdicts + (self._line.clear() if self.done else [])

    # What to ask for.

    def _depth(self) -> int:
        fast = self._front.clear and not self._crossing
        return self._sizing.depth(self._ahead) if fast else 1

    def _wish(self) -> Wish | None:
        if tail := self._line.tail:
            return self._wish_behind(tail)
        gap = None if self._crossing else self._gap_here()
        if gap and gap.whole:
            self._known.drop(gap)
            self._begin(prove_unreadable(gap.width))
        elif gap and gap.unchecked:
            return Wish(Role.CHECK, self._behind_near() + gap.unchecked[0], 1, 1, gap)
        elif gap and gap.after:
            return self._wish_rows(Role.JUMP, self._behind_near() + gap.width, gap)
        elif gap:
            self._last_gap = gap
            self._prove_end(self._behind_near() + gap.width)
        if self._crossing:
            return Wish(Role.PROBE, *self._window, rows=1)
        return self._wish_rows(Role.PAGE, self._front.next)

    def _gap_here(self) -> Gap | None:
        """Return the known gap that comes next, where the walk knows its own offset."""
        near, last = self._front.near, self._front.last
        here = self._front.untouched or (near is not None and near.position == last)
        return self._known.behind(last) if here else None

    def _behind_near(self) -> int:
        return self._front.near.offset + 1 if self._front.near else 0

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
        """Ask for rows from `offset` on, up to where the next known gap should begin."""
        limit = self._sizing.rows
        if ahead := self._known.ahead(offset):
            room = self._known.expected(ahead) - offset
            overlaps = role is Role.PAGE and not self._front.untouched
            limit = min(limit, room) if room > overlaps else limit
        if role is Role.PAGE:
            limit = self._front.limit(limit)
        return Wish(role, offset, limit, min(limit, self._granted or limit), gap)

    # What to make of an answer.

    def _judge(self, slot: Slot) -> list[Verdict]:
        self._failures = self._failures + 1 if isinstance(slot.answer, Failed) else 0
        judges = {
            Role.PAGE: self._judge_page,
            Role.JUMP: self._judge_jump,
            Role.CHECK: self._judge_check,
            Role.PROBE: self._judge_probe,
        }
        verdicts = judges[slot.wish.role](slot)
        if self._front.tries > TRIES:
            self._give_up(f"the list kept moving around row {self._front.next}")
        if self._failures > FAILURES + self._sizing.rows.bit_length():
            self._give_up(f"the server failed {self._failures} times in a row")
        return verdicts

    def _judge_check(self, slot: Slot) -> list[Verdict]:
        gap = slot.wish.known_gap
        if isinstance(slot.answer, Failed):
            gap.unchecked.pop(0)
        else:
            self._known.drop(gap)
        return [*slot.discarded()]

    def _judge_probe(self, slot: Slot) -> list[Verdict]:
        crossing, answer = self._crossing, slot.answer
        assert crossing
        assert answer
        try:
            self._window = crossing.send(answer)
        except StopIteration as stop:
            self._crossing = None
            self._crossed(stop.value)
        return [*slot.discarded()]

    def _judge_jump(self, slot: Slot) -> list[Verdict]:
        gap, page = slot.wish.known_gap, slot.answer
        reached = gap.before == self._front.last
        lands = isinstance(page, Page) and list(page.positions[:1]) == [gap.after]
        if not reached or not lands or gap.after is None:
            if reached:
                self._known.drop(gap)
            return [*slot.discarded(), *self._line.clear()]
        start = slot.ask.offset - gap.width
        self._known.found(gap, start)
        self._record(gap.holes(start))
        self._front.land(slot.ask.offset, gap.after)
        return self._judge_page(slot)

    def _judge_page(self, slot: Slot) -> list[Verdict]:
        page, offset = slot.answer, slot.ask.offset
        if not isinstance(page, Page):
            if self._front.narrow(offset, slot.ask.limit):
                self._begin(cross(self._behind_near(), self._front.near))
            return [*self._line.clear()]
        rows = page.positions
        if any(one >= two for one, two in pairwise(rows)):
            self._give_up(f"the rows from {offset} on are not in the list's order")
        elif not rows:
            self._judge_empty(offset, page)
        elif not self._front.proves(offset, rows):
            self._step_back(offset, len(rows))
        else:
            return self._judge_proved(slot, page)
        return [*slot.discarded(), *self._line.clear()]

    def _judge_empty(self, offset: int, page: Page) -> None:
        if not self._front.untouched:
            self._step_back(offset, self._sizing.rows)
        elif page.claims_more(offset):
            self._doubt()
        else:
            self._complete()

    def _judge_proved(self, slot: Slot, page: Page) -> list[Verdict]:
        ask, rows = slot.ask, page.positions
        self._overlaps = self._overlaps or len(rows) > 1
        fresh = self._front.fresh(rows)
        if fresh < len(rows):
            self._advance(ask, page)
        if len(rows) == 1 < ask.limit:
            self._front.see(ask.offset, rows[0])
            self._judge_end(ask.offset, page, slot.repeats)
        elif fresh == len(rows):
            self._step_on(ask.offset, rows, slot.repeats)
        if fresh < len(rows):
            return [Accepted(ask, fresh)]
        return [Discarded(ask), *self._line.clear()]

    def _judge_end(self, offset: int, page: Page, repeats: bool) -> None:
        """Judge a page that shows one row and nothing behind it."""
        if page.claims_more(offset):
            self._doubt()
        elif self._overlaps and not repeats:
            self._complete()
        else:
            self._prove_end(offset + 1)

    # What follows from it.

    def _advance(self, ask: Ask, page: Page) -> None:
        rows = page.positions
        if worked := self._front.advance(ask.offset, rows):
            self._sizing.restrain(worked)
        self._known.passed(rows[-1])
        self._reread, self._doubts = False, 0
        if len(rows) < ask.limit and page.more:
            self._granted = len(rows)
        elif self._granted and len(rows) > self._granted:
            self._granted = None

    def _step_back(self, offset: int, rows: int) -> None:
        self._front.tries += 1
        self._front.step_back(offset, rows)

    def _step_on(self, offset: int, rows: Sequence[Position], repeats: bool) -> None:
        """Go on behind known rows, once it is sure that the server does not repeat itself."""
        self._front.tries += 1
        self._reread = repeats and len(rows) > 1 and not self._reread
        if not self._reread:
            self._front.step_on(offset, rows)

    def _prove_end(self, start: int) -> None:
        assert self._front.near
        self._begin(prove_end(start, self._front.near))

    def _begin(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._window = next(crossing)

    def _crossed(self, result: Crossed | Moved | Dead) -> None:
        self._front.tries += 1
        last_gap, self._last_gap = self._last_gap, None
        if isinstance(result, Dead):
            self._give_up(result.reason)
        elif isinstance(result, Moved):
            self._front.lose()
            if last_gap:
                self._known.drop(last_gap)
        elif result.after:
            self._land(result, result.after)
        elif self._front.settled:
            width = last_gap.width if last_gap else 0
            self._record_new(result.start - width, result.width + width, None)
            self._complete()

    def _land(self, result: Crossed, after: Position) -> None:
        """Go on behind unreadable rows; those the walk had passed already are not news."""
        if self._front.last is None or after > self._front.last:
            self._record_new(result.start, result.width, after)
        self._front.land(result.start + result.width, after)

    def _record_new(self, offset: int, width: int, after: Position | None) -> None:
        self._record(Gap(offset, width, self._front.last, after).holes(offset))

    def _record(self, holes: Sequence[Hole]) -> None:
        """Keep holes behind the last accepted row, in place of those found there before."""
        self._holes = [hole for hole in self._holes if hole.before != self._front.last] + [*holes]

    def _doubt(self) -> None:
        self._doubts += 1
        if self._doubts > DOUBTS:
            self._give_up("the server says that more rows follow, but shows none")

    def _complete(self) -> None:
        holes = tuple(self._holes)
        self.outcome = CompleteWithHoles(holes) if holes else Complete()

    def _give_up(self, reason: str) -> None:
        self.outcome = self.outcome or Partial(reason)
