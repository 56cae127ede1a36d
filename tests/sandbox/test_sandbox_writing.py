"""Writing: what PATCH, POST and PUT do, and what they refuse."""

import uuid
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from dssync.sandbox import Sandbox

DATASETS = "/api/environments/1/datasets/"
ITEMS = "/api/environments/1/dataset_items/"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def test_any_patch_bumps_updated_at_even_an_empty_one(http: httpx.Client, dataset: str) -> None:
    record = f"{DATASETS}{dataset}/"
    moments = [http.get(record).json()["updated_at"]]
    for body in ({}, {"name": "one"}, {"unknown": 1}):
        answer = http.patch(record, json=body)
        assert answer.status_code == 200
        moments.append(answer.json()["updated_at"])
    assert moments == sorted(set(moments))


def test_patch_ignores_unknown_and_read_only_fields(http: httpx.Client, dataset: str) -> None:
    record = f"{DATASETS}{dataset}/"
    before = http.get(record).json()
    body = {"id": str(uuid.uuid4()), "team": 7, "created_by": None, "created_at": "x", "zebra": 1}
    assert http.patch(record, json=body).status_code == 200
    after = http.get(record).json()
    assert {**after, "updated_at": None} == {**before, "updated_at": None}


def test_patch_changes_every_editable_item_field(
    http: httpx.Client, sandbox: Sandbox, item: str
) -> None:
    body = {
        "dataset": sandbox.state.insert("dataset", name="other"),
        "input": {"q": 1},
        "output": ["a"],
        "metadata": {"split": "test"},
        "ref_trace_id": "trace",
        "ref_timestamp": "2026-01-02T03:04:05.000600Z",
        "ref_source_id": "source",
        "deleted": None,
    }
    http.patch(f"{ITEMS}{item}/", json=body)
    shown = http.get(f"{ITEMS}{item}/").json()
    assert {name: shown[name] for name in body} == body


def test_patch_saves_every_column_so_a_neighbours_change_is_undone(
    http: httpx.Client, sandbox: Sandbox, dataset: str
) -> None:
    record = f"{DATASETS}{dataset}/"
    sandbox.before_save = lambda *_: http.patch(record, json={"description": "mine"})
    http.patch(record, json={"name": "two"})
    sandbox.before_save = None
    shown = http.get(record).json()
    assert (shown["name"], shown["description"]) == ("two", None)


def test_without_an_overlap_changes_of_different_fields_both_stay(
    http: httpx.Client, dataset: str
) -> None:
    record = f"{DATASETS}{dataset}/"
    http.patch(record, json={"description": "mine"})
    http.patch(record, json={"name": "two"})
    shown = http.get(record).json()
    assert (shown["name"], shown["description"]) == ("two", "mine")


@pytest.mark.parametrize("space", [" ", "\t\n", "\u00a0", "\u2003", "\u3000", "\u2028"])
def test_text_is_trimmed_of_unicode_white_space(http: httpx.Client, item: str, space: str) -> None:
    body = {"name": f"{space}n m{space}", "description": f"{space}d{space}"}
    shown = http.post(DATASETS, json=body).json()
    assert (shown["name"], shown["description"]) == ("n m", "d")
    patched = http.patch(f"{ITEMS}{item}/", json={"ref_trace_id": f"t{space}"}).json()
    assert patched["ref_trace_id"] == "t"


@pytest.mark.parametrize("name", ["\ufeffn", "\u200bn", "e\u0301"])
def test_text_keeps_what_is_no_white_space(http: httpx.Client, name: str) -> None:
    assert http.post(DATASETS, json={"name": name}).json()["name"] == name


@pytest.mark.parametrize("path", ["json", "text"])
def test_white_space_inside_json_columns_is_kept(http: httpx.Client, item: str, path: str) -> None:
    value: Any = {"json": {" a ": " b "}, "text": "  c  "}[path]
    http.patch(f"{ITEMS}{item}/", json={"input": value})
    assert http.get(f"{ITEMS}{item}/").json()["input"] == value


