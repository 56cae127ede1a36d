"""How the walk gets past unreadable rows, one row at a time, without taking a dying server for one.

No answer of the server can show both sides of an unreadable row, so nothing overlaps across it.
Instead a readable row, the witness, must stand at the same offset before and after the look at the
other side, and the unreadable row must fail again after that look. A deletion, of the unreadable
row too, or an insertion ahead meanwhile would show; only one of each that cancel out, exactly
around the look, would not.
"""

from collections.abc import Generator
from dataclasses import dataclass

from dssync.core.records import Position
from dssync.core.scan import Answer, Failed, Page


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


def cross(start: int, witness: Witness | None) -> Crossing:
    """Ask for single rows from `start` on, up to the first that is readable, or the list's end.

    With no unreadable row at all and nothing at `start`, this proves the end of the list behind
    the witness. Without a witness, which is the row before `start`, one further on is found first.
    """
    if witness is None:
        witness = yield from _find_witness(start)
        if witness is None:
            return Dead("no row of the list could be read")
    width = 0
    while isinstance(far := (yield start + width, 1), Failed):
        width += 1
        if trouble := (yield from _unmoved(witness)):
            return trouble
    if trouble := (yield from _settled(start + width, width, far)):
        return trouble
    if trouble := (yield from _unmoved(witness)):
        return trouble
    return Crossed(start, width, far.positions[0] if far.positions else None)


def _settled(offset: int, width: int, far: Page) -> Step:
    """Doubt what was seen at `offset`, behind `width` unreadable rows."""
    if width == 0 and far.positions:
        return Moved()
    if width and not isinstance((yield offset - 1, 1), Failed):
        return Moved()
    if far.positions:
        return None
    end = yield offset, 2
    ended = isinstance(end, Page) and not end.positions and not end.claims_more(offset)
    return None if ended and not far.claims_more(offset) else Moved()


def _unmoved(witness: Witness) -> Step:
    """Read the witness again, twice if need be."""
    for _ in range(2):
        answer = yield witness.offset, 1
        if isinstance(answer, Page):
            return None if list(answer.positions[:1]) == [witness.position] else Moved()
    return Dead("a row that was readable a moment ago fails too")


def _find_witness(start: int) -> Generator[Window, Answer, Witness | None]:
    """Find some readable row after `start`, ever further on, halving back from the list's end."""
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
    return None
