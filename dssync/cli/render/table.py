"""Rows and columns: ruled on a terminal, tab-separated elsewhere."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dssync.cli.render.text import plain, shortened

LONGEST_CELL = 300
"""More characters than this of one cell never fit into a terminal's column."""


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and rows of text, as many cells as columns."""

    columns: Sequence[str]
    rows: Iterable[Sequence[str]]

    def drawn(self, width: int, *, colour: bool) -> str:
        """Draw the table for a terminal; a cell too long for its column is cut."""
        from rich.console import Console
        from rich.table import Table as Drawing
        from rich.text import Text

        drawing = Drawing(box=None, pad_edge=False, header_style="bold")
        for column in self.columns:
            drawing.add_column(column, no_wrap=True, overflow="ellipsis")
        for row in self.rows:
            drawing.add_row(*(Text(shortened(plain(cell), LONGEST_CELL)) for cell in row))
        console = Console(
            file=io.StringIO(), width=width, force_terminal=colour, color_system="standard"
        )
        with console.capture() as captured:
            console.print(drawing)
        return captured.get()
