"""Notice that a server may have sent an answer before once more."""

from collections import deque
from collections.abc import Sequence

from dssync.core.records import Position

Summary = tuple[int, Position, Position]


class Recent:
    """Summaries of the last `ahead` pages.

    Which one a server repeats is not known, since answers may come in another order than they were
    given.
    """

    def __init__(self, ahead: int) -> None:
        self._summaries: deque[Summary | None] = deque(maxlen=ahead)

    def repeats(self, rows: Sequence[Position]) -> bool:
        """Tell whether a page looks like one of the last, and remember it."""
        summary = (len(rows), rows[0], rows[-1]) if rows else None
        repeats = summary is not None and summary in self._summaries
        self._summaries.append(summary)
        return repeats
