"""What lists do: pages, links, order, filters."""

import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from dssync.sandbox import Sandbox

DATASETS = "/api/environments/1/datasets/"
ITEMS = "/api/environments/1/dataset_items/"
TIE = datetime(2026, 1, 1, tzinfo=UTC)


def fill(sandbox: Sandbox, count: int) -> list[str]:
    """Insert datasets a second apart and return their ids, newest first."""
    ids = [
        sandbox.state.insert("dataset", name=f"n{n}", created_at=TIE + timedelta(seconds=n))
        for n in range(count)
    ]
    return ids[::-1]


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200
    return [row["id"] for row in answer.json()["results"]]


@pytest.mark.parametrize("path", [DATASETS, ITEMS])
def test_the_default_page_is_100_and_there_is_no_maximum(
    http: httpx.Client, sandbox: Sandbox, path: str
) -> None:
    parent = sandbox.state.insert("dataset", name="first")
    for n in range(249):
        sandbox.state.insert("dataset", name=f"n{n}")
        sandbox.state.insert("item", dataset=parent)
    sandbox.state.insert("item", dataset=parent)
    assert len(ids(http.get(path))) == 100
    everything = http.get(path, params={"limit": 5000}).json()
    assert (len(everything["results"]), everything["count"]) == (250, 250)
    assert everything["next"] is None


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "", "1.5"])
def test_a_useless_limit_gives_the_default_page(
    http: httpx.Client, sandbox: Sandbox, limit: str
) -> None:
    fill(sandbox, 101)
    assert len(ids(http.get(DATASETS, params={"limit": limit}))) == 100


@pytest.mark.parametrize("offset", ["-1", "abc", ""])
def test_a_useless_offset_is_zero(http: httpx.Client, sandbox: Sandbox, offset: str) -> None:
    expected = fill(sandbox, 3)
    assert ids(http.get(DATASETS, params={"offset": offset})) == expected


def test_an_offset_beyond_the_end_gives_no_rows(http: httpx.Client, sandbox: Sandbox) -> None:
    fill(sandbox, 3)
    answer = http.get(DATASETS, params={"offset": "7", "limit": "2"})
    assert answer.status_code == 200
    assert answer.json()["results"] == []
    assert answer.json()["next"] is None
    assert answer.json()["count"] == 3


def test_a_limit_of_2_to_the_63_answers_500(http: httpx.Client) -> None:
    answer = http.get(DATASETS, params={"limit": "9223372036854775808"})
    assert answer.status_code == 500
    assert answer.json()["type"] == "server_error"
    assert http.get(DATASETS, params={"limit": "9223372036854775807"}).status_code == 200


def test_the_default_order_is_newest_first_then_id(http: httpx.Client, sandbox: Sandbox) -> None:
    old = sandbox.state.insert("dataset", name="old", created_at=TIE - timedelta(days=1))
    tied = sorted(sandbox.state.insert("dataset", name="t", created_at=TIE) for _ in range(20))
    new = sandbox.state.insert("dataset", name="new", created_at=TIE + timedelta(microseconds=1))
    assert ids(http.get(DATASETS)) == [new, *tied, old]


def walk(http: httpx.Client, path: str, limit: int, **params: str) -> list[str]:
    found: list[str] = []
    while True:
        page = http.get(path, params={"limit": limit, "offset": len(found), **params}).json()
        found += [row["id"] for row in page["results"]]
        if page["next"] is None:
            return found


