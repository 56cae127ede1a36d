"""The requests of a walk in list order: under way, or answered early and waiting for their turn."""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from dssync.core.known import Gap
from dssync.core.scan import Answer, Ask, Discarded, Failed, Page


class Role(Enum):
    """What a request is for."""

    PAGE = "the next rows of the list, the last accepted one first"
    JUMP = "the rows behind a known gap"
    CHECK = "one row of a known gap, to see that it is still unreadable"
    PROBE = "one step of a crossing"


@dataclass(frozen=True, slots=True)
class Wish:
    """A window the walk wants, and why; `rows` is how many the server should grant of it."""

    role: Role
    offset: int
    limit: int
    rows: int
    gap: Gap | None = None

    @property
    def end(self) -> int:
        """Return the offset of the last row it should bring."""
        return self.offset + self.rows - 1

    @property
    def known_gap(self) -> Gap:
        """Return the gap it is about; JUMP and CHECK have one."""
        assert self.gap
        return self.gap


@dataclass(slots=True)
class Slot:
    """One place in the line; `repeats` tells that its answer equals an earlier one."""

    ask: Ask
    wish: Wish
    answer: Answer | None = None
    repeats: bool = False

    def discarded(self) -> list[Discarded]:
        """Return the verdict that frees its page, if there is one."""
        return [Discarded(self.ask)] if isinstance(self.answer, Page) else []


class Line:
    """At most `ahead` requests are under way, those already given up included."""

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead
        self._slots: deque[Slot] = deque()
        self._under_way: set[int] = set()
        self._number = 0

    @property
    def head(self) -> Wish | None:
        """Return what the first place wants."""
        return self._slots[0].wish if self._slots else None

    @property
    def tail(self) -> Wish | None:
        """Return what the last place wants."""
        return self._slots[-1].wish if self._slots else None

    def has_room(self, depth: int) -> bool:
        """Tell whether one more request may be sent, with at most `depth` pages in the line."""
        failed = any(isinstance(slot.answer, Failed) for slot in self._slots)
        return not failed and len(self._slots) < depth and len(self._under_way) < self._ahead

    def join(self, wish: Wish) -> Ask:
        """Put a request at the end of the line."""
        self._number += 1
        ask = Ask(self._number, wish.offset, wish.limit)
        self._slots.append(Slot(ask, wish))
        self._under_way.add(ask.number)
        return ask

    def answered(self, ask: Ask, answer: Answer, repeats: bool) -> bool:
        """Note an answer; tell whether its request still has a place. Raises ValueError."""
        if ask.number not in self._under_way:
            raise ValueError(f"{ask} is not under way")
        self._under_way.remove(ask.number)
        for slot in self._slots:
            if slot.ask == ask:
                slot.answer, slot.repeats = answer, repeats
                return True
        return False

    def next_answered(self) -> Slot | None:
        """Take the first place out, if its answer is there."""
        return self._slots.popleft() if self._slots and self._slots[0].answer else None

    def clear(self) -> list[Discarded]:
        """Give up every place; those under way come back without one."""
        freed = [verdict for slot in self._slots for verdict in slot.discarded()]
        self._slots.clear()
        return freed
