"""How the walk gets past unreadable rows, one row at a time, without taking a dying server for one.

No answer of the server can show both sides of an unreadable row, so nothing overlaps across it.
Instead everything is seen twice: the rows fail, the far side is read, the rows fail again, the far
side is read again; and a readable row, the witness, stands at the same offset before and after. A
deletion, of an unreadable row too, or an insertion ahead meanwhile would show. What would not is
several of them that cancel out between just these requests, twice over.
"""

from collections.abc import Generator
from dataclasses import dataclass

from dssync.core.records import Position
from dssync.core.scan import Answer, Failed, Page

WIDEST = 20
"""Unreadable rows that may be a whole list; where more fail and none is shown, the server does."""

STRETCH = 4
"""Unreadable rows to read again between two looks at the witness."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A readable row and the offset where it stood."""

    offset: int
    position: Position


@dataclass(frozen=True, slots=True)
class Crossed:
    """`width` unreadable rows begin at `start`; `after` follows them, or the list ends."""

    start: int
    width: int
    after: Position | None


@dataclass(frozen=True, slots=True)
class Moved:
    """The list moved, or there was no unreadable row after all; look again."""


@dataclass(frozen=True, slots=True)
class Dead:
    """The server no longer serves what it served a moment ago."""

    reason: str


Window = tuple[int, int]
Crossing = Generator[Window, Answer, Crossed | Moved | Dead]
Step = Generator[Window, Answer, Moved | Dead | None]
Search = Generator[Window, Answer, Witness | Crossed | Moved | Dead]


def cross(start: int, witness: Witness | None) -> Crossing:
    """Ask for single rows from `start` on, up to the first that is readable, or the list's end.

    Without a witness, which is the row before `start`, one further on is found first.
    """
    if witness is None:
        found = yield from _find_witness(start)
        if not isinstance(found, Witness):
            return found
        witness = found
    width = 0
    while isinstance(far := (yield start + width, 1), Failed):
        width += 1
        if trouble := (yield from _unmoved(witness)):
            return trouble
    if trouble := (yield from _all_unreadable(range(start, start + width), witness)):
        return trouble
    if not far.positions:
        end = yield from prove_end(start + width, witness)
        return Crossed(start, width, None) if isinstance(end, Crossed) else end
    shore = Witness(start + width, far.positions[0])
    trouble = (yield from _unmoved(shore)) or (yield from _unmoved(witness))
    return trouble or Crossed(start, width, shore.position)


def prove_end(start: int, witness: Witness) -> Crossing:
    """Prove that the list ends before `start`, where the row before cannot be shown with it.

    Look twice, since one empty page may be a slip of the server, and see the witness after each.
    """
    for limit in (1, 2):
        page = yield start, limit
        if isinstance(page, Failed) or page.positions or page.claims_more(start):
            return Moved()
        if trouble := (yield from _unmoved(witness)):
            return trouble
    return Crossed(start, 0, None)


def prove_unreadable(width: int) -> Crossing:
    """Prove that a list holds so many rows, all of them unreadable."""
    found = yield from _read_all(width)
    return Moved() if isinstance(found, Witness) else found


def _read_all(width: int) -> Search:
    """Read a list that ends at `width` row by row: find a readable one, or see twice that none is.

    Here the list's end is the witness: an insertion or a deletion would move it.
    """
    if width > WIDEST:
        return Dead("no row of the list could be read")
    for limit in (1, 2):
        for offset in range(width):
            answer = yield offset, 1
            if isinstance(answer, Page):
                return Witness(offset, answer.positions[0]) if answer.positions else Moved()
            if offset == width - 1 or offset % STRETCH == STRETCH - 1:
                end = yield width, limit
                if isinstance(end, Failed) or end.positions or end.claims_more(width):
                    return Moved()
    return Crossed(0, width, None)


def _all_unreadable(offsets: range, witness: Witness) -> Step:
    """See the rows fail again; in a long run of them, see that the server still lives."""
    for offset in offsets:
        if isinstance((yield offset, 1), Page):
            return Moved()
        stretched = (offset - offsets.start) % STRETCH == STRETCH - 1
        if stretched and (trouble := (yield from _unmoved(witness))):
            return trouble
    return None if offsets else Moved()


def _unmoved(witness: Witness) -> Step:
    """Read the witness again, twice if need be; where it fails, see if it moved on by one."""
    for offset in (witness.offset, witness.offset, witness.offset + 1):
        answer = yield offset, 1
        if isinstance(answer, Page):
            seen = list(answer.positions[:1]) == [witness.position]
            return None if seen and offset == witness.offset else Moved()
    return Dead("a row that was readable a moment ago fails too")


def _find_witness(start: int) -> Search:
    """Find some readable row after `start`, ever further on, halving back from the list's end.

    A short list is then read row by row, and may prove to be all unreadable.
    """
    low, high, leap = start, None, 1
    while high is None or high - low > 1:
        offset = low + leap if high is None else (low + high) // 2
        answer = yield offset, 1
        if isinstance(answer, Failed):
            low, leap = offset, leap * 2
        elif answer.positions:
            return Witness(offset, answer.positions[0])
        else:
            high = offset
    return (yield from _read_all(high))