REFUSALS = {
    "name is required": (b"{}", "required", "name", "This field is required."),
    "name null": (b'{"name":null}', "null", "name", "This field may not be null."),
    "name empty": (b'{"name":""}', "blank", "name", "This field may not be blank."),
    "name of spaces": ('{"name":" \u2003"}'.encode(), "blank", "name", None),
    "name too long": (
        b'{"name":"' + b"x" * 401 + b'"}',
        "max_length",
        "name",
        "Ensure this field has no more than 400 characters.",
    ),
    "name a list": (b'{"name":[]}', "invalid", "name", "Not a valid string."),
    "name an object": (b'{"name":{}}', "invalid", "name", "Not a valid string."),
    "name true": (b'{"name":true}', "invalid", "name", "Not a valid string."),
    "name with U+0000": (b'{"name":"a\\u0000b"}', "null_characters_not_allowed", "name", None),
    "name with a surrogate": (
        b'{"name":"a\\ud83d"}',
        "surrogate_characters_not_allowed",
        "name",
        "Surrogate characters are not allowed: U+D83D.",
    ),
    "description a list": (b'{"name":"n","description":[]}', "invalid", "description", None),
    "description with U+0000": (
        b'{"name":"n","description":"\\u0000"}',
        "null_characters_not_allowed",
        "description",
        None,
    ),
    "deleted a word": (
        b'{"name":"n","deleted":"maybe"}',
        "invalid",
        "deleted",
        "Must be a valid boolean.",
    ),
    "deleted a list": (b'{"name":"n","deleted":[]}', "invalid", "deleted", None),
    "metadata infinite": (
        b'{"name":"n","metadata":[1e400]}',
        "invalid",
        "metadata",
        "Value must be valid JSON.",
    ),
    "only the first error": (b'{"name":"","deleted":"maybe"}', "blank", "name", None),
    "a list": (b"[]", "invalid", None, "Invalid data. Expected a dictionary, but got list."),
}


@pytest.mark.parametrize(("body", "code", "attr", "detail"), REFUSALS.values(), ids=REFUSALS)
def test_post_of_a_dataset_refuses(
    http: httpx.Client, body: bytes, code: str, attr: str | None, detail: str | None
) -> None:
    answer = http.post(DATASETS, content=body, headers=JSON)
    error = answer.json()
    assert answer.status_code == 400
    assert (error["type"], error["code"], error["attr"]) == ("validation_error", code, attr)
    assert detail is None or error["detail"] == detail
    assert list(error) == ["type", "code", "detail", "attr"]
    assert http.get(DATASETS).json()["count"] == 0


ITEM_REFUSALS: dict[str, tuple[dict[str, Any], str, str]] = {
    "dataset null": ({"dataset": None}, "null", "dataset"),
    "dataset empty": ({"dataset": ""}, "null", "dataset"),
    "dataset malformed": ({"dataset": "abc"}, "invalid", "dataset"),
    "dataset true": ({"dataset": True}, "incorrect_type", "dataset"),
    "trace too long": ({"ref_trace_id": "x" * 256}, "max_length", "ref_trace_id"),
    "source too long": ({"ref_source_id": "🦔" * 256}, "max_length", "ref_source_id"),
    "time a word": ({"ref_timestamp": "yesterday"}, "invalid", "ref_timestamp"),
    "time empty": ({"ref_timestamp": ""}, "invalid", "ref_timestamp"),
    "time a number": ({"ref_timestamp": 1700000000}, "invalid", "ref_timestamp"),
    "time impossible": ({"ref_timestamp": "2026-02-30T00:00:00Z"}, "invalid", "ref_timestamp"),
}


@pytest.mark.parametrize(("body", "code", "attr"), ITEM_REFUSALS.values(), ids=ITEM_REFUSALS)
def test_patch_of_an_item_refuses(
    http: httpx.Client, item: str, body: dict[str, Any], code: str, attr: str
) -> None:
    before = http.get(f"{ITEMS}{item}/").json()
    answer = http.patch(f"{ITEMS}{item}/", json=body)
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["attr"]) == (code, attr)
    assert http.get(f"{ITEMS}{item}/").json() == before


