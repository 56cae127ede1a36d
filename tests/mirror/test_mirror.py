"""The mirror's public face: find, list, edit, revert."""

import pytest

from dssync.core.fields import KindName
from dssync.errors import NoMirror, UnknownRecord, UsageError
from dssync.mirror import Mirror, touched
from tests.mirror.conftest import NEWER, NOW, Home
from tests.mirror.served import D1, D2, I1, I2, I3, dataset, item

FOUND = (
    ("a key", D1, D1),
    ("an item's key", I3, I3),
    ("a name", "Support", D1),
    ("a prefix of a key", "0199d002", D2),
    ("a prefix of an item's key", "0199e0", "ambiguous"),
    ("a prefix of a name", "Bill", D2),
    ("a prefix in other letters", "bill", D2),
    ("too short a prefix", "Bil", "unknown"),
    ("the middle of a name", "illing", "unknown"),
    ("a wildcard", "Bill%", "unknown"),
    ("another wildcard", "B_ll", "unknown"),
    ("nothing", "", "unknown"),
    ("every key", "0199", "ambiguous"),
)


@pytest.mark.parametrize(("text", "key"), [c[1:] for c in FOUND], ids=[c[0] for c in FOUND])
def test_find(home: Home, text: str, key: str) -> None:
    if key == "unknown":
        with pytest.raises(UnknownRecord, match="no record is called"):
            home.mirror.find(text)
    elif key == "ambiguous":
        with pytest.raises(UnknownRecord, match=r"fits \d records"):
            home.mirror.find(text)
    else:
        assert home.mirror.find(text).key == key


def test_an_exact_name_beats_a_prefix_and_a_key_beats_a_name(home: Home) -> None:
    home.scan("dataset", dataset("d8", "Support desk"), dataset("d9", "d8"))
    assert home.mirror.find("Support").key == D1
    assert home.mirror.find("d8").key == "d8"
    with pytest.raises(UnknownRecord, match=r"fits 2 records: .*Support") as found:
        home.mirror.find("Supp")
    assert "d8" in found.value.message
    assert D1 in found.value.message


def test_of_two_equal_names_the_live_one_is_meant(home: Home) -> None:
    home.scan("dataset", dataset("d9", "Support"))
    with pytest.raises(UnknownRecord, match="fits 2 records"):
        home.mirror.find("Support")
    home.sql.execute("DELETE FROM datasets WHERE key = ?", (D1,))
    assert home.mirror.find("Support").key == "d9"
    home.sql.execute("DELETE FROM datasets WHERE key = 'd9'")
    with pytest.raises(UnknownRecord, match="fits 2 records"):
        home.mirror.find("Support")
    assert home.mirror.find(D1).deleted


def test_many_candidates_are_counted_and_some_are_listed(home: Home) -> None:
    home.scan("dataset", *(dataset(f"many{n}", "Many") for n in range(11)))
    with pytest.raises(UnknownRecord) as found:
        home.mirror.find("Many")
    assert "fits 11 records" in found.value.message
    assert "and 3 more" in found.value.message
    assert found.value.message.count("Many (") == 8


def test_a_record_is_found_by_any_id_it_ever_had(home: Home) -> None:
    key = home.mirror.new("dataset", None, {"name": "Triage"})
    assert home.mirror.find(key).id is None
    home.adopt("dataset", key, {"name": "Triage"}, dataset("first-id", "Triage"))
    assert home.mirror.find("first-id").key == key
    home.adopt("dataset", key, {"name": "Triage"}, dataset("second-id", "Triage"))
    assert [home.mirror.find(id).key for id in ("first-id", "second-id")] == [key, key]


def test_a_record_as_it_stands(home: Home) -> None:
    home.mirror.edit("dataset", D2, {"name": "Invoices"})
    record = home.mirror.find(D2)
    assert (record.kind, record.key, record.id, record.remote) == ("dataset", D2, D2, "main")
    assert (record.label, record.deleted, record.created_by) == (
        "Invoices",
        False,
        "ann@example.com",
    )
    assert record.values["metadata"] == '{"a": 1}'
    assert home.mirror.find(I1).label == I1


