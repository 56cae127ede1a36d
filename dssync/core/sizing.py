"""How many rows to ask for at once, and how many pages at a time."""

FIRST_ROWS = 100
MOST_ROWS = 1_000
LEAST_ROWS = 2
PAGE_BYTES = 4_000_000
PAGE_SECONDS = 2.0
FLIGHT_BYTES = 16_000_000
TELLING_ROWS = 10
"""A page of fewer rows tells the round trip's time rather than the rows', unless it was heavy."""


class Sizing:
    """Sizes pages for about 4 MB and 2 s from what was measured; `fixed` asks for that many."""

    def __init__(self, fixed: int | None = None) -> None:
        if fixed is not None and fixed < LEAST_ROWS:
            raise ValueError(f"a page of {fixed} rows cannot overlap the next one")
        self._fixed = fixed
        self._target = fixed or FIRST_ROWS
        self._ceiling = MOST_ROWS
        self._row_bytes: float | None = None

    @property
    def rows(self) -> int:
        """Return how many rows to ask for now."""
        return self._fixed or max(LEAST_ROWS, min(self._target, self._ceiling))

    def depth(self, ahead: int) -> int:
        """Return how many pages, up to `ahead`, may be in memory together.

        Only one until a page was measured, then as many as hold 16 MB.
        """
        if self._row_bytes is None:
            return 1
        if self._fixed:
            return ahead
        return max(1, min(ahead, int(FLIGHT_BYTES / (self.rows * self._row_bytes))))

    def measure(self, rows: int, size_bytes: int, seconds: float) -> None:
        """Learn from a page that arrived."""
        heavy = size_bytes > PAGE_BYTES or seconds > PAGE_SECONDS
        if rows == 0 or (rows < TELLING_ROWS and not heavy):
            return
        self._ceiling = min(MOST_ROWS, self._ceiling * 2)
        self._row_bytes = max(1.0, size_bytes / rows)
        by_bytes = PAGE_BYTES / self._row_bytes
        by_seconds = PAGE_SECONDS * rows / max(seconds, 0.001)
        self._target = int(min(MOST_ROWS, by_bytes, by_seconds))

    def restrain(self, rows: int) -> None:
        """Go on from `rows`, the size that worked after a larger one failed, and double again."""
        self._ceiling = max(LEAST_ROWS, min(self._ceiling, rows))


def page_for(row_bytes: float) -> int:
    """Return how many rows of about this size to ask for, before any page was measured."""
    return max(1, min(MOST_ROWS, int(PAGE_BYTES / max(1.0, row_bytes))))