def test_an_item_needs_a_dataset(http: httpx.Client) -> None:
    answer = http.post(ITEMS, json={"input": 1})
    assert (answer.json()["code"], answer.json()["attr"]) == ("required", "dataset")


def test_an_item_of_an_unknown_or_foreign_dataset_does_not_exist(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.add_project(2, "other")
    foreign = sandbox.state.insert("dataset", 2, name="n")
    for unknown in (str(uuid.uuid4()), foreign):
        answer = http.post(ITEMS, json={"dataset": unknown})
        assert answer.status_code == 400
        assert answer.json() == {
            "type": "validation_error",
            "code": "does_not_exist",
            "detail": f'Invalid pk "{unknown}" - object does not exist.',
            "attr": "dataset",
        }


def test_an_item_may_be_created_in_a_deleted_dataset(
    http: httpx.Client, sandbox: Sandbox, dataset: str
) -> None:
    sandbox.state.delete("dataset", dataset)
    assert http.post(ITEMS, json={"dataset": dataset}).status_code == 201


def test_limits_count_code_points(http: httpx.Client, item: str) -> None:
    assert http.post(DATASETS, json={"name": "🦔" * 400}).status_code == 201
    assert http.post(DATASETS, json={"name": "🦔" * 401}).status_code == 400
    padded = " " * 50 + "x" * 400 + " " * 50
    assert http.post(DATASETS, json={"name": padded}).status_code == 201
    patched = http.patch(f"{ITEMS}{item}/", json={"ref_trace_id": "🦔" * 255})
    assert patched.status_code == 200


@pytest.mark.parametrize(("sent", "name"), [(b"7", "7"), (b"1.50", "1.5"), (b"-0.0", "-0.0")])
def test_a_number_as_a_name_becomes_text(http: httpx.Client, sent: bytes, name: str) -> None:
    answer = http.post(DATASETS, content=b'{"name":' + sent + b"}", headers=JSON)
    assert answer.json()["name"] == name


def test_null_and_empty_descriptions_are_different(http: httpx.Client, dataset: str) -> None:
    for value in ("", None):
        http.patch(f"{DATASETS}{dataset}/", json={"description": value})
        assert http.get(f"{DATASETS}{dataset}/").json()["description"] == value


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04", "2026-01-02T03:04:00Z"),
        ("2026-01-02", "2026-01-02T00:00:00Z"),
        ("2026-01-02T03:04:05.1", "2026-01-02T03:04:05.100000Z"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
        (None, None),
    ],
)
def test_ref_timestamp_is_stored_as_utc_with_microseconds(
    http: httpx.Client, item: str, sent: str | None, shown: str | None
) -> None:
    answer = http.patch(f"{ITEMS}{item}/", json={"ref_timestamp": sent})
    assert answer.json()["ref_timestamp"] == shown
    assert http.get(f"{ITEMS}{item}/").json()["ref_timestamp"] == shown


def test_post_sets_what_only_the_server_sets(http: httpx.Client) -> None:
    sent = {
        "name": "n",
        "id": "00000000-0000-0000-0000-000000000000",
        "created_at": "2000-01-01T00:00:00Z",
        "created_by": None,
        "team": 9,
    }
    shown = http.post(DATASETS, json=sent).json()
    assert shown["id"] != sent["id"]
    assert shown["created_at"].startswith("2026-")
    assert shown["created_by"]["id"] == 1
    assert shown["team"] == 1


def test_duplicate_names_are_allowed_and_every_retry_creates_another_row(
    http: httpx.Client,
) -> None:
    made = {http.post(DATASETS, json={"name": "n"}).json()["id"] for _ in range(3)}
    assert len(made) == http.get(DATASETS).json()["count"] == 3