def test_lists_are_newest_first_and_of_live_records(home: Home) -> None:
    home.scan(
        "dataset",
        dataset("noon", created_at="2026-11-24T12:00:00Z"),
        dataset("a moment later", created_at="2026-11-24T12:00:00.000001Z"),
        dataset("a little later", created_at="2026-11-24T12:00:00.500000Z"),
        dataset("before noon", created_at="2026-11-24T11:59:59.999999Z"),
    )
    made = home.mirror.new("dataset", None, {"name": "Triage"})
    home.mirror.delete("dataset", D2)
    keys = [record.key for record in home.mirror.datasets()]
    assert keys == [made, "a little later", "a moment later", "noon", "before noon", D1]
    assert D2 in {record.key for record in home.mirror.datasets(deleted=True)}
    home.gone("item", I1)
    assert [record.key for record in home.mirror.items(D1)] == [I2]
    assert [record.key for record in home.mirror.items(D1, deleted=True)] == [I1, I2]


def test_an_edit_is_guarded_by_everything_the_contract_says(home: Home) -> None:
    before = home.dump()
    cases: list[tuple[KindName, str, dict[str, str | int | None], str]] = [
        ("dataset", D1, {"metadata": "18446744073709551616"}, "needs more than 64 bits"),
        ("dataset", D1, {"name": "\u3000"}, "it cannot be blank"),
        ("dataset", D1, {"nam": "x"}, "a dataset has no field nam; it has name, description"),
        ("dataset", D1, {"id": "x"}, "has no field id"),
        ("dataset", D1, {}, "no field of dataset"),
        ("item", I1, {"source_output": "1"}, "has no such field"),
        ("item", I1, {"dataset": "nowhere"}, "a dataset of the same remote"),
        ("item", I1, {"trace_timestamp": "now"}, "not an ISO 8601 time"),
    ]
    for kind, key, values, sentence in cases:
        with pytest.raises(UsageError, match=sentence):
            home.mirror.edit(kind, key, values)
    assert home.dump() == before


def test_a_new_record_is_guarded_likewise(home: Home) -> None:
    before = home.dump()
    cases: list[tuple[KindName, str | None, dict[str, str | int | None], str]] = [
        ("dataset", None, {}, "name cannot be null"),
        ("dataset", None, {"name": "n", "metadata": "1e400"}, "a number is too large"),
        ("dataset", None, {"name": "n", "nam": "n"}, "has no field nam"),
        ("dataset", "nowhere", {"name": "n"}, "knows no remote of that name"),
        ("item", None, {"dataset": D1, "source_output": "1"}, "has no source_output"),
        ("item", None, {"input": "1"}, "a dataset of the same remote"),
    ]
    for kind, remote, values, sentence in cases:
        with pytest.raises(UsageError, match=sentence):
            home.mirror.new(kind, remote, values)
    assert home.dump() == before


def test_a_new_item_follows_the_contract_of_its_remote(home: Home) -> None:
    home.meet(NEWER)
    home.scan("dataset", dataset("there"), remote="newer")
    key = home.mirror.new("item", None, {"dataset": "there", "input": "1", "source_output": "2"})
    assert home.mirror.find(key).remote == "newer"
    with pytest.raises(UsageError, match="it must be a JSON object"):
        home.mirror.new("item", None, {"dataset": "there", "input": "1", "metadata": "2"})


def test_what_is_not_there_cannot_be_edited(home: Home) -> None:
    with pytest.raises(UnknownRecord, match=f"there is no item {D1}"):
        home.mirror.edit("item", D1, {"input": "1"})
    with pytest.raises(UnknownRecord, match="there is no dataset nowhere"):
        home.mirror.delete("dataset", "nowhere")
    with pytest.raises(UnknownRecord, match="there is no dataset nowhere"):
        home.mirror.undelete("dataset", "nowhere")


def test_delete_and_undelete(home: Home) -> None:
    home.mirror.delete("item", I1)
    assert home.mirror.find(I1).deleted
    home.mirror.undelete("item", I1)
    assert not home.mirror.find(I1).deleted


def test_reverting_a_record_is_a_copy_back(home: Home) -> None:
    before = home.dump()
    home.mirror.edit("dataset", D2, {"name": "Invoices", "metadata": "[]"})
    home.mirror.delete("dataset", D2)
    assert home.mirror.revert("dataset", D2)
    assert home.dump() == before
    assert not home.mirror.revert("dataset", D2)
    assert not home.mirror.revert("dataset", "nowhere")


