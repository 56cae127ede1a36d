"""Records off the wire: their digests, places and rows."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.core.fields import KINDS, KindName
from dssync.core.records import Position, Reading
from dssync.errors import Unreachable, WrongTarget
from dssync.net.transport import Answer
from dssync.posthog.wire import Reader, row_digest

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(-1e15, 1e15) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.isoformat() + "Z"
)
PEOPLE = st.none() | st.fixed_dictionaries(
    {"id": st.integers(1, 9), "uuid": st.none() | TEXTS.filter(bool), "email": TEXTS}
)
BY_TYPE: Mapping[str, st.SearchStrategy[Any]] = {
    "text": st.none() | TEXTS,
    "time": st.none() | TIMES,
    "reference": TEXTS.filter(bool),
    "json": JSON_VALUES,
    "flag": st.booleans() | st.none(),
}


def records(kind: KindName) -> st.SearchStrategy[dict[str, Any]]:
    known = {rule.wire: BY_TYPE[f.type] for f, rule in KINDS[kind].on("classic")}
    fixed = {
        "id": TEXTS.filter(bool),
        "created_at": TIMES,
        "updated_at": TIMES,
        "created_by": PEOPLE,
    }
    extras = st.dictionaries(TEXTS, JSON_VALUES, max_size=3)
    return st.builds(lambda a, b: {**b, **a}, st.fixed_dictionaries({**known, **fixed}), extras)


KINDS_AND_RECORDS = st.one_of([st.tuples(st.just(kind), records(kind)) for kind in KINDS])
FIXED = ("id", "created_at", "updated_at", "created_by")


def read(kind: KindName, record: Mapping[str, Any], *, escaped: bool = False) -> Reading:
    text = json.dumps(record, ensure_ascii=escaped, separators=(",", ":"))
    return Reader(kind, "classic").record(Answer(200, {}, text.encode()))


@given(KINDS_AND_RECORDS)
def test_the_digest_can_be_computed_again_from_the_row(
    drawn: tuple[KindName, dict[str, Any]],
) -> None:
    kind, record = drawn
    reading = read(kind, record)
    row = reading.row()
    assert row.digest == reading.digest == row_digest("classic", row)
    assert row_digest("classic", row._replace(digest=b"")) == row.digest


@given(KINDS_AND_RECORDS)
def test_the_row_holds_all_that_was_sent(drawn: tuple[KindName, dict[str, Any]]) -> None:
    kind, record = drawn
    row = read(kind, record).row()
    left = dict(record)
    for field, rule in KINDS[kind].on("classic"):
        sent, stored = left.pop(rule.wire), row.values[field.name]
        if field.type == "json" and stored is not None:
            assert json.loads(str(stored)) == sent
        else:
            assert stored == (bool(sent) if field.type == "flag" else sent)
    maker = left.pop("created_by")
    assert (json.loads(row.created_by.profile) if row.created_by else None) == maker
    assert (row.id, row.created_at, row.updated_at) == (
        left.pop("id"),
        left.pop("created_at"),
        left.pop("updated_at"),
    )
    assert json.loads(row.rest) == left
    assert set(row.values) == set(KINDS[kind].names)


@given(KINDS_AND_RECORDS, st.randoms())
def test_neither_order_nor_escaping_of_names_and_texts_changes_the_rows_digest(
    drawn: tuple[KindName, dict[str, Any]], random: Any
) -> None:
    kind, record = drawn
    decoded = {*FIXED, *(r.wire for f, r in KINDS[kind].on("classic") if f.type != "json")}
    plain = {name: value if name in decoded else 0 for name, value in record.items()}
    shuffled = list(plain.items())
    random.shuffle(shuffled)
    assert read(kind, dict(shuffled)).digest == read(kind, plain).digest
    assert read(kind, dict(shuffled), escaped=True).row().digest == read(kind, plain).digest


ITEM: dict[str, Any] = {
    "id": "i-1",
    "dataset": "d-1",
    "input": {"q": 1},
    "output": None,
    "metadata": [1.0, 1],
    "ref_trace_id": None,
    "ref_timestamp": "2026-01-02T03:04:05Z",
    "ref_source_id": "e",
    "deleted": False,
    "created_at": "2026-11-23T18:13:50.347800Z",
    "updated_at": "2026-11-23T18:13:51Z",
    "created_by": {"id": 7, "uuid": "u-7", "hedgehog_config": None},
    "team": 2,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "i-2"),
        ("dataset", "d-2"),
        ("input", {"q": 1.0}),
        ("output", ""),
        ("metadata", [1, 1.0]),
        ("ref_trace_id", "null"),
        ("ref_timestamp", None),
        ("deleted", True),
        ("created_at", "2026-11-23T18:13:50.347801Z"),
        ("updated_at", "2026-11-23T18:13:52Z"),
        ("created_by", {"id": 7, "uuid": "u-8"}),
        ("created_by", None),
        ("team", 3),
        ("new", None),
    ],
)
def test_every_change_shows_in_the_digest(name: str, value: object) -> None:
    changed = read("item", {**ITEM, name: value})
    assert changed.digest != read("item", ITEM).digest
    assert changed.row().digest == changed.digest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("created_by", {"uuid": "u-7", "id": 8, "hedgehog_config": {"color": "red"}}),
        ("deleted", None),
    ],
)
def test_what_is_no_change_of_the_record_does_not(name: str, value: object) -> None:
    assert read("item", {**ITEM, name: value}).digest == read("item", ITEM).digest


def test_a_maker_is_known_by_the_most_lasting_id_there_is() -> None:
    makers = [{"uuid": "u", "id": 1}, {"uuid": None, "id": 1}, {"email": "a@b.c"}, {}, None]
    people = [read("item", {**ITEM, "created_by": maker}).row().created_by for maker in makers]
    assert [person and person.id for person in people] == ["u", "1", None, None, None]


def test_the_oldest_servers_names_are_read_as_the_same_fields() -> None:
    old = {"ref_timestamp": "ref_trace_timestamp", "ref_source_id": "ref_span_id"}
    reading = read("item", {old.get(name, name): value for name, value in ITEM.items()})
    assert reading.digest == read("item", ITEM).digest
    assert reading.row() == read("item", ITEM).row()
    both = read("item", {**ITEM, "ref_span_id": "other"}).row()
    assert (both.values["event_id"], json.loads(both.rest)["ref_span_id"]) == ("e", "other")


def test_json_keeps_the_servers_own_text() -> None:
    text = json.dumps(ITEM).replace('{"q": 1}', '{ "b":1e2,"a":"\\u00e9","b":0.10 }')
    row = Reader("item", "classic").record(Answer(200, {}, text.encode())).row()
    assert row.values["input"] == '{ "b":1e2,"a":"\\u00e9","b":0.10 }'
    assert row.values["expected_output"] is None
    assert row.rest == '{"team":2}'


def test_places_follow_the_default_order() -> None:
    made = datetime(2026, 11, 23, 18, 13, 50, 347800, tzinfo=UTC)
    times = [made, made - timedelta(microseconds=1), made + timedelta(days=1)]
    places = [
        read("item", {**ITEM, "created_at": t.isoformat(), "id": i}).position
        for t in times
        for i in "ba"
    ]
    assert [(p.newness, p.id) for p in sorted(places)] == [
        (-round((t - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)), i)
        for t in sorted(times, reverse=True)
        for i in "ab"
    ]
    zoneless = read("item", {**ITEM, "created_at": "1970-01-01T00:00:00.000001"})
    assert zoneless.position == Position(-1, "i-1")


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("no flag", {k: v for k, v in ITEM.items() if k != "deleted"}),
    ("another contract", {**{k: v for k, v in ITEM.items() if k != "deleted"}, "archived": False}),
    ("no id", {k: v for k, v in ITEM.items() if k != "id"}),
    ("a number as id", {**ITEM, "id": 5}),
    ("no time", {**ITEM, "created_at": "yesterday"}),
    ("a text as flag", {**ITEM, "deleted": "no"}),
    ("no parent", {**ITEM, "dataset": None}),
    ("a number as text", {**ITEM, "ref_trace_id": 5}),
    ("a text as maker", {**ITEM, "created_by": "Ann"}),
]


@pytest.mark.parametrize(("name", "record"), BROKEN, ids=[b[0] for b in BROKEN])
def test_a_record_unlike_the_api_is_refused(name: str, record: dict[str, Any]) -> None:
    def take() -> object:
        reading = read("item", record)
        return reading.row(), reading.position

    with pytest.raises(WrongTarget, match="unlike the API"):
        take()


def test_a_maker_that_is_no_text_is_refused() -> None:
    body = json.dumps(ITEM).replace('"hedgehog_config": null', '"x": "@"').encode()
    with pytest.raises(WrongTarget, match="UTF-8"):
        Reader("item", "classic").record(Answer(200, {}, body.replace(b"@", b"\xff")))


def test_bytes_that_are_no_text_are_refused() -> None:
    body = json.dumps(ITEM).replace('{"q": 1}', '"@"').encode().replace(b"@", b"\xff")
    with pytest.raises(WrongTarget, match="UTF-8"):
        Reader("item", "classic").record(Answer(200, {}, body)).row()


def test_a_page_carries_its_hints() -> None:
    body = json.dumps({"count": 5, "next": "https://evil.example/", "results": [ITEM]}).encode()
    page = Reader("item", "classic").page(
        Answer(200, {"date": "Mon, 23 Nov 2026 18:13:50 GMT"}, body)
    )
    assert [r.id for r in page.readings] == ["i-1"]
    assert (page.count, page.more, page.size_bytes) == (5, True, len(body))
    assert page.server_date == "Mon, 23 Nov 2026 18:13:50 GMT"
    last = Reader("item", "classic").page(Answer(200, {}, b'{"results": []}'))
    assert (last.readings, last.count, last.more, last.server_date) == ([], None, False, None)


def page(*items: Mapping[str, Any]) -> Answer:
    return Answer(200, {}, json.dumps({"results": items}, separators=(",", ":")).encode())


@pytest.mark.parametrize("strange", ["a-b", 'say "x"', "back\\slash", "line\nbreak", "", "ключ"])
def test_a_field_of_any_name_is_kept(strange: str) -> None:
    row = Reader("item", "classic").page(page({**ITEM, strange: [1]})).readings[0].row()
    assert json.loads(row.rest) == {"team": 2, strange: [1]}
    assert row_digest("classic", row) == row.digest


def test_pages_whose_records_differ_in_their_names_are_read_alike() -> None:
    reader = Reader("item", "classic")
    more = {**ITEM, "id": "i-2", "new": 1, "a-b": None}
    old = {k: v for k, v in ITEM.items() if k != "team"} | {"id": "i-3"}
    items = [ITEM, more, old, ITEM, more]
    alone = [read("item", item) for item in items]
    for _ in range(2):  # the second time, knowing what the first page looked like
        found = reader.page(page(*items)).readings
        assert [r.row() for r in found] == [r.row() for r in alone]
        assert [r.digest for r in found] == [r.digest for r in alone]
        assert [r.id for r in reader.page(page(ITEM, ITEM)).readings] == ["i-1", "i-1"]


def test_a_page_that_breaks_off_after_one_that_did_not_is_told_apart() -> None:
    reader = Reader("item", "classic")
    whole = page(ITEM)
    assert reader.page(whole).readings
    with pytest.raises(Unreachable, match="cut short"):
        reader.page(Answer(200, {}, whole.body[:-9]))
    with pytest.raises(WrongTarget, match="without deleted"):
        reader.page(page(ITEM, {k: v for k, v in ITEM.items() if k != "deleted"}))


@pytest.mark.parametrize("body", [b"{}", b'{"results": null}', b'{"results": [5]}', b"[]"])
def test_what_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(WrongTarget):
        Reader("item", "classic").page(Answer(200, {}, body))
