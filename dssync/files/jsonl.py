"""JSON Lines: one item a line, its fields in one order, so that an edit changes one line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from dssync.core.fields import Field
from dssync.core.values import BadJson, dump
from dssync.files import objects
from dssync.files.escapes import visible
from dssync.files.flaws import Flaw
from dssync.files.forms import Found, Source, Values
from dssync.files.rows import BASE, ID, Row

BOM = b"\xef\xbb\xbf"


def line_of(row: Row, fields: Sequence[Field]) -> str:
    """Write a row as its line."""
    parts = [f'"{ID}":{visible(dump(row.id))}']
    parts += [
        f'"{field.name}":{objects.text_of(field, row.values[field.name])}'
        for field in fields
        if field.name in row.values
    ]
    parts.append(f'"{BASE}":"{row.base}"')
    return "{" + ",".join(parts) + "}"


@dataclass(frozen=True, slots=True)
class LineWriter:
    """Writes lines."""

    stream: BinaryIO
    fields: Sequence[Field]

    def write(self, row: Row) -> None:
        """Add a row."""
        self.stream.write(line_of(row, self.fields).encode() + b"\n")


@dataclass(slots=True)
class LineReader:
    """Reads lines; what stands as it was written is not read any further."""

    source: Source
    _line: int = field(default=0)

    def rows(self) -> Iterator[Found | Flaw]:
        """Yield each row, or what is wrong with it; blank lines are none."""
        with self.source.path.open("rb") as stream:
            for line, raw in enumerate(stream, 1):
                text = raw.removeprefix(BOM) if line == 1 else raw
                if text.strip():
                    yield self._found(line, text)

    def _found(self, line: int, raw: bytes) -> Found | Flaw:
        try:
            text = raw.decode().strip("\r\n")
            value = json.loads(text)
            if not isinstance(value, dict):
                raise BadJson("it is no JSON object")
            return Found(line, objects.name_of(value, ID), objects.name_of(value, BASE), text)
        except json.JSONDecodeError as error:
            return Flaw(self.source.name, f"it is not JSON ({error.msg})", line, str(error.colno))
        except UnicodeDecodeError as error:
            return Flaw(self.source.name, "it is not UTF-8", line, str(error.start + 1))
        except RecursionError:
            return Flaw(self.source.name, "it is nested too deeply", line)
        except ValueError as error:  # BadJson, or a number of more digits than Python reads
            return Flaw(self.source.name, str(error), line)

    def same(self, found: Found, row: Row) -> bool:
        """Tell whether a row stands in the file as the export would write it."""
        return bool(found.raw == line_of(row, self.source.fields))

    def values(self, found: Found) -> tuple[Values, list[Flaw]]:
        """Return the fields that a row gives, and what is wrong with others."""
        try:
            whole: dict[str, Any] = objects.read(found.raw)
        except BadJson as error:
            return {}, [self.flaw(found.line, "", str(error))]
        values, bad = objects.values_of(whole, self.source.fields)
        return values, [self.flaw(found.line, each.field, each.reason) for each in bad]

    def flaw(self, line: int, field: str, reason: str) -> Flaw:
        """Say what is wrong with a field of a row."""
        return Flaw(self.source.name, reason, line, field=field)


class JsonLines:
    """The format `jsonl`."""

    @contextmanager
    def writer(
        self, path: Path, fields: Sequence[Field], widths: Mapping[str, int]
    ) -> Iterator[LineWriter]:
        """Begin a file."""
        with path.open("wb") as stream:
            yield LineWriter(stream, fields)

    def reader(self, source: Source) -> LineReader:
        """Open a file for reading."""
        return LineReader(source)

    def width(self, row: Row, fields: Sequence[Field]) -> Mapping[str, int]:
        """Return nothing: a line may be as long as it is."""
        return {}
