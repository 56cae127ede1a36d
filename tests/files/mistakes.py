"""A hundred ways to spoil an export: what is done to which file, and where the sentence points.

Each case: a name, the file, what its text becomes, and the parts that the sentence must have.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.files.desk import BILLING, SUPPORT
from tests.mirror.served import D2, I1, I2, I3

Spoil = Callable[[bytes], bytes]

J, C, X, D = f"{SUPPORT}.jsonl", f"{SUPPORT}.csv", f"{SUPPORT}.xlsx", f"{SUPPORT}.json"


@dataclass(frozen=True)
class Mistake:
    name: str
    suffix: str
    file: str
    spoil: Spoil
    said: tuple[str, ...]


def swap(old: str, new: str) -> Spoil:
    """Replace a text that stands there."""

    def spoil(content: bytes) -> bytes:
        assert old.encode() in content, old
        return content.replace(old.encode(), new.encode("utf-8", "surrogatepass"), 1)

    return spoil


def become(content: bytes) -> Spoil:
    return lambda _: content


def add(text: str) -> Spoil:
    return lambda content: content + text.encode()


def row(id: str, field: str, value: str) -> Spoil:
    """Give a row of JSON Lines another value, as JSON text."""

    def spoil(content: bytes) -> bytes:
        lines = content.decode().splitlines()
        at = next(n for n, line in enumerate(lines) if id in line)
        head, _, rest = lines[at].partition(f'"{field}":')
        tail = rest[rest.index(',"') :] if ',"' in rest else "}"
        lines[at] = f'{head}"{field}":{value}{tail}'
        return ("\n".join(lines) + "\n").encode()

    return spoil


def cell(line: int, column: int, text: str) -> Spoil:
    """Give a CSV file, none of whose cells has a comma, another cell."""

    def spoil(content: bytes) -> bytes:
        lines = content.decode().splitlines()
        cells = lines[line - 1].split(",")
        cells[column] = text
        lines[line - 1] = ",".join(cells)
        return ("\n".join(lines) + "\n").encode()

    return spoil


def book(edit: Callable[[Any], object]) -> Spoil:
    """Edit an XLSX file as a person would."""

    def spoil(content: bytes) -> bytes:
        from openpyxl import load_workbook

        opened = load_workbook(io.BytesIO(content))
        edit(opened["items"])
        out = io.BytesIO()
        opened.save(out)
        return out.getvalue()

    return spoil


def put(place: str, value: object) -> Spoil:
    return book(lambda sheet: sheet.__setitem__(place, value))


def without_part(name: str) -> Spoil:
    """Take a part out of an XLSX file."""

    def spoil(content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
            for part in old.namelist():
                if part != name:
                    new.writestr(part, old.read(part))
        return out.getvalue()

    return spoil


JSONL_SYNTAX = [
    ("cut in the middle", lambda c: c[:-60], ("line 2", "column")),
    ("no closing brace", swap("}\n", "\n"), ("line 1", "column")),
    ("a comma too many", swap('"base"', ',"base"'), ("line 1", "column")),
    ("single quotes", swap('"id"', "'id'"), ("line 1", "column 2")),
    ("two objects on a line", swap("}\n{", "}{"), ("line 1", "column")),
    ("a list", become(b"[]\n"), ("line 1", "no JSON object")),
    ("a number", become(b"12\n"), ("line 1", "no JSON object")),
    ("plain text", become(b"hello\n"), ("line 1", "column 1")),
    ("a conflict of Git", swap("{", "<<<<<<< HEAD\n{"), ("line 1", "column 1")),
    ("not UTF-8", swap('"q"', '"\udcff"'), ("line 1", "not UTF-8")),
    ("UTF-16", lambda c: c.decode().encode("utf-16"), ("line 1", "not UTF-8")),
    ("NaN", row(I1, "input", "NaN"), ("line 1", "NaN")),
    ("Infinity", row(I1, "input", "-Infinity"), ("line 1", "Infinity")),
    ("a bare word", row(I1, "input", "yes"), ("line 1", "column")),
    ("a raw line break", row(I1, "input", '"a\tb"'), ("line 1", "column")),
    ("a bad escape", row(I1, "input", '"\\q"'), ("line 1", "column")),
    ("nested too deeply", row(I1, "input", "[" * 5000 + "]" * 5000), ("line 1", "deep")),
    ("too many digits", row(I1, "input", "1" * 5000), ("line 1",)),
    ("a field twice", swap('"input"', '"input":1,"input"'), ("line 1", '"input" stands twice')),
    ("an inner name twice", row(I1, "input", '{"a":1,"a":2}'), ("line 1", '"a" stands twice')),
]

JSONL_VALUES = [
    ("an unknown field", swap('"input"', '"imput"'), ("line 1 (imput)", "no such field")),
    ("a field of the server", add('{"created_at":"x"}\n'), ("line 3 (created_at)",)),
    ("a field of the other contract", add('{"source_output":1}\n'), ("line 3 (source_output)",)),
    ("a parent", add(f'{{"dataset":"{D2}"}}\n'), ("line 3 (dataset)", "no such field")),
    ("a number for a text", row(I1, "trace_id", "12"), ("line 1 (trace_id)", "neither text")),
    ("a list for a text", row(I2, "event_id", "[]"), ("line 2 (event_id)", "neither text")),
    ("a long text", row(I1, "trace_id", f'"{"a" * 256}"'), ("(trace_id)", "256 characters")),
    ("a NUL", row(I1, "trace_id", '"\\u0000"'), ("(trace_id)", "U+0000")),
    ("half a pair", row(I1, "trace_id", '"\\ud800"'), ("(trace_id)", "surrogate")),
    ("a NUL inside JSON", row(I1, "input", '["\\u0000"]'), ("(input)", "U+0000")),
    ("half a pair inside JSON", row(I1, "input", '["\\udfff"]'), ("(input)", "surrogate")),
    ("an integer beyond 64 bits", row(I1, "input", str(2**64)), ("(input)", "64 bits")),
    ("a number too large", row(I1, "metadata", "[1e400]"), ("(metadata)", "too large")),
    ("nested 252 levels", row(I1, "input", "[" * 252 + "]" * 252), ("(input)", "252 levels")),
    ("no time", row(I1, "trace_timestamp", '"yesterday"'), ("(trace_timestamp)", "ISO 8601")),
    ("a month 13", row(I1, "trace_timestamp", '"2026-13-01"'), ("(trace_timestamp)", "ISO 8601")),
    ("an unknown id", swap(I1, I1.replace("0199", "0288")), ("line 1 (id)", "holds no item")),
    ("an unknown new id", swap(I1, "new-0123456789abcdef"), ("line 1 (id)", "holds no item")),
    ("a number for an id", swap(f'"{I1}"', "7"), ("line 1", "id is neither text")),
    ("an id twice", lambda c: c + c.splitlines()[0] + b"\n", ("line 3 (id)", "twice")),
    ("another dataset's item", add(f'{{"id":"{I3}"}}\n'), ("(id)", I3, "twice")),
    ("a base of nonsense", row(I1, "base", '"zzz"'), ("line 1 (base)", "not the base")),
    ("a base cut short", row(I2, "base", '"bAAAA"'), ("line 2 (base)", "not the base")),
    ("deleted by a word", add('{"deleted":"yes"}\n'), ("line 3 (deleted)", "neither true")),
    ("a new row that is deleted", add('{"deleted":true}\n'), ("line 3 (deleted)", "new record")),
]

DATASET = [
    ("empty", become(b""), ("line 1", "column 1")),
    ("a list", become(b"[]"), ("no JSON object",)),
    ("cut in the middle", lambda c: c[:40], ("line 2", "column")),
    ("a comma too many", swap('"base"', ',"base"'), ("line 6", "column")),
    ("not UTF-8", lambda c: c.replace(b"Support", b"\xff"), ("line 3", "not UTF-8")),
    ("an unknown field", swap('"description"', '"descripton"'), ("line 4 (descripton)",)),
    ("a name of null", swap('"Support"', "null"), ("line 3 (name)", "cannot be null")),
    ("a blank name", swap('"Support"', '" \\u3000"'), ("line 3 (name)", "blank")),
    ("a long name", swap('"Support"', f'"{"n" * 401}"'), ("line 3 (name)", "401 characters")),
    ("a number for a name", swap('"Support"', "12"), ("line 3 (name)", "neither text")),
    ("a NUL in the name", swap('"Support"', '"\\u0000"'), ("line 3 (name)", "U+0000")),
    ("an object for a text", swap('"description": null', '"description": {}'), ("line 4",)),
    ("a number too large", swap('"metadata": null', '"metadata": 1e999'), ("line 5 (metadata)",)),
    ("an unknown id", swap("0199d001", "0299d001"), ("line 2 (id)", "holds no dataset")),
    ("another's id", swap("0199d001-0000-7000-8000-000000000001", D2), ("(id)", "twice")),
    ("a base of nonsense", swap('"base": "b', '"base": "c'), ("line 6 (base)", "not the base")),
    ("a field twice", swap('"name"', '"name": "a",\n  "name"'), ('"name" stands twice',)),
    ("an inner name twice", swap('"metadata": null', '"metadata": {"a":1,"a":2}'), ('"a" stands',)),
    ("a new one without a name", become(b'{"description": "x"}'), ("line 1 (name)", "needs it")),
    ("a bare word", swap('"description": null', '"description": None'), ("line 4", "column")),
]

CSV_CASES = [
    ("no heading", become(b""), ("line 1", "no heading")),
    ("an unknown column", cell(1, 1, "imput"), ("line 1", "column B (imput)", "no such field")),
    ("a column of one's own", cell(1, 3, "Notes"), ("line 1", "column D (Notes)", "no such")),
    ("a column twice", cell(1, 2, "input"), ("line 1", "column C (input)", "twice")),
    ("a continuation alone", cell(1, 2, "input (3)"), ("line 1", "part 2, is missing")),
    ("the id column gone", cell(1, 0, "trace_id"), ("line 1",)),
    ("a row too short", lambda c: c.replace(b",,,b", b",b", 1), ("line 2",)),
    ("a row too long", add(",,,,,,,,,more\n"), ("line 4", "column I", "more than the 8 columns")),
    ("an open quote", add('"open\n'), ("line 4", "not CSV")),
    ("text after a quote", add('"a"b,\n'), ("line 4", "not CSV")),
    ("not UTF-8", lambda c: c.replace(b"q", b"\xe9", 1), ("line 2", "not UTF-8")),
    ("UTF-16", lambda c: c.decode("utf-8-sig").encode("utf-16"), ("line 1", "not UTF-8")),
    ("broken JSON", cell(2, 1, "{broken"), ("line 2", "column B (input)", "not JSON")),
    ("a broken list", cell(3, 2, "[1;"), ("line 3", "column C (expected_output)", "not JSON")),
    ("half a quote", cell(2, 1, '"""half"'), ("line 2", "column B (input)", "not JSON")),
    (
        "text behind an apostrophe",
        cell(2, 1, "'word"),
        (
            "line 2",
            "column B (input)",
        ),
    ),
    (
        "a quoted number in a text",
        cell(2, 4, '"""a"" b"'),
        (
            "line 2",
            "column E (trace_id)",
        ),
    ),
    ("a time as a spreadsheet has it", cell(2, 6, "11/23/26"), ("column G (trace_timestamp)",)),
    ("a long text", cell(2, 4, "a" * 300), ("line 2", "column E (trace_id)", "300 characters")),
    ("an unknown id", cell(2, 0, I3.replace("0199", "0288")), ("line 2", "column A (id)")),
    ("an id twice", lambda c: c + c.splitlines()[1] + b"\n", ("line 4", "column A (id)", "twice")),
    ("an integer beyond 64 bits", cell(2, 1, str(2**64)), ("column B (input)", "64 bits")),
]