def test_reverting_a_field_leaves_the_others(home: Home) -> None:
    home.mirror.edit("dataset", D2, {"name": "Invoices", "description": "new"})
    assert not home.mirror.revert("dataset", D2, ["metadata"])
    assert home.mirror.revert("dataset", D2, ["name"])
    row = home.row("dataset", D2)
    assert (row["name"], row["description"]) == ("Billing", "new")
    assert home.mirror.revert("dataset", D2, ["description"])
    assert home.mirror.touched_keys() == []
    with pytest.raises(UsageError, match="a dataset has no field title; it has name"):
        home.mirror.revert("dataset", D2, ["title"])


def test_reverting_takes_theirs_and_settles_a_conflict(home: Home) -> None:
    home.mirror.edit("dataset", D1, {"description": "ours", "metadata": "1"})
    home.scan("dataset", dataset(D1, description="theirs"))
    assert home.mirror.revert("dataset", D1, ["description"])
    assert home.row("dataset", D1)["description"] == "theirs"
    base = home.pending("dataset", D1)["base"]
    assert (base["description"], base["metadata"]) == ("theirs", None)
    assert home.row("dataset", D1)["metadata"] == "1"


def test_reverting_a_pushed_record_keeps_what_tells_a_neighbours_revert(home: Home) -> None:
    home.mirror.edit("dataset", D1, {"description": "new"})
    home.look("dataset", D1, {"description": "new"}, dataset(D1, description="new"))
    home.mirror.edit("dataset", D1, {"description": "newer"})
    assert home.mirror.revert("dataset", D1)
    assert home.row("dataset", D1)["description"] == "new"
    home.scan("dataset", dataset(D1))
    with home.mirror.database.read() as tx:
        triple = touched.triple(tx, "dataset", D1)
    assert triple is not None
    assert triple.reverted == {"description"}


def test_reverting_a_create_removes_it(home: Home) -> None:
    before = home.dump()
    parent = home.mirror.new("dataset", None, {"name": "Triage"})
    child = home.mirror.new("item", None, {"dataset": parent})
    with pytest.raises(UsageError, match="holds 1 items"):
        home.mirror.revert("dataset", parent)
    with pytest.raises(UsageError, match="its fields have no earlier value"):
        home.mirror.revert("item", child, ["input"])
    assert home.mirror.revert("item", child)
    assert home.mirror.revert("dataset", parent)
    assert home.dump() == before


def test_a_create_that_may_have_been_sent_is_not_dropped(home: Home) -> None:
    key = home.mirror.new("dataset", None, {"name": "Triage"})
    home.sql.execute(
        "INSERT INTO journal (run, remote, kind, key, action, deltas, opened_at)"
        " VALUES (1, 'main', 'dataset', ?, 'create', '[]', ?)",
        (key, NOW),
    )
    with pytest.raises(UsageError, match="may already exist on the server"):
        home.mirror.revert("dataset", key)
    assert home.mirror.find(key).label == "Triage"


def test_touched_records_come_items_first(home: Home) -> None:
    home.sql.execute("UPDATE datasets SET description = 'x' WHERE key = ?", (D1,))
    made = home.mirror.new("item", None, {"dataset": D1})
    home.mirror.delete("item", I1)
    assert home.mirror.touched_keys() == [("item", I1), ("item", made), ("dataset", D1)]


def test_a_location_is_a_path_or_an_sqlite_url(home: Home) -> None:
    path = home.mirror.path
    for location in (path, str(path), f"sqlite:///{path}"):
        with Mirror.open(location) as mirror:
            assert mirror.path == path
    with pytest.raises(UsageError, match="postgresql is no kind of mirror"):
        Mirror.open("postgresql://localhost/mirror")


def test_a_mirror_that_is_not_there_is_not_made_unasked(home: Home) -> None:
    folder = home.mirror.path.parent
    for name in ("none.db", "empty.db"):
        path = folder / name
        if name == "empty.db":
            path.touch()
        with pytest.raises(NoMirror, match="there is no mirror at") as missing:
            Mirror.open(path)
        assert missing.value.exit_code == 10
        assert not path.exists() or path.stat().st_size == 0
    Mirror.open(folder / "new" / "folder" / "mirror.db", create=True).close()


def test_an_item_knows_its_place(home: Home) -> None:
    home.scan("item", item("i9", "hidden"))
    assert [record.key for record in home.mirror.items("hidden")] == ["i9"]
    assert list(home.mirror.items("nowhere")) == []
