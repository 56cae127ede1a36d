"""Find, iterate and filter records as typed values."""

import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dssync import Dataset, Item, Mirror
from dssync.errors import NoMirror, UnknownField, UnknownRecord, UsageError
from dssync.library import access
from tests.mirror.conftest import MAIN, NEWER, OTHER, Home
from tests.mirror.served import D1, D2, I1, I2, I3, TIME, dataset, item

MOMENT = datetime(2026, 11, 23, 18, 13, 50, 347800, UTC)


def test_a_dataset_has_its_fields_as_values(mirror: Mirror) -> None:
    found = mirror.dataset("Billing")
    assert (found.key, found.id, found.remote, found.name) == (D2, D2, "main", "Billing")
    assert (found.description, found.metadata, found.deleted) == (None, {"a": 1}, False)
    assert (found.created_at, found.absent_since) == (MOMENT, None)
    assert found.created_by == "ann@example.com"
    assert repr(found) == f"<dataset {D2} 'Billing'>"


def test_an_item_has_its_fields_as_values(home: Home, mirror: Mirror) -> None:
    home.scan("item", item(I1, input=["q"], ref_timestamp=TIME, ref_trace_id="t", deleted=True))
    found = mirror.item(I1)
    assert (found.dataset, found.input, found.expected_output) == (D1, ["q"], None)
    assert (found.trace_id, found.trace_timestamp, found.deleted) == ("t", MOMENT, True)
    assert found.as_dict() == {
        **dict.fromkeys(("expected_output", "source_output", "metadata", "event_id")),
        "key": I1,
        "id": I1,
        "remote": "main",
        "dataset": D1,
        "input": ["q"],
        "trace_id": "t",
        "trace_timestamp": MOMENT,
        "client_item_id": None,
        "deleted": True,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "created_by": "ann@example.com",
    }


@pytest.mark.parametrize("name", ["Support", D1, "0199d001", "Supp", "support"])
def test_a_dataset_is_found_as_on_the_command_line(mirror: Mirror, name: str) -> None:
    assert mirror.dataset(name).key == D1


def test_a_name_that_fits_several_lists_them(mirror: Mirror) -> None:
    with pytest.raises(UnknownRecord, match=rf"fits 2 records: .*{D1}.*{D2}"):
        mirror.dataset("0199d")
    with pytest.raises(UnknownRecord, match="no record is called 'nobody'"):
        mirror.dataset("nobody")
    with pytest.raises(UnknownRecord, match="no record is called"):
        mirror.dataset("half \ud800")


def test_a_record_of_the_other_kind_is_refused_with_the_call_to_make(mirror: Mirror) -> None:
    with pytest.raises(UsageError, match="is an item") as refused:
        mirror.dataset(I1)
    assert refused.value.hint == f"mirror.item('{I1}')"
    with pytest.raises(UsageError, match="Support is a dataset"):
        mirror.item("Support")


def test_a_hint_stands_in_the_traceback(mirror: Mirror) -> None:
    with pytest.raises(UsageError) as refused:
        mirror.dataset(I1)
    assert refused.value.__notes__ == [refused.value.hint]


def test_lists_are_of_live_records_newest_first(home: Home, mirror: Mirror) -> None:
    home.scan("dataset", dataset("d9", "Later", created_at="2026-11-24T12:00:00Z"))
    home.mirror.delete("dataset", D2)
    assert [found.key for found in mirror.datasets()] == ["d9", D1]
    assert {found.key for found in mirror.datasets(deleted=True)} == {"d9", D1, D2}
    home.mirror.delete("item", I1)
    support = mirror.dataset("Support")
    assert [found.key for found in support.items()] == [I2]
    assert [found.key for found in support.items(deleted=True)] == [I1, I2]
    assert [found.key for found in mirror.items()] == [I2, I3]


def test_where_is_the_command_lines(mirror: Mirror) -> None:
    assert [i.key for i in mirror.items("metadata ->> 'split' = 'test'")] == [I2]
    assert [i.key for i in mirror.items("dataset_name = :home", params={"home": "Billing"})] == [I3]
    assert [i.key for i in mirror.dataset("Billing").items("input IS NULL")] == [I3]
    assert [d.key for d in mirror.datasets("name LIKE 'Bill%' -- no more")] == [D2]
    tagged = "EXISTS (SELECT 1 FROM json_each(metadata) WHERE value = 'test')"
    assert [i.key for i in mirror.items(tagged)] == [I2]
    quoted = {"split": "it's \" ); DROP TABLE items; --"}
    assert list(mirror.items("metadata ->> 'split' = :split", params=quoted)) == []


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("", "syntax error"),
        ("1) THEN 1 END OR (1", "syntax error"),
        ("nowhere = 1", "no such column: nowhere"),
        ("1; DELETE FROM items", "syntax error|semicolon"),
        ("(SELECT load_extension('x'))", "may only read"),
        ("input = :missing", "missing"),
        ("1 /*", "syntax error|incomplete|unrecognized"),
    ],
)
def test_a_bad_expression_is_refused_and_leaves_nothing(
    mirror: Mirror, where: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=f"where cannot be used: .*({reason})"):
        list(mirror.items(where))
    with mirror.editing():
        with pytest.raises(UsageError):
            list(mirror.items(where))
        mirror.item(I1).input = "the connection may write again"
    assert mirror.item(I1).input == "the connection may write again"


