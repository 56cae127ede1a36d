"""What is written as YAML reads back as the same value, and what is typed means what it says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.core.join import same
from dssync.core.values import Json
from dssync.files.yamltext import BadYaml, read
from dssync.files.yamlwriter import LONGEST_KEY, write

TRAPS = re.split(
    r" +",
    "no on yes y n off null Null ~ true TRUE 1 1.0 -0.0 1e3 0123 0x1F 0o17 1_000 +1 .5 1. NaN .nan"
    " .inf -Infinity 2026-11-23 12:30:45 << = ? - --- ... ! & * @ ` % | > [] {} # : , a: #b",
)
SHAPES = [
    "", " ", "\t", "\n", "\r", "\r\n", "\x85", "\u2028", "\ufeff", "\x00", "\ud800", "👩‍🚀", "é",
    " lead", "trail ", "a\n", "a\n\n", "\na", "\n\n", "a\n b", " a\nb", "a \nb", "a\t\nb", "\ta\nb",
    "a\r\nb", "a\n\nb", "a\n\tb", "a: b", "a #b", "- a", "'", '"', "\\", "# no\n# remark", "---\na",
    "x" * 5000, "long " * 50, "a\n...\nb", "a\n---\nb", "key:\n  value",
]  # fmt: skip
SIGNS = st.sampled_from("\n\t \r\x85\u2028:#-'\"|>&*!%@`{}[],?~=<0 1ne")
TEXTS = st.text(st.characters() | SIGNS) | st.sampled_from([*TRAPS, *SHAPES])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def comes_back(value: Json) -> None:
    back = read(write(value)).value
    assert same(back, value), write(value)
    assert repr(back) == repr(value)  # the order of keys, and the sign of zero


@given(VALUES)
def test_what_is_written_reads_back(value: Json) -> None:
    comes_back(value)


@pytest.mark.soak
@given(VALUES)
def test_what_is_written_reads_back_again_and_again(value: Json) -> None:
    comes_back(value)


@pytest.mark.parametrize("text", [*TRAPS, *SHAPES], ids=lambda text: ascii(text)[:20])
def test_text_stays_text_wherever_it_stands(text: str) -> None:
    comes_back([text, {text: text}, {"deep": [[text, {text: [text]}]]}])


def test_nothing_is_nested_too_deeply() -> None:
    value: Json = {"long": {"k" * LONGEST_KEY * 2: 1}}
    for level in range(500):
        value = [value] if level % 2 else {"a": value, "k" * LONGEST_KEY * 2: 1}
    assert read(write(value)).value == value


def test_long_text_and_text_of_several_lines_stand_as_blocks() -> None:
    value: Json = {"ask": "two\nlines\n", "no": "no", "long": "word " * 20 + "end", "n": 1.0}
    long = "word " * 20 + "end"
    expected = f'ask: |\n  two\n  lines\n"no": "no"\nlong: |-\n  {long}\n"n": 1.0\n'
    assert write(value) == expected


def test_nothing_that_an_editor_would_hide_is_written_as_it_is() -> None:
    hidden = "\x1b[31m\x85\u202e\u2066\u200b\u2028\ufeff\xa0\U000e0041"
    assert all(c == "\n" or c.isprintable() for c in write({hidden: [hidden]}))


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("no", "no"), ("on", "on"), ("0123", "0123"), ("2026-11-23", "2026-11-23"),
        ("0x1F", "0x1F"), ("1_000", "1_000"), ("12:30:45", "12:30:45"), ("<<", "<<"),
        ("1e3", 1000.0), ("1.0", 1.0), ("1", 1), ("+1", 1), (".5", 0.5), ("-0.0", -0.0),
        ("18446744073709551616", 2**64), ("null", None), ("~", None), ("", None), ("True", True),
        ("'null'", "null"), ('""', ""), ("!!str 12", "12"), ("! 12", "12"),
        ("{1: a, ~: b, true: c}", {"1": "a", "~": "b", "true": "c"}),
        ("? 2026-11-23\n: a", {"2026-11-23": "a"}), ('"\\ud83d\\ude00"', "😀"),
        ("[1, # one\n 2]", [1, 2]), (">-\n  a\n  b", "a b"), ('{"a":1}', {"a": 1}),
    ],
)  # fmt: skip
def test_what_is_typed(typed: str, means: Json) -> None:
    assert repr(read(typed).value) == repr(means)


@pytest.mark.parametrize(
    ("typed", "line", "reason"),
    [
        ("a: 1\nb: 2\na: 3", 3, "stands twice"),
        ('a: 1\n"a": 3', 2, "stands twice"),
        ("a:\n  - .nan", 2, "no number that JSON has"),
        ("a:\n  - -Infinity", 2, "no number that JSON has"),
        ("a:\n\n  b: 1e400", 3, "too large a number"),
        (f"a:\n  b: {'9' * 5000}", 2, "too many digits"),
        ("a: &x 1\nb: *x", 1, "needs quotes"),
        ("b: *x", 1, "needs quotes"),
        ("a: 1\nb: !!set {x}", 2, "needs quotes"),
        ("a: 1\n[x]: 2", 2, "a name is a text"),
        ("a: 1\n: 2", 2, "expected <block end>"),
        ("? \n: 2", 1, "no name before the colon"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("a: 1\n\tb: 2", 2, "cannot start any token"),
        ("a: 1\nb: c: d", 2, "mapping values are not allowed"),
        ("a: 1\nb: 'x\nc: 2", 2, "quoted scalar"),
        ("a: 1\nb: \x07", 2, "U+0007"),
        ("a: 1\nb: @x", 2, "cannot start any token"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_line(typed: str, line: int, reason: str) -> None:
    with pytest.raises(BadYaml) as caught:
        read(typed)
    assert reason in caught.value.reason
    assert caught.value.line == line


def test_the_line_of_each_thing_is_known() -> None:
    lines = read("# remark\na: 1\nitems:\n- b: |\n    x\n    y\n  c: 2\n- d: 3\n").lines
    assert lines["a",] == 2
    assert lines["items", 0] == 4
    assert (lines["items", 0, "b"], lines["items", 0, "c"]) == (4, 7)
    assert lines["items", 1, "d"] == 8
