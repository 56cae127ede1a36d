"""CSV: UTF-8 with its mark, which Excel needs to read it as UTF-8; lines end with a line feed."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dssync.core.fields import Field
from dssync.files import sheets
from dssync.files.flaws import Flaw
from dssync.files.forms import Found, Source
from dssync.files.rows import Row
from dssync.files.sheets import SheetReader

LONGEST_CELL = 2**31 - 1
SEPARATORS = (",", ";", "\t")
"""What spreadsheets of one language or another put between cells."""


@dataclass(frozen=True, slots=True)
class CsvWriter:
    """Writes lines of cells."""

    lines: Any
    fields: Sequence[Field]
    laid_out: Sequence[sheets.Column]

    def write(self, row: Row) -> None:
        """Add a row."""
        self.lines.writerow(sheets.line_of(row, self.fields, self.laid_out))


class CsvReader(SheetReader):
    """Reads lines of cells."""

    def rows(self) -> Iterator[Found | Flaw]:
        """Yield each row, or what is wrong with it."""
        csv.field_size_limit(LONGEST_CELL)
        self.laid_out.clear()
        line = 1
        with self.source.path.open(encoding="utf-8-sig", newline="") as stream:
            try:
                lines = csv.reader(stream, delimiter=self._separator(), strict=True)
                for found in self.found(_numbered(lines)):
                    line = lines.line_num + 1
                    yield found
            except UnicodeDecodeError:
                reason = "it is not UTF-8; save it as CSV UTF-8"
                yield Flaw(self.source.name, reason, self._bad_line())
            except csv.Error as error:
                yield Flaw(self.source.name, f"it is not CSV ({error})", line)

    def _separator(self) -> str:
        with self.source.path.open("rb") as stream:
            heading = stream.readline().decode("utf-8", "replace")
        return max(SEPARATORS, key=heading.count)

    def _bad_line(self) -> int:
        with self.source.path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    return number
        return 1


def _numbered(lines: Any) -> Iterator[tuple[int, Sequence[str]]]:
    """Number each row by the line on which it begins."""
    begin = 1
    for cells in lines:
        yield begin, cells
        begin = lines.line_num + 1


class Separated:
    """The format `csv`."""

    @contextmanager
    def writer(
        self, path: Path, fields: Sequence[Field], widths: Mapping[str, int]
    ) -> Iterator[CsvWriter]:
        """Begin a file."""
        laid_out = sheets.columns(fields, widths)
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            lines = csv.writer(stream, lineterminator="\n")
            lines.writerow([column.heading for column in laid_out])
            yield CsvWriter(lines, fields, laid_out)

    def reader(self, source: Source) -> CsvReader:
        """Open a file for reading."""
        return CsvReader(source, "line")

    def width(self, row: Row, fields: Sequence[Field]) -> Mapping[str, int]:
        """Return the fields of a row that need several columns, with how many."""
        return sheets.width(row, fields)