XLSX_CASES = [
    ("no zip file", become(b"id,input"), ("no XLSX",)),
    ("empty", become(b""), ("no XLSX",)),
    ("cut in the middle", lambda c: c[:-400], ("no XLSX",)),
    ("without its sheet", without_part("xl/worksheets/sheet1.xml"), ("no sheet",)),
    ("without its workbook", without_part("xl/workbook.xml"), ("no XLSX",)),
    ("a formula", put("B2", "=1+1"), ("row 2", "column B (input)", "a formula")),
    ("an error", put("B3", "#N/A"), ("row 3", "column B (input)", "#N/A")),
    ("an unknown column", put("B1", "imput"), ("row 1", "column B (imput)", "no such field")),
    ("broken JSON", put("D2", "{"), ("row 2", "column D (metadata)", "not JSON")),
    ("a time that is none", put("G2", 12), ("row 2", "column G (trace_timestamp)", "ISO 8601")),
    ("an unknown id", put("A2", "new-ffffffffffffffff"), ("row 2", "column A (id)")),
    ("an id twice", put("A3", I1), ("row 3", "column A (id)", "twice")),
    ("a heading gone", book(lambda s: s.delete_rows(1, 3)), ("row 1",)),
]

MISTAKES = [
    *(Mistake(f"jsonl, {name}", "jsonl", J, spoil, said) for name, spoil, said in JSONL_SYNTAX),
    *(Mistake(f"jsonl, {name}", "jsonl", J, spoil, said) for name, spoil, said in JSONL_VALUES),
    *(Mistake(f"dataset, {name}", "jsonl", D, spoil, said) for name, spoil, said in DATASET),
    *(Mistake(f"csv, {name}", "csv", C, spoil, said) for name, spoil, said in CSV_CASES),
    *(Mistake(f"xlsx, {name}", "xlsx", X, spoil, said) for name, spoil, said in XLSX_CASES),
]

__all__ = ["BILLING", "MISTAKES", "Mistake"]
