"""Rows and columns: ruled on a terminal, tab-separated elsewhere."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dssync.cli.render.text import Line, plain, shortened

LONGEST_CELL = 300
"""More characters than this of one cell never fit into a terminal's column."""


GAP = 2
"""The columns of a terminal between two cells."""


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and rows of text, as many cells as columns; `whole` columns are never cut."""

    columns: Sequence[str]
    rows: Iterable[Sequence[str]]
    whole: Sequence[str] = ()

    def lines(self, width: int) -> Iterator[Line]:
        """Draw the table for a terminal; a cell too long for its column is cut."""
        rows = [[shortened(plain(cell), LONGEST_CELL) for cell in row] for row in self.rows]
        shares = self._shares(rows, width)
        yield Line(_joined(self.columns, shares), "head")
        yield from (Line(_joined(row, shares)) for row in rows)

    def _shares(self, rows: Sequence[Sequence[str]], width: int) -> list[int]:
        """Share a line out: whole columns get what they need, the others what is left, evenly."""
        from rich.cells import cell_len

        needed = [max(map(cell_len, cells)) for cells in zip(self.columns, *rows, strict=True)]
        order = sorted(
            range(len(needed)), key=lambda at: (self.columns[at] not in self.whole, needed[at])
        )
        left = width - GAP * (len(needed) - 1)
        shares = needed.copy()
        for done, at in enumerate(order):
            if self.columns[at] not in self.whole:
                shares[at] = max(1, min(needed[at], left // (len(order) - done)))
            left -= shares[at]
        return shares


def _joined(cells: Sequence[str], shares: Sequence[int]) -> str:
    return (" " * GAP).join(map(_filled, cells, shares))


def _filled(cell: str, width: int) -> str:
    """Fill a column; letters may be two columns wide."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(cell) <= width:
        return set_cell_size(cell, width)
    return f"{set_cell_size(cell, width - 1)}…"
