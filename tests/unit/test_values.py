"""Values as the server stores them: one named case for every row of what was measured."""

import json
from dataclasses import dataclass

import pytest

from dssync.core.fields import KINDS, Stored
from dssync.core.values import (
    BadJson,
    bad_text,
    canonical,
    canonical_time,
    differing,
    digest,
    dump,
    equal,
    parse,
    poison,
    stored_form,
)

NAME = KINDS["dataset"].by_name["name"]
METADATA = KINDS["dataset"].by_name["metadata"]
DELETED = KINDS["dataset"].by_name["deleted"]
PARENT = KINDS["item"].by_name["dataset"]
MOMENT = KINDS["item"].by_name["trace_timestamp"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is sent, and what a later read shows."""

    name: str
    sent: str
    shown: str


KEPT = (
    Kept("keys by length, then by bytes", '{"b":1,"aa":2,"a":3}', '{"a":3,"b":1,"aa":2}'),
    Kept("keys inside lists too", '[{"bb":1,"a":2}]', '[{"a":2,"bb":1}]'),
    Kept("key length in bytes", '{"é":1,"zz":2,"aaa":3}', '{"zz":2,"é":1,"aaa":3}'),
    Kept("of a duplicate key the last", '{"a":1,"a":2}', '{"a":2}'),
    Kept("an integer", "1", "1"),
    Kept("a float", "1.0", "1.0"),
    Kept("trailing zeroes", "0.10", "0.1"),
    Kept("an exponent", "1e2", "100.0"),
    Kept("a small exponent", "1e-7", "1e-07"),
    Kept("a float of 1e16", "1e16", "10000000000000000"),
    Kept("a float just below 1e16", "9999999999999998.0", "9999999999999998.0"),
    Kept("a large negative float", "-1e17", "-100000000000000000"),
    Kept("minus zero", "-0.0", "0.0"),
    Kept("minus zero inside", '{"a":[-0.0]}', '{"a":[0.0]}'),
    Kept("a float too small", "1e-400", "0.0"),
    Kept("the largest integer", "18446744073709551615", "18446744073709551615"),
    Kept("the smallest integer", "-9223372036854775808", "-9223372036854775808"),
    Kept("a float too exact", "0.1000000000000000055511151231257827", "0.1"),
    Kept("a line separator", '"\\u2028"', '"\u2028"'),
    Kept("a byte order mark inside text", '"\\ufeff"', '"\ufeff"'),
    Kept("an emoji", '"\\ud83d\\ude00"', '"\U0001f600"'),
    Kept("a decomposed letter", '"e\\u0301"', '"e\u0301"'),
    Kept("white space between", ' { "a" : [ 1 , 2 ] } ', '{"a":[1,2]}'),
    Kept("null", "null", "null"),
    Kept("true is not 1", "true", "true"),
    Kept("an empty object", "{}", "{}"),
    Kept("an empty list", "[]", "[]"),
    Kept("a text that looks like a number", '"1.0"', '"1.0"'),
)


@pytest.mark.parametrize("kept", KEPT, ids=[kept.name for kept in KEPT])
def test_what_is_sent_equals_what_is_shown_later(kept: Kept) -> None:
    assert canonical(kept.sent) == kept.shown
    assert canonical(kept.shown) == kept.shown
    assert equal(METADATA, kept.sent, kept.shown)


APART: tuple[tuple[str, Stored, Stored], ...] = (
    ("an integer and a float", "1", "1.0"),
    ("one and true", "1", "true"),
    ("zero and false", "0", "false"),
    ("null and an empty object", None, "{}"),
    ("null and false", None, "false"),
    ("null and an empty text", None, '""'),
    ("a number and its text", "1", '"1"'),
    ("an absent key and a null key", "{}", '{"a":null}'),
    ("the order of a list", "[1,2]", "[2,1]"),
    ("composed and decomposed letters", '"\u00e9"', '"e\u0301"'),
    ("spaces in a JSON text", '"a"', '"a "'),
    ("neighbouring integers beyond floats", "9007199254740993", "9007199254740992"),
)


@pytest.mark.parametrize(("left", "right"), [c[1:] for c in APART], ids=[c[0] for c in APART])
def test_the_server_keeps_these_apart(left: Stored, right: Stored) -> None:
    assert not equal(METADATA, left, right)
    assert not equal(METADATA, right, left)
    nested = [f'{{"x":[{json.dumps(None) if v is None else v}]}}' for v in (left, right)]
    assert not equal(METADATA, *nested)


REFUSED = (
    ("NaN", "NaN", "NaN is not JSON"),
    ("Infinity", '{"a":-Infinity}', "-Infinity is not JSON"),
    ("nothing", "", "it is not JSON"),
    ("a bare word", "hello", "it is not JSON"),
    ("half an object", '{"a":', "it is not JSON"),
    ("two values", "1 2", "it is not JSON"),
    ("single quotes", "{'a':1}", "it is not JSON"),
    ("a byte order mark in front", "\ufeff1", "it is not JSON"),
    ("lists without an end", "[" * 100_000, "nested too deeply"),
    ("lists beyond counting", "[" * 5_000 + "]" * 5_000, "nested too deeply"),
    ("an integer beyond reading", "1" * 5_000, "it is not JSON"),
)


@pytest.mark.parametrize(("text", "why"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_what_is_no_json_is_refused_and_equals_only_itself(text: str, why: str) -> None:
    with pytest.raises(BadJson, match=why):
        canonical(text)
    assert stored_form(METADATA, text) == text
    assert equal(METADATA, text, text)
    assert not equal(METADATA, text, "1")


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


POISON = (
    ("an integer above 64 bits", "18446744073709551616", "more than 64 bits"),
    ("an integer below 64 bits", "-9223372036854775809", "more than 64 bits"),
    ("the first float that is too large", "1.8446744073709552e19", "too large"),
    ("a large negative float", "-1e19", "too large"),
    ("the first negative float that is too large", "-9.223372036854776e18", "too large"),
    ("a float beyond floats", "1e400", "too large"),
    ("a key with U+0000", '{"\\u0000":1}', "U+0000"),
    ("text with U+0000", '["a\\u0000"]', "U+0000"),
    ("half a pair", '"\\ud800"', "half of a surrogate pair"),
    ("half a pair in a key", '{"\\udfff":1}', "half of a surrogate pair"),
    ("252 levels", nested(252), "252 levels deep"),
    ("252 levels of objects", '{"a":' * 251 + "[]" + "}" * 251, "252 levels deep"),
    ("600 levels", nested(600), "252 levels deep"),
    ("one deep inside", '{"a":[{"b":18446744073709551616}]}', "more than 64 bits"),
)


@pytest.mark.parametrize(("text", "why"), [c[1:] for c in POISON], ids=[c[0] for c in POISON])
def test_poison_is_recognised(text: str, why: str) -> None:
    reason = poison(parse(text))
    assert reason is not None
    assert why in reason


FINE = (
    ("the largest integer", "18446744073709551615"),
    ("the smallest integer", "-9223372036854775808"),
    ("the largest float below", "1.844674407370955e19"),
    ("the lowest float", "-9.223372036854775e18"),
    ("251 levels", nested(251)),
    ("a whole pair", '"\\ud83d\\ude00"'),
    ("true", '{"a":true}'),
    ("null", "null"),
)


@pytest.mark.parametrize("text", [c[1] for c in FINE], ids=[c[0] for c in FINE])
def test_what_the_server_can_show_is_no_poison(text: str) -> None:
    assert poison(parse(text)) is None


@pytest.mark.parametrize("levels", [300, 600, 900, 2_000])
def test_deep_values_are_compared_without_falling_over(levels: int) -> None:
    assert equal(METADATA, nested(levels), nested(levels))
    assert not equal(METADATA, nested(levels), "[]")


def test_half_a_pair_stays_json_that_a_database_can_hold() -> None:
    text = dump(parse('{"a":"x\\ud800y\\udfff","b":"\\ud83d\\ude00"}'))
    assert text == '{"a":"x\\ud800y\\udfff","b":"\U0001f600"}'
    text.encode()


TIMES = (
    ("UTC", "2026-11-23T18:13:50.347800Z", "2026-11-23T18:13:50.347800Z"),
    ("no fraction", "2026-11-23T18:13:50.000000Z", "2026-11-23T18:13:50Z"),
    ("a short fraction", "2026-11-23T18:13:50.5Z", "2026-11-23T18:13:50.500000Z"),
    ("another zone", "2026-11-23T19:13:50+01:00", "2026-11-23T18:13:50Z"),
    ("no zone", "2026-11-23T18:13:50", "2026-11-23T18:13:50Z"),
    ("a space", "2026-11-23 18:13:50Z", "2026-11-23T18:13:50Z"),
)


@pytest.mark.parametrize(("text", "shown"), [c[1:] for c in TIMES], ids=[c[0] for c in TIMES])
def test_times_are_shown_in_one_way(text: str, shown: str) -> None:
    assert canonical_time(text) == shown
    assert equal(MOMENT, text, shown)


NO_TIMES = ("yesterday", "", "9999-12-31T23:59:59-01:00", "0001-01-01T00+01")


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused_and_equals_only_itself(text: str) -> None:
    with pytest.raises(ValueError):
        canonical_time(text)
    assert stored_form(MOMENT, text) == text


def test_text_is_trimmed_and_null_is_no_empty_text() -> None:
    assert equal(NAME, "\u3000 a\tb \n", "a\tb")
    assert not equal(NAME, None, "")
    assert not equal(NAME, "a", "A")
    assert not equal(PARENT, " a", "a")


def test_a_flag_is_true_or_not() -> None:
    assert equal(DELETED, None, 0)
    assert not equal(DELETED, 1, 0)
    assert not equal(DELETED, 1, None)


def test_differing_names_fields_in_their_order() -> None:
    left = {"name": "a", "description": None, "metadata": '{"a":1.0}', "deleted": None}
    right = {"name": "b", "description": None, "metadata": '{"a": 1}', "deleted": 0}
    fields = KINDS["dataset"].fields
    assert differing(fields, left, right) == ("name", "metadata")
    assert differing(fields, left, left) == ()


def test_a_digest_has_16_bytes_and_tells_contents_apart() -> None:
    contents = [b"", b"a", b"ab", b"a\x00b"]
    assert {len(digest(content)) for content in contents} == {16}
    assert len({digest(content) for content in contents}) == len(contents)


def test_text_the_server_refuses() -> None:
    assert bad_text("a\0") == "text contains the character U+0000"
    assert bad_text("\udc00") == "text contains half of a surrogate pair"
    assert bad_text("\U0001f600 \u2028 \ufeff") is None
