"""The values of one scan: what to ask for, what came back, what was made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from dssync.core.records import Position


@dataclass(frozen=True, slots=True)
class Ask:
    """A window of the list to request; `number` tells apart two requests for the same window."""

    number: int
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class Page:
    """What the server showed of a window: the rows' positions and its two hints.

    `more` is whether it named a next page, `count` the length it claims for the whole list.
    """

    positions: Sequence[Position]
    more: bool = False
    count: int | None = None

    def claims_more(self, offset: int) -> bool:
        """Tell whether a hint says that rows follow this page, read at `offset`."""
        return self.more or (self.count is not None and self.count > offset + len(self.positions))


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that failed for good; `reason` says how, for the message."""

    reason: str


Answer = Page | Failed


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rows of that ask's page from index `start` on are new, and nothing is missing before."""

    ask: Ask
    start: int


@dataclass(frozen=True, slots=True)
class Discarded:
    """That ask's page is of no use; free it."""

    ask: Ask


Verdict = Accepted | Discarded


@dataclass(frozen=True, slots=True)
class Hole:
    """An unreadable row, last seen at `offset`, between two readable neighbours.

    Adjacent holes name the same two. `before` is None at the head of the list, `after` at its end.
    """

    offset: int
    before: Position | None
    after: Position | None


@dataclass(frozen=True, slots=True)
class KnownHole:
    """A hole of the last walk; with `recheck` it is asked for once, to see if it was repaired."""

    hole: Hole
    recheck: bool = False


@dataclass(frozen=True, slots=True)
class Complete:
    """Every row that stood still was accepted."""


@dataclass(frozen=True, slots=True)
class CompleteWithHoles:
    """Every row that stood still was accepted, but for the unreadable ones."""

    holes: tuple[Hole, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """The walk gave up; nothing may be concluded from a row's absence. `reason` is a clause."""

    reason: str


Outcome = Complete | CompleteWithHoles | Partial
