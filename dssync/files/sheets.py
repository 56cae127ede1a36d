"""Rows and cells, as CSV and XLSX have them in common: the heading, and what stands under it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dssync.core.fields import KINDS, Field
from dssync.files import cells
from dssync.files.cells import BadCell
from dssync.files.flaws import Flaw
from dssync.files.forms import Found, Source, Values
from dssync.files.rows import BASE, DELETED, ID, Row

_HEADING = re.compile(r"\s*([a-z_]+)(?: \(([0-9]+)\))?\s*\Z")
_DELETED = KINDS["item"].by_name[DELETED]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: a field's name, and which part of a long value it holds, from 1."""

    name: str
    part: int = 1

    @property
    def heading(self) -> str:
        """Write what stands above it."""
        return self.name if self.part == 1 else f"{self.name} ({self.part})"


def columns(fields: Sequence[Field], widths: Mapping[str, int]) -> list[Column]:
    """Lay out the columns of a file."""
    parts = [
        Column(field.name, part)
        for field in fields
        for part in range(1, widths.get(field.name, 1) + 1)
    ]
    return [Column(ID), *parts, Column(BASE)]


def cells_of(row: Row, fields: Sequence[Field]) -> dict[str, list[str]]:
    """Return the cells of a row by field, each cut into its parts."""
    laid_out = {ID: [cells.encode_text(row.id)], BASE: [row.base]}
    for each in fields:
        held = each.name in row.values
        cell = cells.encode(each, row.values[each.name]) if held else cells.KEEP
        laid_out[each.name] = cells.split(cell)
    return laid_out


def line_of(row: Row, fields: Sequence[Field], laid_out: Sequence[Column]) -> list[str]:
    """Return the cells of a row in the order of the columns."""
    parts = cells_of(row, fields)
    return [
        parts[column.name][column.part - 1] if column.part <= len(parts[column.name]) else ""
        for column in laid_out
    ]


def width(row: Row, fields: Sequence[Field]) -> Mapping[str, int]:
    """Return the fields of a row that need several columns, with how many."""
    found = cells_of(row, fields)
    return {name: len(parts) for name, parts in found.items() if len(parts) > 1}


def letter(number: int) -> str:
    """Name a column as a spreadsheet does; 0 is A."""
    name = ""
    while number >= 0:
        name = chr(ord("A") + number % 26) + name
        number = number // 26 - 1
    return name


@dataclass(slots=True)
class SheetReader:
    """Reads what a format found as lists of cells, the heading first."""

    source: Source
    unit: str
    laid_out: list[Column] = field(default_factory=list)

    def found(self, lines: Iterator[tuple[int, Sequence[str]]]) -> Iterator[Found | Flaw]:
        """Yield each row, or what is wrong with it; empty rows are none."""
        first = next(lines, None)
        if first is None:
            yield Flaw(self.source.name, "it has no heading", 1, unit=self.unit)
            return
        wrong = list(self._head(*first))
        yield from wrong
        if wrong:
            return
        for number, line in lines:
            if any(line):
                yield self._row(number, line)

    def _head(self, number: int, line: Sequence[str]) -> Iterator[Flaw]:
        """Read the heading; an unknown or doubled column would otherwise be lost in silence."""
        known = [ID, *(field.name for field in self.source.fields), DELETED, BASE]
        while line and not line[-1].strip():
            line = line[:-1]
        for at, heading in enumerate(line):
            read = _HEADING.match(heading)
            column = Column(read[1], int(read[2] or 1)) if read else Column(heading)
            place = Flaw(self.source.name, "", number, letter(at), heading, self.unit)
            if column.name not in known:
                yield _because(place, f"there is no such field; there are {', '.join(known)}")
            elif column in self.laid_out:
                yield _because(place, "the column stands twice")
            elif column.part > 1 and Column(column.name, column.part - 1) not in self.laid_out:
                yield _because(place, f"the column before it, part {column.part - 1}, is missing")
            self.laid_out.append(column)
        if BASE in line and ID not in line:
            yield Flaw(
                self.source.name,
                "the column id is missing, so every row would be made anew; without the column"
                " base as well, that is what is done",
                number,
                unit=self.unit,
            )

    def _row(self, number: int, line: Sequence[str]) -> Found | Flaw:
        count = len(self.laid_out)
        if any(line[count:]):
            return self._wrong(number, count, f"there is more than the {count} columns")
        named = {
            column: line[at] if at < len(line) else "" for at, column in enumerate(self.laid_out)
        }
        try:
            id = cells.decode_text(named.get(Column(ID), ""))
        except BadCell as error:
            return self.flaw(number, ID, str(error))
        if len(line) < count and id is not None:
            return self._wrong(
                number, len(line), f"the row ends after {len(line)} of {count} columns"
            )
        return Found(number, id, named.get(Column(BASE), "").strip() or None, named)

    def _wrong(self, number: int, at: int, reason: str) -> Flaw:
        return Flaw(self.source.name, reason, number, letter(at), unit=self.unit)

    def same(self, found: Found, row: Row) -> bool:
        """Tell whether a row stands in the file as the export would write it."""
        parts = cells_of(row, self.source.fields)
        if DELETED in {column.name for column in found.raw}:
            return False
        given: dict[str, list[str]] = {}
        for column, cell in found.raw.items():
            given.setdefault(column.name, []).append(cell)
        return all(
            given[name][: len(parts[name])] == parts[name]
            and not any(given[name][len(parts[name]) :])
            for name in given
        )

    def values(self, found: Found) -> tuple[Values, list[Flaw]]:
        """Return the fields that a row gives, and what is wrong with others."""
        fields = {**{field.name: field for field in self.source.fields}, DELETED: _DELETED}
        parts: dict[str, list[str]] = {}
        for column, cell in found.raw.items():
            parts.setdefault(column.name, []).append(cell)
        values: Values = {}
        wrong: list[Flaw] = []
        for name, field_ in fields.items():
            try:
                cell = cells.join(parts[name]) if name in parts else cells.KEEP
                if cell != cells.KEEP:
                    values[name] = cells.decode(field_, cell)
            except BadCell as error:
                wrong.append(self.flaw(found.line, name, str(error)))
        return values, wrong

    def flaw(self, line: int, field: str, reason: str) -> Flaw:
        """Say what is wrong with a field of a row."""
        at = self.laid_out.index(Column(field)) if Column(field) in self.laid_out else None
        column = "" if at is None else letter(at)
        return Flaw(self.source.name, reason, line, column, field, self.unit)


def _because(place: Flaw, reason: str) -> Flaw:
    return Flaw(place.file, reason, place.line, place.column, place.field, place.unit)
