"""Laws of values, with the sandbox's own storage as the judge of what a server would keep."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dssync.core.fields import KINDS
from dssync.core.values import (
    BadJson,
    canonical,
    canonical_time,
    dump,
    equal,
    normal,
    parse,
    poison,
    stored_form,
)
from dssync.sandbox import jsonb

METADATA = KINDS["dataset"].by_name["metadata"]
NAME = KINDS["dataset"].by_name["name"]

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, max_value=1e19, min_value=-9e18)
NUMBERS = (
    st.integers(-(2**63), 2**64 - 1)
    | FLOATS
    | st.sampled_from([0, 1, 0.0, -0.0, 1.0, 1e16, 10**16, 1e2, 9.999999999999999e15])
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


@st.composite
def spelled(draw: st.DrawFn, values: st.SearchStrategy[Any] = VALUES) -> tuple[Any, str]:
    """Draw a value and one of the many texts that mean it."""
    value = draw(values)
    text = json.dumps(
        value,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.none() | st.integers(0, 2)),
        sort_keys=draw(st.booleans()),
    )
    return value, draw(st.sampled_from(["", " ", "\n"])) + text


def shown(value: object) -> str:
    """Return what the server shows of a value once it is stored."""
    return jsonb.store(value).stored


@given(spelled())
def test_the_canonical_text_is_canonical(drawn: tuple[Any, str]) -> None:
    text = canonical(drawn[1])
    assert canonical(text) == text
    assert poison(parse(text)) is None


@given(spelled())
def test_it_stands_for_what_the_server_shows(drawn: tuple[Any, str]) -> None:
    value, text = drawn
    assert canonical(text) == canonical(shown(value))
    assert equal(METADATA, text, shown(value))


@given(st.lists(spelled(), min_size=2, max_size=2))
def test_equal_says_what_the_server_would_say(pair: list[tuple[Any, str]]) -> None:
    (left, left_text), (right, right_text) = pair
    assert equal(METADATA, left_text, right_text) == (shown(left) == shown(right))


NEAR = st.sampled_from(
    [
        *(None, "null", "0", "0.0", "-0.0", "-0", "false", "1", "1.0", "1e0", "true", '"1"', '""'),
        *("{}", "[]", "1e16", "10000000000000000", "{", "nonsense", "NaN"),
        *('{"a":1,"b":2}', '{"b":2,"a":1}', '{"a":1.0,"b":2}'),
    ]
)


@given(NEAR, NEAR, NEAR)
def test_equal_is_an_equivalence(a: str | None, b: str | None, c: str | None) -> None:
    assert equal(METADATA, a, a)
    assert equal(METADATA, a, b) == equal(METADATA, b, a)
    if equal(METADATA, a, b) and equal(METADATA, b, c):
        assert equal(METADATA, a, c)


KINDS_OF_VALUE = [None, False, True, 0, 1, 0.0, 1.0, "", "0", "1", [], [0], {}, {"": 0}]


@given(st.sampled_from(KINDS_OF_VALUE), st.sampled_from(KINDS_OF_VALUE))
def test_equal_is_strict_about_types(left: Any, right: Any) -> None:
    alike = type(left) is type(right) and left == right
    assert equal(METADATA, json.dumps(left), json.dumps(right)) == alike
    assert equal(METADATA, json.dumps({"x": [left]}), json.dumps({"x": [right]})) == alike


@given(VALUES)
def test_poison_is_what_the_sandbox_cannot_show(value: Any) -> None:
    assert poison(value) is None
    assert not jsonb.store(value).poison


@given(
    st.integers(-(2**80), 2**80)
    | st.floats(1e15, 1e25)
    | st.floats(-1e25, -1e15)
    | st.sampled_from([2**64, -(2**63) - 1, 1.8446744073709552e19, -9.223372036854776e18])
)
def test_numbers_are_poison_exactly_where_the_sandbox_says(number: float) -> None:
    assert (poison([number]) is not None) == jsonb.store([number]).poison


@given(st.integers(248, 256), st.booleans())
def test_nesting_is_poison_exactly_where_the_sandbox_says(levels: int, objects: bool) -> None:
    opening, closing = ('{"a":', "}") if objects else ("[", "]")
    value = parse(opening * levels + "1" + closing * levels)
    assert (poison(value) is not None) == jsonb.store(value).poison


@given(st.text(max_size=30) | TEXTS.map(json.dumps))
def test_any_text_is_read_or_refused_and_compared(text: str) -> None:
    try:
        parse(text)
    except BadJson:
        assert stored_form(METADATA, text) == text
    else:
        assert canonical(dump(normal(parse(text)))) == canonical(text)
    assert equal(METADATA, text, text)


@given(st.datetimes(timezones=st.timezones() | st.none()))
def test_times_are_canonical(moment: Any) -> None:
    try:
        text = canonical_time(moment.isoformat())
    except ValueError:
        return
    assert text.endswith("Z")
    assert canonical_time(text) == text


@given(st.text(max_size=8))
def test_trimmed_text_equals_its_trimmed_form(text: str) -> None:
    assert equal(NAME, text, text.strip())
    assert equal(NAME, f"\u3000{text}\t", text)
