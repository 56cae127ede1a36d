"""Rows and columns: ruled on a terminal, tab-separated elsewhere."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dssync.cli.render.text import plain, shortened

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

    def drawn(self, width: int, *, colour: bool) -> str:
        """Draw the table for a terminal; a cell too long for its column is cut."""
        from rich.console import Console
        from rich.table import Table as Drawing
        from rich.text import Text

        drawing = Drawing(box=None, pad_edge=False, header_style="bold")
        rows = [[shortened(plain(cell), LONGEST_CELL) for cell in row] for row in self.rows]
        for column, share in zip(self.columns, self._shares(rows, width), strict=True):
            drawing.add_column(column, no_wrap=True, overflow="ellipsis", width=share)
        for row in rows:
            drawing.add_row(*map(Text, row))
        console = Console(
            file=io.StringIO(), width=width, force_terminal=colour, color_system="standard"
        )
        with console.capture() as captured:
            console.print(drawing)
        return captured.get()

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