def test_an_explicit_order_by_loses_tied_rows_and_the_default_order_does_not(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    for n in range(500):
        sandbox.state.insert("dataset", name=f"n{n}", created_at=TIE)
    explicit = walk(http, DATASETS, 23, order_by="-created_at")
    assert len(explicit) == 500
    assert len(set(explicit)) < 500
    assert walk(http, DATASETS, 23, order_by="-created_at") == explicit
    default = walk(http, DATASETS, 23)
    assert len(set(default)) == len(default) == 500


def test_items_ignore_order_by_and_keep_their_tie_break(
    http: httpx.Client, sandbox: Sandbox, dataset: str
) -> None:
    for _ in range(100):
        sandbox.state.insert("item", dataset=dataset, created_at=TIE)
    found = walk(http, ITEMS, 23, order_by="nonsense", search="x", id__in="y")
    assert found == sorted(found)
    assert len(set(found)) == 100


@pytest.mark.parametrize(
    ("order_by", "names"),
    [
        ("created_at", ["a", "b", "c"]),
        ("-created_at", ["c", "b", "a"]),
        ("updated_at", ["b", "c", "a"]),
        ("-updated_at", ["a", "c", "b"]),
        ("-created_at,updated_at", ["c", "b", "a"]),
        ("", ["c", "b", "a"]),
    ],
)
def test_order_by_sorts(
    http: httpx.Client, sandbox: Sandbox, order_by: str, names: list[str]
) -> None:
    for name, age in (("a", 9), ("b", 1), ("c", 5)):
        created = TIE + timedelta(seconds=ord(name))
        updated = TIE + timedelta(days=age)
        sandbox.state.insert("dataset", name=name, created_at=created, updated_at=updated)
    answer = http.get(DATASETS, params={"order_by": order_by})
    assert [row["name"] for row in answer.json()["results"]] == names


def test_a_second_order_breaks_the_ties_of_the_first(http: httpx.Client, sandbox: Sandbox) -> None:
    for name, age in (("a", 2), ("b", 3), ("c", 1)):
        updated = TIE + timedelta(days=age)
        sandbox.state.insert("dataset", name=name, created_at=TIE, updated_at=updated)
    answer = http.get(DATASETS, params={"order_by": "created_at,-updated_at"})
    assert [row["name"] for row in answer.json()["results"]] == ["b", "a", "c"]


@pytest.mark.parametrize("order_by", ["name", "created_at,name", "--created_at", "created_at, id"])
def test_another_order_by_is_an_invalid_choice(http: httpx.Client, order_by: str) -> None:
    answer = http.get(DATASETS, params={"order_by": order_by})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_choice"
    assert answer.json()["attr"] == "order_by"


def test_a_trailing_comma_in_order_by_answers_500(http: httpx.Client) -> None:
    assert http.get(DATASETS, params={"order_by": "created_at,"}).status_code == 500


def test_deleted_rows_are_never_listed(http: httpx.Client, sandbox: Sandbox, dataset: str) -> None:
    gone = sandbox.state.insert("dataset", name="gone", deleted=True)
    item_gone = sandbox.state.insert("item", dataset=dataset, deleted=True)
    for extra in ({}, {"deleted": "true"}, {"archived": "true"}, {"id__in": gone}):
        assert gone not in ids(http.get(DATASETS, params=extra))
        assert item_gone not in ids(http.get(ITEMS, params=extra))


def test_a_row_with_deleted_null_is_listed(http: httpx.Client, sandbox: Sandbox) -> None:
    row = sandbox.state.insert("dataset", name="n", deleted=None)
    assert http.get(DATASETS).json()["results"][0]["deleted"] is None
    assert ids(http.get(DATASETS)) == [row]


def test_items_of_a_deleted_dataset_are_listed(
    http: httpx.Client, sandbox: Sandbox, dataset: str, item: str
) -> None:
    sandbox.state.delete("dataset", dataset)
    assert ids(http.get(ITEMS)) == [item]
    assert ids(http.get(ITEMS, params={"dataset": dataset})) == [item]


def test_the_dataset_filter_keeps_one_datasets_items(
    http: httpx.Client, sandbox: Sandbox, dataset: str, item: str
) -> None:
    other = sandbox.state.insert("dataset", name="other")
    foreign = sandbox.state.insert("item", dataset=other)
    assert ids(http.get(ITEMS, params={"dataset": dataset})) == [item]
    assert ids(http.get(ITEMS, params={"dataset": other})) == [foreign]
    assert sorted(ids(http.get(ITEMS))) == sorted([item, foreign])
    assert len(ids(http.get(ITEMS, params={"dataset": ""}))) == 2


def test_an_item_moves_with_its_dataset_field(
    http: httpx.Client, sandbox: Sandbox, dataset: str, item: str
) -> None:
    other = sandbox.state.insert("dataset", name="other")
    http.patch(f"{ITEMS}{item}/", json={"dataset": other})
    assert ids(http.get(ITEMS, params={"dataset": dataset})) == []
    assert ids(http.get(ITEMS, params={"dataset": other})) == [item]


@pytest.mark.parametrize("text", ["0b5a4cf0-93a1-4b2e-9a51-6f3f4d9e2c77", "abc"])
def test_the_dataset_filter_refuses_an_unknown_id(http: httpx.Client, text: str) -> None:
    answer = http.get(ITEMS, params={"dataset": text})
    assert (answer.status_code, answer.json()["attr"]) == (400, "dataset")


def test_unknown_parameters_are_ignored_and_echoed_into_links(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    fill(sandbox, 5)
    page = http.get(DATASETS, params={"zebra": "ü 1", "limit": 2, "offset": 2}).json()
    after, before = urlsplit(page["next"]), urlsplit(page["previous"])
    assert dict(parse_qsl(after.query)) == {"zebra": "ü 1", "limit": "2", "offset": "4"}
    assert dict(parse_qsl(before.query)) == {"zebra": "ü 1", "limit": "2"}


def test_links_are_absolute_with_the_hosts_name_and_the_path_used(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    fill(sandbox, 5)
    plain = http.get("/api/projects/1/datasets?limit=2").json()
    assert plain["next"] == "http://sandbox.test/api/projects/1/datasets?limit=2&offset=2"
    assert plain["previous"] is None
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "inner.example:8443"}
    proxied = http.get(DATASETS, params={"limit": 2}, headers=headers).json()
    assert proxied["next"].startswith("https://inner.example:8443/api/environments/1/datasets/?")


def test_links_carry_the_granted_limit(http: httpx.Client, sandbox: Sandbox) -> None:
    fill(sandbox, 101)
    assert "limit=100" in http.get(DATASETS, params={"limit": "abc"}).json()["next"]


def test_following_next_shows_every_row(http: httpx.Client, sandbox: Sandbox) -> None:
    expected = fill(sandbox, 10)
    found, url = [], f"{DATASETS}?limit=3"
    while url:
        page = http.get(url).json()
        found += [row["id"] for row in page["results"]]
        url = page["next"]
    assert found == expected


def test_a_row_inserted_between_pages_repeats_a_row(http: httpx.Client, sandbox: Sandbox) -> None:
    first = fill(sandbox, 4)
    one = ids(http.get(DATASETS, params={"limit": 2}))
    sandbox.state.insert("dataset", name="new")
    two = ids(http.get(DATASETS, params={"limit": 2, "offset": 2}))
    assert [*one, *two] == [first[0], first[1], first[1], first[2]]


def test_a_row_deleted_between_pages_skips_a_row_and_count_is_taken_anew(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    first = fill(sandbox, 4)
    one = http.get(DATASETS, params={"limit": 2})
    sandbox.state.delete("dataset", first[0])
    two = http.get(DATASETS, params={"limit": 2, "offset": 2})
    assert [*ids(one), *ids(two)] == [first[0], first[1], first[3]]
    assert (one.json()["count"], two.json()["count"]) == (4, 3)


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("BOT", ["Support bot"]),
        ("GOLDEN", ["Rag"]),
        ("50%_off", ["Sale"]),
        ("%", ["Sale"]),
        ("_", ["Sale"]),
        ('"split": "te', ["Split"]),
        ("größe", ["Größe"]),
        ("nothing", []),
    ],
)
def test_search_looks_for_a_substring_in_name_description_and_metadata(
    http: httpx.Client, sandbox: Sandbox, search: str, names: list[str]
) -> None:
    insert = sandbox.state.insert
    insert("dataset", name="Support bot")
    insert("dataset", name="Rag", description="golden answers")
    insert("dataset", name="Sale", description="50%_off")
    insert("dataset", name="Split", metadata={"split": "test"})
    insert("dataset", name="Größe")
    answer = http.get(DATASETS, params={"search": search})
    assert [row["name"] for row in answer.json()["results"]] == names
    assert answer.json()["count"] == len(names)


def test_id_in_keeps_the_named_datasets_and_skips_unknown_foreign_and_deleted_ones(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.add_project(2, "other")
    mine = [sandbox.state.insert("dataset", name="n") for _ in range(3)]
    foreign = sandbox.state.insert("dataset", 2, name="n")
    gone = sandbox.state.insert("dataset", name="n", deleted=True)
    wanted = [mine[0], mine[2], foreign, gone, "0b5a4cf0-93a1-4b2e-9a51-6f3f4d9e2c77"]
    answer = http.get(DATASETS, params={"id__in": ",".join(wanted)})
    assert sorted(ids(answer)) == sorted([mine[0], mine[2]])


@pytest.mark.parametrize("text", ["abc", "{0},abc", "{0}, {0}"])
def test_id_in_refuses_an_invalid_id(http: httpx.Client, dataset: str, text: str) -> None:
    answer = http.get(DATASETS, params={"id__in": text.format(dataset)})
    assert (answer.status_code, answer.json()["attr"]) == (400, "id__in")


def test_of_a_repeated_id_in_only_the_last_counts(http: httpx.Client, sandbox: Sandbox) -> None:
    one, two = (sandbox.state.insert("dataset", name="n") for _ in range(2))
    assert ids(http.get(f"{DATASETS}?id__in={one}&id__in={two}")) == [two]


def test_id_in_takes_more_than_100_ids_until_the_url_is_too_long(http: httpx.Client) -> None:
    for count, status in ((218, 200), (230, 414)):
        wanted = ",".join(str(uuid.UUID(int=n)) for n in range(count))
        assert http.get(f"{DATASETS}?id__in={wanted}").status_code == status


def test_head_answers_like_get(http: httpx.Client, dataset: str) -> None:
    assert http.head(f"{DATASETS}{dataset}/").status_code == 200
