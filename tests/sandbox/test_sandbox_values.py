"""What becomes of values: the echo, the stored form, poison rows, timestamps."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.sandbox import HtmlError, Sandbox, jsonb

DATASETS = "/api/environments/1/datasets/"
ITEMS = "/api/environments/1/dataset_items/"
JSON = {"Content-Type": "application/json"}
HTML = "text/html; charset=utf-8"


def patch_input(http: httpx.Client, item: str, sent: str | bytes) -> httpx.Response:
    """Send one JSON value, byte for byte, as the input of an item."""
    raw = sent.encode() if isinstance(sent, str) else sent
    return http.patch(f"{ITEMS}{item}/", content=b'{"input":' + raw + b"}", headers=JSON)


def shown_input(answer: httpx.Response) -> str:
    """Cut the input out of an answer, as it was written."""
    assert answer.status_code == 200
    return answer.text.partition('"input":')[2].partition(',"output":')[0]


STORED = {
    "keys go by length, then bytewise": (
        '{"bb":1,"c":2,"é":3,"a":4,"aaa":5,"B":6}',
        '{"B":6,"a":4,"c":2,"bb":1,"é":3,"aaa":5}',
    ),
    "keys of inner objects too": ('[{"zz":1,"a":{"cc":1,"b":2}}]', '[{"a":{"b":2,"cc":1},"zz":1}]'),
    "integer": ("1", "1"),
    "float of an integer": ("1.0", "1.0"),
    "trailing zero": ("0.10", "0.1"),
    "exponent": ("1e2", "100.0"),
    "just below 1e16": ("9999999999999998.0", "9999999999999998.0"),
    "1e16": ("1e16", "10000000000000000"),
    "shortest digits, not the binary value": ("12345678901234567.0", "12345678901234568"),
    "negative large float": ("-1.5e17", "-150000000000000000"),
    "large float in range": ("1.8446744073709550e19", "18446744073709550000"),
    "minus zero": ("-0.0", "0.0"),
    "underflow": ("1e-400", "0.0"),
    "negative underflow": ("-1e-400", "0.0"),
    "minus zero as an integer": ("-0", "0"),
    "largest integer": ("18446744073709551615", "18446744073709551615"),
    "smallest integer": ("-9223372036854775808", "-9223372036854775808"),
    "beyond 2^53": ("9007199254740993", "9007199254740993"),
    "line separators, BOM, emoji, NFD": (
        '"\u2028\u2029\ufeff🦔e\u0301"',
        '"\u2028\u2029\ufeff🦔e\u0301"',
    ),
    "escapes are resolved": ('"\\u00e9\\ud83e\\udd94\\/"', '"é🦔/"'),
    "an escaped backslash is no U+0000": ('"\\\\u0000"', '"\\\\u0000"'),
    "null": ("null", "null"),
    "false": ("false", "false"),
    "empty things": ('[{},[],"",0]', '[{},[],"",0]'),
}


@pytest.mark.parametrize(("sent", "stored"), STORED.values(), ids=STORED)
def test_get_shows_what_was_stored(http: httpx.Client, item: str, sent: str, stored: str) -> None:
    patch_input(http, item, sent)
    assert shown_input(http.get(f"{ITEMS}{item}/")) == stored


ECHOED = {
    "key order": ('{"bb":1,"a":2}', '{"bb":1,"a":2}'),
    "duplicate keys": ('{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'),
    "1e16": ("1e16", "1e+16"),
    "minus zero": ("-0.0", "-0.0"),
}


@pytest.mark.parametrize(("sent", "echo"), ECHOED.values(), ids=ECHOED)
def test_the_answer_to_a_write_echoes_what_was_sent(
    http: httpx.Client, item: str, sent: str, echo: str
) -> None:
    assert shown_input(patch_input(http, item, sent)) == echo


def test_of_duplicate_keys_the_last_is_stored(http: httpx.Client, item: str) -> None:
    patch_input(http, item, '{"a":1,"b":2,"a":{"c":1,"c":2}}')
    assert shown_input(http.get(f"{ITEMS}{item}/")) == '{"a":{"c":2},"b":2}'


def test_a_patch_shows_the_other_fields_as_stored(http: httpx.Client, dataset: str) -> None:
    record = f"{DATASETS}{dataset}/"
    http.patch(record, json={"metadata": {"bb": 1, "a": -0.0}})
    assert '"metadata":{"a":0.0,"bb":1}' in http.patch(record, json={"name": "n"}).text


POISON = {
    "2^64": ("18446744073709551616", True),
    "below -2^63": ("-9223372036854775809", True),
    "a huge integer inside": ('{"a":[1,' + "9" * 400 + "]}", True),
    "float of 1.85e19": ("1.85e19", False),
    "float below -2^63": ("-1e19", False),
    "1e300": ("[1e300]", False),
    "252 levels": ("[" * 252 + "]" * 252, False),
    "252 levels of objects": ('{"a":' * 252 + "1" + "}" * 252, False),
}


@pytest.mark.parametrize(("sent", "mute"), POISON.values(), ids=POISON)
def test_a_poison_row_is_saved_and_fails_every_read_until_it_is_repaired(
    http: httpx.Client, sandbox: Sandbox, dataset: str, item: str, sent: str, mute: bool
) -> None:
    neighbour = http.post(ITEMS, json={"dataset": dataset}).json()["id"]
    written = patch_input(http, item, sent)
    assert written.status_code == (500 if mute else 200)
    reads = [f"{ITEMS}{item}/", ITEMS, f"{ITEMS}?limit=1&offset=1", f"{ITEMS}?dataset={dataset}"]
    for path in reads:
        answer = http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (500, HTML)
    spared = http.get(f"{ITEMS}?limit=1&offset=0")
    assert [row["id"] for row in spared.json()["results"]] == [neighbour]
    with pytest.raises(HtmlError):
        sandbox.state.get("item", item)
    assert patch_input(http, item, '"good"').status_code == 200
    assert http.get(f"{ITEMS}{item}/").json()["input"] == "good"
    assert http.get(ITEMS).json()["count"] == 2


def test_a_poison_post_answers_500_html_although_it_was_committed(http: httpx.Client) -> None:
    body = b'{"name":"n","metadata":18446744073709551616}'
    answer = http.post(DATASETS, content=body, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (500, HTML)
    assert http.get(f"{DATASETS}?limit=1&offset=1").json()["count"] == 1


def test_patching_another_field_of_a_poison_row_commits_and_answers_500_html(
    http: httpx.Client, item: str
) -> None:
    patch_input(http, item, "1e300")
    answer = http.patch(f"{ITEMS}{item}/", json={"output": "new"})
    assert (answer.status_code, answer.headers["content-type"]) == (500, HTML)
    patch_input(http, item, "null")
    assert http.get(f"{ITEMS}{item}/").json()["output"] == "new"


def test_a_deleted_poison_row_spoils_no_list(http: httpx.Client, item: str) -> None:
    patch_input(http, item, "1e300")
    http.patch(f"{ITEMS}{item}/", json={"deleted": True})
    assert http.get(ITEMS).json()["count"] == 0


def test_251_levels_are_fine(http: httpx.Client, item: str) -> None:
    deep = "[" * 251 + "]" * 251
    patch_input(http, item, deep)
    assert shown_input(http.get(f"{ITEMS}{item}/")) == deep
    assert http.get(ITEMS).status_code == 200


def test_brackets_in_strings_are_no_levels(http: httpx.Client, item: str) -> None:
    patch_input(http, item, '"' + '\\"[' * 5000 + '"')
    assert http.get(f"{ITEMS}{item}/").json()["input"] == '"[' * 5000


@pytest.mark.parametrize(
    "deep", ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000]
)
def test_nesting_of_10000_is_answered_cleanly_and_not_saved(
    http: httpx.Client, item: str, deep: str
) -> None:
    answer = patch_input(http, item, deep)
    assert (answer.status_code, answer.json()["type"]) == (500, "server_error")
    assert http.get(f"{ITEMS}{item}/").json()["input"] == "question"


BAD_JSON = {
    "NaN": b'{"input":NaN}',
    "Infinity": b'{"input":[Infinity]}',
    "-Infinity": b'{"input":-Infinity}',
    "cut short": b'{"input":',
    "a trailing comma": b'{"input":[1,]}',
    "single quotes": b"{'input':1}",
    "a BOM": b'\xef\xbb\xbf{"input":1}',
    "no UTF-8": b'{"input":"\xff"}',
    "UTF-16": '{"input":1}'.encode("utf-16"),
    "an integer of 5000 digits": b'{"input":' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON)
def test_bad_json_is_a_parse_error(http: httpx.Client, item: str, body: bytes) -> None:
    answer = http.patch(f"{ITEMS}{item}/", content=body, headers=JSON)
    assert answer.status_code == 400
    error = answer.json()
    assert (error["type"], error["code"], error["attr"]) == ("invalid_request", "parse_error", None)
    assert error["detail"].startswith("JSON parse error - ")
    assert http.get(f"{ITEMS}{item}/").json()["input"] == "question"


def test_1e400_answers_400(http: httpx.Client, item: str) -> None:
    answer = patch_input(http, item, "1e400")
    assert (answer.status_code, answer.json()["attr"]) == (400, "input")


@pytest.mark.parametrize(
    "sent",
    ['"a\\u0000"', '{"a\\u0000":1}', '["\\\\\\u0000"]', '"\\ud83d"', '{"\\udd94":1}'],
)
def test_nul_and_lone_surrogates_answer_500_json_and_save_nothing(
    http: httpx.Client, item: str, sent: str
) -> None:
    before = http.get(f"{ITEMS}{item}/").text
    answer = patch_input(http, item, sent)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
    assert answer.json()["type"] == "server_error"
    assert http.get(f"{ITEMS}{item}/").text == before


def test_a_refused_field_comes_before_what_the_database_refuses(http: httpx.Client) -> None:
    body = b'{"name":"n","metadata":"\\u0000","deleted":"maybe"}'
    answer = http.post(DATASETS, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["attr"]) == (400, "deleted")


def test_timestamps_are_utc_with_microseconds(http: httpx.Client, dataset: str) -> None:
    shown = http.get(f"{DATASETS}{dataset}/").json()
    assert shown["created_at"] == "2026-11-23T18:13:50.347800Z"


def test_created_at_and_updated_at_of_a_new_row_differ_by_microseconds(
    http: httpx.Client, dataset: str
) -> None:
    shown = http.get(f"{DATASETS}{dataset}/").json()
    assert shown["updated_at"] == "2026-11-23T18:13:50.347807Z"


def test_the_fraction_is_left_out_when_it_is_zero(http: httpx.Client, sandbox: Sandbox) -> None:
    whole = sandbox.now().replace(microsecond=0)
    row = sandbox.state.insert("dataset", name="n", created_at=whole)
    assert http.get(f"{DATASETS}{row}/").json()["created_at"] == "2026-11-23T18:13:50Z"


def test_times_are_never_equal_even_when_the_clock_stands_still(http: httpx.Client) -> None:
    rows = [http.post(DATASETS, json={"name": "n"}).json() for _ in range(5)]
    moments = [row[name] for row in rows for name in ("created_at", "updated_at")]
    assert moments == sorted(set(moments))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-9e18, max_value=1.8e19)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_storing_keeps_the_value_and_storing_again_changes_nothing(value: object) -> None:
    once = jsonb.store(value)
    assert not once.poison
    # As floats: a large float is stored as the integer of its shortest digits.
    kept = json.loads(once.stored, parse_int=float)
    assert kept == json.loads(json.dumps(value), parse_int=float)
    assert jsonb.store(json.loads(once.stored)).stored == once.stored