def test_records_come_in_pages_whatever_happens_between_them(
    home: Home, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.scan("item", *(item(f"i{n:03}", D2, input=n) for n in range(7)))
    monkeypatch.setattr(access, "AT_ONCE", 3)
    made = home.mirror.new("item", None, {"dataset": D2, "input": "1"})
    seen = []
    for found in mirror.dataset("Billing").items():
        seen.append(found.key)
        home.scan("item", item(f"new{len(seen)}", D2))  # nobody waits for a lock
        if found.key == made:
            home.mirror.delete("item", "i006")  # deleted here, and still a record
            home.sql.execute("DELETE FROM items WHERE key = ?", (made,))
    assert seen == [made, I3, *(f"i{n:03}" for n in range(7))]


def test_many_records_are_never_all_in_memory(home: Home, mirror: Mirror) -> None:
    text = "x" * 2_000
    home.scan("item", *(item(f"i{n:05}", D2, input=text) for n in range(3_000)))
    tracemalloc.start()
    count = sum(len(found.input) for found in mirror.dataset(D2).items("input IS NOT NULL"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 6_000_000
    assert peak < 3_000_000


def test_a_search_gives_records(home: Home, mirror: Mirror) -> None:
    home.mirror.edit("item", I3, {"input": '"I want a refund now"'})
    home.mirror.edit("dataset", D1, {"description": "refunds"})
    (match,) = mirror.search("refund")
    assert isinstance(match.record, Item)
    assert (match.record.key, match.field, match.snippet) == (I3, "input", "I want a [refund] now")
    assert [type(m.record) for m in mirror.search("refund*")] in ([Item, Dataset], [Dataset, Item])
    assert [m.record.key for m in mirror.search("refund*", kind="dataset")] == [D1]
    assert [m.record.key for m in mirror.search("refund*", dataset="Billing")] == [I3]
    assert len(mirror.search("refund*", limit=1)) == 1
    with mirror.editing(), pytest.raises(UsageError, match="finds only what is kept"):
        mirror.search("refund")


def test_a_mirror_may_be_opened_for_one_remote(home: Home) -> None:
    home.meet(OTHER, NEWER)
    home.scan("dataset", dataset("d8", "Support"), remote="other")
    home.scan("item", item("i8", "d8"), remote="other")
    with Mirror.open(home.mirror.path, "other") as other:
        assert other.remotes == (OTHER,)
        assert [d.key for d in other.datasets()] == ["d8"]
        assert [i.key for i in other.items()] == ["i8"]
        assert other.dataset("Support").key == "d8"
        with other.editing():
            assert other.new_dataset(name="Mine").remote == "other"
        assert [c.label for c in other.pending().changes] == ["Mine"]
    with Mirror.open(home.mirror.path) as every:
        assert every.remotes == (MAIN, NEWER, OTHER)
        with pytest.raises(UnknownRecord, match="fits 2 records"):
            every.dataset("Support")
        with every.editing(), pytest.raises(UsageError, match="name the remote"):
            every.new_dataset(name="Whose?")
        with every.editing():
            assert every.new_dataset("newer", name="Its").remote == "newer"
    with pytest.raises(UsageError, match="the mirror holds no remote nobody"):
        Mirror.open(home.mirror.path, "nobody")


def test_no_mirror_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoMirror, match="there is no mirror at"):
        Mirror.open(tmp_path / "mirror.db")
    with Mirror.open(tmp_path / "mirror.db", create=True) as made:
        assert (made.remotes, list(made.datasets())) == ((), [])


def test_a_closed_mirror_is_not_opened_again(mirror: Mirror) -> None:
    found = mirror.dataset("Support")
    rows = found.items()
    mirror.close()
    assert found.name == "Support"
    with pytest.raises(UsageError, match="is closed"):
        next(rows)
    with pytest.raises(UsageError, match="is closed"), mirror.editing():
        pass


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("inptu", "did you mean input?"),
        ("output", "did you mean source_output?"),
        ("qwertz", "it has dataset, input, expected_output"),
    ],
)
def test_a_wrong_name_is_an_attribute_error_with_a_sentence(
    mirror: Mirror, name: str, hint: str
) -> None:
    found = mirror.item(I1)
    for touch in (lambda: getattr(found, name), lambda: setattr(found, name, 1)):
        with pytest.raises(AttributeError, match=f"an item has no field {name}") as refused:
            touch()
        assert isinstance(refused.value, UnknownField)
        assert refused.value.hint.startswith(hint)
    assert not hasattr(found, name)


def test_records_are_equal_when_they_were_read_alike(mirror: Mirror) -> None:
    first, second = mirror.item(I1), mirror.item(I1)
    assert first == second
    assert len({first, second, mirror.item(I2)}) == 2
    with mirror.editing():
        second.input = "other"
    assert first != second
    first.reload()
    assert first == second
    assert first != I1
