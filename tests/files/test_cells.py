"""The convention of cells: what is written, and what else is understood."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.core.fields import KINDS
from dssync.core.values import stored_form
from dssync.files.cells import PART, BadCell, decode, encode, encode_text, is_plain, join, split
from dssync.files.escapes import UNSAFE
from tests.files import hostile

INPUT, TRACE, WHEN, DELETED = (
    KINDS["item"].by_name[name] for name in ("input", "trace_id", "trace_timestamp", "deleted")
)

FORMULA = re.compile(r"^\s*[=+\-@]|[;\t\r\n][\s\"']*[=+\-@]")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        ("null", ""),
        ('""', '""'),
        ('"What is it?"', "What is it?"),
        ('"two\\nlines"', "two\nlines"),
        ('"Ship 3 boxes to the harbour"', "Ship 3 boxes to the harbour"),
        ('"5 May 2026"', '"5 May 2026"'),
        ('"007"', '"007"'),
        ('"TRUE"', '"TRUE"'),
        ('"wahr"', '"wahr"'),
        ('"=1+1"', '"=1+1"'),
        ('"a;=1"', '"a\\u003b=1"'),
        ('" a"', '" a"'),
        ('"a\\r\\nb"', '"a\\r\\nb"'),
        ('"_x0041_"', '"_\\u00780041_"'),
        ("42", "'42"),
        ("1.0", "'1.0"),
        ("true", "'true"),
        ('{"a": "x;=1"}', '{"a":"x\\u003b=1"}'),
        ("[1, 2]", "[1,2]"),
        ('"\\u0001"', '"\\u0001"'),
    ],
)
def test_what_is_written(value: str | None, cell: str) -> None:
    assert encode(INPUT, stored_form(INPUT, value)) == cell


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("42", "42"),
        ("-1.5e3", "-1500.0"),
        ("TRUE", "true"),
        ("False", "false"),
        ("'TRUE", "true"),
        ("NULL", None),
        ("typed text", '"typed text"'),
        ("007", '"007"'),
        ("1,5", '"1,5"'),
        ("=1+1", '"=1+1"'),
        ("-", '"-"'),
        (' {"a": 1}', '" {\\"a\\": 1}"'),
        ('{ "a" : 1 }', '{"a":1}'),
    ],
)
def test_what_is_understood_in_a_json_field(cell: str, value: str | None) -> None:
    assert decode(INPUT, cell) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("", None),
        ('""', ""),
        ("'007", "007"),
        ("007", "007"),
        ('"a"', "a"),
        ("{", "{"),
        ("=1", "=1"),
    ],
)
def test_what_is_understood_in_a_text_field(cell: str, value: str | None) -> None:
    assert decode(TRACE, cell) == value


@pytest.mark.parametrize(("cell", "value"), [("TRUE", 1), ("false", 0), ("1", 1), ("'0", 0)])
def test_what_is_understood_in_a_flag(cell: str, value: int) -> None:
    assert decode(DELETED, cell) == value


@pytest.mark.parametrize("cell", ["{", "[1;2]", '"half', "'word", "'[1]", '"a" b'])
def test_what_is_refused(cell: str) -> None:
    with pytest.raises(BadCell):
        decode(INPUT, cell)


@given(hostile.json_values.map(json.dumps))
def test_a_cell_of_json_runs_nowhere_and_comes_back(text: str) -> None:
    form = stored_form(INPUT, text)
    cell = encode(INPUT, form)
    assert not FORMULA.search(cell)
    assert not UNSAFE.search(cell.replace("\n", ""))
    assert stored_form(INPUT, decode(INPUT, cell)) == form


@given(hostile.texts)
def test_a_cell_of_text_runs_nowhere_and_comes_back(text: str) -> None:
    cell = encode_text(text)
    assert not FORMULA.search(cell)
    assert not UNSAFE.search(cell.replace("\n", ""))
    assert (decode(TRACE, cell) or "") == text
    assert cell != ""


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()


@given(st.dates() | st.datetimes() | st.times() | numbers)
def test_what_a_spreadsheet_would_convert_is_never_plain(value: object) -> None:
    assert not is_plain(str(value))
    assert not is_plain(f"{value:%d %B %Y}" if hasattr(value, "year") else str(value))


@given(st.integers(0, 3 * PART + 2), st.sampled_from("a…\n =;"))
def test_parts_are_joined_again(length: int, character: str) -> None:
    cell = "x" + character * length + "y"
    parts = split(cell)
    assert join([*parts, ""]) == cell
    assert all(len(part.encode("utf-16-le")) // 2 <= 32_767 for part in parts)
    if len(parts) > 1:
        with pytest.raises(BadCell):
            join([parts[0], "", *parts[2:]])
