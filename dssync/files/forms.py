"""What every format can do: write rows, and find rows in a file that anybody may have edited."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dssync.core.fields import Field, Stored
from dssync.files.flaws import Flaw
from dssync.files.rows import Row

Values = dict[str, Stored]


@dataclass(frozen=True, slots=True)
class Found:
    """A row as it stands in a file; `raw` is its format's own, read further only when it differs.

    `id` and `base` are None where they are empty or left out.
    """

    line: int
    id: str | None
    base: str | None
    raw: Any


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read: where it is, what it is called in sentences, and the fields it may have."""

    path: Path
    name: str
    fields: Sequence[Field]


class Writer(Protocol):
    """Writes the rows of one file."""

    def write(self, row: Row) -> None:
        """Add a row."""
        ...


class Reader(Protocol):
    """Finds the rows of one file."""

    def rows(self) -> Iterator[Found | Flaw]:
        """Yield each row, or what is wrong with it."""
        ...

    def same(self, found: Found, row: Row) -> bool:
        """Tell whether a row stands in the file as the export would write it."""
        ...

    def values(self, found: Found) -> tuple[Values, list[Flaw]]:
        """Return the fields that a row gives, and what is wrong with others."""
        ...

    def flaw(self, line: int, field: str, reason: str) -> Flaw:
        """Say what is wrong with a field of a row."""
        ...


class Form(Protocol):
    """One format. A writer is told the number of columns of each field that needs several."""

    def writer(
        self, path: Path, fields: Sequence[Field], widths: Mapping[str, int]
    ) -> AbstractContextManager[Writer]:
        """Begin a file."""
        ...

    def reader(self, source: Source) -> Reader:
        """Open a file for reading; it is read when its rows are asked for."""
        ...

    def width(self, row: Row, fields: Sequence[Field]) -> Mapping[str, int]:
        """Return the fields of a row that need several columns, with how many."""
        ...


def form_of(suffix: str) -> Form:
    """Return a format by its suffix. Raises UsageError for XLSX where its package is missing."""
    if suffix == "jsonl":
        from dssync.files.jsonl import JsonLines

        return JsonLines()
    if suffix == "csv":
        from dssync.files.separated import Separated

        return Separated()
    from dssync.files.workbook import Workbooks

    return Workbooks()