def test_a_deleted_row_may_be_created(http: httpx.Client) -> None:
    answer = http.post(DATASETS, json={"name": "n", "deleted": True})
    assert (answer.status_code, answer.json()["deleted"]) == (201, True)
    assert http.get(DATASETS).json()["count"] == 0


def test_a_form_post_stores_deleted_null(http: httpx.Client) -> None:
    answer = http.post(DATASETS, content=b"name=n&description=a+b", headers=FORM)
    assert answer.status_code == 201
    shown = http.get(f"{DATASETS}{answer.json()['id']}/").json()
    assert shown["deleted"] is None
    assert (shown["name"], shown["description"]) == ("n", "a b")


def test_a_json_post_stores_deleted_false_and_takes_null(http: httpx.Client) -> None:
    assert http.post(DATASETS, json={"name": "n"}).json()["deleted"] is False
    assert http.post(DATASETS, json={"name": "n", "deleted": None}).json()["deleted"] is None


def test_form_bodies_carry_json_columns_as_json_text(http: httpx.Client) -> None:
    body = urlencode({"name": "n", "metadata": '{"a": [1, null]}', "deleted": "false"}).encode()
    shown = http.post(DATASETS, content=body, headers=FORM).json()
    assert shown["metadata"] == {"a": [1, None]}
    assert shown["deleted"] is False


@pytest.mark.parametrize("text", ["plain words", "", "{'a': 1}", "NaN"])
def test_form_bodies_refuse_json_columns_that_are_no_json(http: httpx.Client, text: str) -> None:
    body = urlencode({"name": "n", "metadata": text}).encode()
    answer = http.post(DATASETS, content=body, headers=FORM)
    assert (answer.status_code, answer.json()["attr"]) == (400, "metadata")


def test_a_form_patch_leaves_deleted_alone_and_reads_words(
    http: httpx.Client, dataset: str, item: str
) -> None:
    record = f"{DATASETS}{dataset}/"
    assert http.patch(record, content=b"name=m", headers=FORM).json()["deleted"] is False
    assert http.patch(record, content=b"deleted=", headers=FORM).json()["deleted"] is None
    assert http.patch(record, content=b"deleted=on", headers=FORM).json()["deleted"] is True
    empty = b"ref_timestamp=&ref_trace_id="
    shown = http.patch(f"{ITEMS}{item}/", content=empty, headers=FORM).json()
    assert (shown["ref_timestamp"], shown["ref_trace_id"]) == (None, "")


def test_a_multipart_form_works_like_any_form(http: httpx.Client) -> None:
    answer = http.post(DATASETS, data={"name": "n"}, files={"ignored": b"x"})
    assert (answer.status_code, answer.json()["deleted"]) == (201, None)


def test_put_behaves_like_patch_with_the_required_fields(
    http: httpx.Client, dataset: str, item: str
) -> None:
    http.patch(f"{DATASETS}{dataset}/", json={"description": "kept"})
    assert http.put(f"{DATASETS}{dataset}/", json={"name": "two"}).status_code == 200
    shown = http.get(f"{DATASETS}{dataset}/").json()
    assert (shown["name"], shown["description"]) == ("two", "kept")
    refused = http.put(f"{DATASETS}{dataset}/", json={"description": "d"}).json()
    assert (refused["code"], refused["attr"]) == ("required", "name")
    refused = http.put(f"{ITEMS}{item}/", json={"output": 1}).json()
    assert (refused["code"], refused["attr"]) == ("required", "dataset")


def test_item_changes_do_not_touch_their_dataset(
    http: httpx.Client, dataset: str, item: str
) -> None:
    before = http.get(f"{DATASETS}{dataset}/").json()
    http.patch(f"{ITEMS}{item}/", json={"output": 2})
    http.post(ITEMS, json={"dataset": dataset})
    http.patch(f"{ITEMS}{item}/", json={"deleted": True})
    assert http.get(f"{DATASETS}{dataset}/").json() == before
