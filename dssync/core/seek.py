"""Where to look for the last accepted row when the list has moved under the walk."""


class Seek:
    """Two bounds for the last accepted row's offset, and the leaps that find them.

    `_low` is an offset that showed a row at or before it, `_high` one that showed only later rows
    or none. Either is forgotten when the other contradicts it, since the list may go on moving.
    """

    def __init__(self) -> None:
        self._low: int | None = None
        self._high: int | None = None
        self._leap = 1

    def too_far(self, offset: int, rows: int) -> int:
        """Return the next offset after one that missed rows; pages bring `rows` rows."""
        low, self._high = self._low, offset
        if low is not None and low < offset:
            return self._between(low, offset, rows)
        self._forget(low)
        self._low = None
        return max(0, offset - self._doubling())

    def too_early(self, offset: int, rows: int) -> int:
        """Return the next offset after a page of `rows` known rows: its last, or further."""
        low, high = offset + rows - 1, self._high
        repeated, self._low = self._low is not None, low
        if high is not None and low < high:
            return self._between(low, high, rows)
        self._forget(high)
        self._high = None
        return low + self._doubling() * (rows - 1) if repeated else low

    def _forget(self, bound: int | None) -> None:
        if bound is not None:
            self._leap = 1

    def _between(self, low: int, high: int, rows: int) -> int:
        return low if high - low <= rows else (low + high) // 2

    def _doubling(self) -> int:
        leap, self._leap = self._leap, self._leap * 2
        return leap
