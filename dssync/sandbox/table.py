"""The rows of one kind in one project, kept in the server's default order."""

import bisect

from dssync.sandbox.rows import Row

Place = tuple[int, str]
Seat = tuple[str | None, Place]
"""A place in the order of a dataset's items, or (None) in the order of all rows."""


class Order:
    """A sorted list of places. Sorting waits for the next look, so loading many rows is cheap."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._sorted = True

    def __len__(self) -> int:
        return len(self._places)

    def add(self, place: Place) -> None:
        """Add a place that is not there yet."""
        self._places.append(place)
        self._sorted = False

    def discard(self, place: Place) -> None:
        """Take a place out, if it is there."""
        self._sort()
        at = bisect.bisect_left(self._places, place)
        if self._places[at : at + 1] == [place]:
            del self._places[at]

    def page(self, offset: int, limit: int) -> list[str]:
        """Return the ids of `limit` rows from `offset` on."""
        self._sort()
        return [row_id for _, row_id in self._places[offset : offset + limit]]

    def _sort(self) -> None:
        if not self._sorted:
            self._places.sort()
            self._sorted = True


class Table:
    """Rows by id, and the orders of those that lists show: all, and one for each dataset."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._orders: dict[str | None, Order] = {}
        self._shown: dict[str, str] = {}

    def put(self, row: Row) -> None:
        """Insert a row, or replace the one with its id."""
        before = _seats(self.rows.get(row.id))
        self.rows[row.id] = row
        self._move(row.id, before, _seats(row))

    def remove(self, row_id: str) -> None:
        """Drop a row for good, if it is there."""
        self._move(row_id, _seats(self.rows.pop(row_id, None)), set())

    def _move(self, row_id: str, before: set[Seat], after: set[Seat]) -> None:
        self._shown.pop(row_id, None)
        for dataset, place in before - after:
            self._orders[dataset].discard(place)
        for dataset, place in after - before:
            self._orders.setdefault(dataset, Order()).add(place)

    def order(self, dataset: str | None = None) -> Order:
        """Return the order of all live rows, or of one dataset's items."""
        return self._orders.get(dataset, Order())

    def live(self) -> list[Row]:
        """Return the rows that lists show, in the default order."""
        order = self.order()
        return [self.rows[row_id] for row_id in order.page(0, len(order))]

    def remembered(self, row_id: str) -> str | None:
        """Return the row's JSON text if it was shown since it last changed."""
        return self._shown.get(row_id)

    def remember(self, row_id: str, text: str) -> None:
        """Keep a row's JSON text until the row changes."""
        self._shown[row_id] = text

    def forget_shown(self) -> None:
        """Drop all kept JSON text, because a person changed."""
        self._shown.clear()


def _seats(row: Row | None) -> set[Seat]:
    if row is None or row.deleted:
        return set()
    everywhere: set[Seat] = {(None, row.place)}
    return everywhere | {(row.dataset, row.place)} if row.kind == "item" else everywhere
