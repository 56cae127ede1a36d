"""XLSX: every cell is text, and nothing in the file tells when it was made."""

import shutil
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from dssync.core.fields import Field
from dssync.errors import UsageError
from dssync.files import sheets
from dssync.files.flaws import Flaw
from dssync.files.forms import Found, Source
from dssync.files.rows import BASE, Row
from dssync.files.sheets import SheetReader

SHEET = "items"
WIDTH = 30
TEXT = "@"
"""The number format under which a spreadsheet leaves what is typed as it is."""

MOST_ROWS = 1_048_576

BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip file can name."""


def _openpyxl(module: str) -> Any:
    try:
        return import_module(f"openpyxl{module}")
    except ModuleNotFoundError:
        raise UsageError(
            "XLSX needs one more package, openpyxl", hint="pip install 'dssync[xlsx]'"
        ) from None


class SteadyZip(zipfile.ZipFile):
    """A zip file whose entries all bear the same time."""

    def writestr(self, zinfo_or_arcname: Any, data: Any, *args: Any, **settings: Any) -> None:
        """Add an entry from memory."""
        super().writestr(_entry(str(zinfo_or_arcname)), data)

    def write(self, filename: Any, arcname: Any = None, *args: Any, **settings: Any) -> None:
        """Add an entry from a file."""
        entry = _entry(str(arcname or filename))
        with Path(filename).open("rb") as source, self.open(entry, "w", force_zip64=True) as target:
            shutil.copyfileobj(source, target)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, BEGINNING)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


@dataclass(frozen=True, slots=True)
class BookWriter:
    """Writes rows of text cells."""

    sheet: Any
    fields: Sequence[Field]
    laid_out: Sequence[sheets.Column]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def write(self, row: Row) -> None:
        """Add a row."""
        self.add(sheets.line_of(row, self.fields, self.laid_out))

    def add(self, line: Sequence[str]) -> None:
        """Add a row of cells, empty ones for empty texts. Raises UsageError for one too many."""
        if next(self.numbers) > MOST_ROWS:
            raise UsageError(
                f"a sheet of XLSX holds {MOST_ROWS:,} rows, and a dataset has more",
                hint="use --format csv, or jsonl",
            )
        self.sheet.append([self._cell(text) if text else None for text in line])

    def _cell(self, text: str) -> Any:
        cell = _openpyxl(".cell").WriteOnlyCell(self.sheet, text)
        cell.data_type, cell.number_format = "s", TEXT  # or a text after = would be a formula
        return cell


class BookReader(SheetReader):
    """Reads rows of cells, whatever types a person or a program gave them."""

    def rows(self) -> Iterator[Found | Flaw]:
        """Yield each row, or what is wrong with it."""
        load = _openpyxl("").load_workbook
        self.laid_out.clear()
        try:
            with self.source.path.open("rb") as stream:
                book = load(stream, read_only=True)
                sheet = self._sheet(book)
                if isinstance(sheet, Flaw):
                    yield sheet
                    return
                sheet.reset_dimensions()  # what a file says of its size may be wrong
                yield from self._lines(sheet)
        except (UsageError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - openpyxl raises whatever its parts raise
            yield Flaw(self.source.name, f"it is no XLSX that can be read ({_said(error)})")

    def _sheet(self, book: Any) -> Any:
        if SHEET in book.sheetnames:
            return book[SHEET]
        if len(book.sheetnames) == 1:
            return book.worksheets[0]
        if not book.sheetnames:
            return Flaw(self.source.name, "it has no sheet")
        names = ", ".join(repr(name) for name in book.sheetnames)
        return Flaw(
            self.source.name, f"which sheet holds the items? Call it {SHEET} (it has {names})"
        )

    def _lines(self, sheet: Any) -> Iterator[Found | Flaw]:
        wrong: list[Flaw] = []
        for found in self.found(self._texts(sheet, wrong)):
            yield from wrong
            wrong.clear()
            yield found
        yield from wrong

    def _texts(self, sheet: Any, wrong: list[Flaw]) -> Iterator[tuple[int, list[str]]]:
        """Yield the texts of each row; rows with a cell that has none are noted as wrong."""
        for number, row in enumerate(sheet.iter_rows(), 1):
            texts = [_text(cell) for cell in row]
            if all(isinstance(text, str) for text in texts):
                yield number, texts
                continue
            for at, text in enumerate(texts):
                if not isinstance(text, str):
                    named = self.laid_out[at].heading if at < len(self.laid_out) else ""
                    wrong.append(
                        Flaw(self.source.name, text.reason, number, sheets.letter(at), named, "row")
                    )


@dataclass(frozen=True, slots=True)
class NoText:
    """Why a cell has no text."""

    reason: str


def _text(cell: Any) -> Any:
    """Return what a cell says as text, or NoText."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return NoText("it is a formula; put its value in its place")
    if cell.data_type == "e":
        return NoText(f"it is the error {value}")
    if isinstance(value, bool):
        return str(value).upper()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _said(error: Exception) -> str:
    return str(error).strip("'\"") or type(error).__name__


class Workbooks:
    """The format `xlsx`."""

    def __init__(self) -> None:
        _openpyxl("")

    @contextmanager
    def writer(
        self, path: Path, fields: Sequence[Field], widths: Mapping[str, int]
    ) -> Iterator[BookWriter]:
        """Begin a file; it is put together when the last row is written."""
        book = _openpyxl("").Workbook(write_only=True)
        book.properties.created = book.properties.modified = datetime(*BEGINNING)
        book.properties.creator = "dssync"
        sheet = book.create_sheet(SHEET)
        laid_out = sheets.columns(fields, widths)
        for at, column in enumerate(laid_out):
            settings = sheet.column_dimensions[sheets.letter(at)]
            settings.number_format, settings.width = TEXT, WIDTH
            settings.hidden = column.name == BASE
        sheet.freeze_panes = "B2"
        writer = BookWriter(sheet, fields, laid_out)
        writer.add([column.heading for column in laid_out])
        try:
            yield writer
        except BaseException:
            sheet.close()
            sheet._writer.cleanup()  # or the file in which it keeps the rows would stay
            raise
        with SteadyZip(path, "w", zipfile.ZIP_DEFLATED) as archive:
            _openpyxl(".writer.excel").ExcelWriter(book, archive).save()

    def reader(self, source: Source) -> BookReader:
        """Open a file for reading; what openpyxl thinks of its decorations is nobody's concern."""
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        return BookReader(source, "row")

    def width(self, row: Row, fields: Sequence[Field]) -> Mapping[str, int]:
        """Return the fields of a row that need several columns, with how many."""
        return sheets.width(row, fields)
