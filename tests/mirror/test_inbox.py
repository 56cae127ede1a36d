"""What a scan shows is stored: nothing for what stayed, history for what changed."""

import json
from typing import Any

import pytest

from dssync.core.fields import KindName
from dssync.mirror.incoming import Seen, values_of
from tests.mirror.conftest import NOW, Home
from tests.mirror.served import ANN, D1, D2, I1, I2, TIME, dataset, item, reading

LATER = "2026-11-24T09:00:00Z"


def test_a_new_record_is_stored_as_the_server_wrote_it(home: Home) -> None:
    fields = {"metadata": {"b": 1.0, "a": [2**64 - 1]}, "updated_at": LATER, "tags": ["x"]}
    inbox = home.scan("dataset", dataset("d9", "Nine", **fields))
    stored = home.row("dataset", "d9")
    digest = stored.pop("digest")
    assert len(digest) == 16
    assert stored == {
        "key": "d9",
        "id": "d9",
        "remote": "main",
        "name": "Nine",
        "description": None,
        "metadata": '{"b": 1.0, "a": [18446744073709551615]}',
        "deleted": 0,
        "created_at": TIME,
        "updated_at": LATER,
        "created_by": "ann",
        "rest": '{"tags":["x"],"team":1}',
        "absent_since": None,
        "run": inbox.run,
    }
    assert (inbox.counts.new, inbox.counts.changed, inbox.counts.unchanged) == (1, 0, 0)
    assert home.history("dataset", "d9") == []


def test_a_record_that_stayed_is_written_nowhere(home: Home) -> None:
    before = home.dump()
    changes = home.sql.execute("PRAGMA data_version").fetchone()
    inbox = home.scan("dataset", dataset(D1), dataset(D2, "Billing", metadata={"a": 1}))
    assert home.dump() == before
    assert (inbox.counts.new, inbox.counts.changed, inbox.counts.unchanged) == (0, 0, 2)
    assert changes != home.sql.execute("PRAGMA data_version").fetchone()  # the run itself


def test_a_change_moves_the_past_to_history(home: Home) -> None:
    before = home.row("dataset", D1)
    inbox = home.scan("dataset", dataset(D1, "Triage", updated_at=LATER), dataset(D2, "Billing"))
    after = home.row("dataset", D1)
    assert (after["name"], after["updated_at"], after["run"]) == ("Triage", LATER, inbox.run)
    assert home.history("dataset", D1) == [{**before, "until_run": inbox.run}]
    assert inbox.counts.changed == 2
    third = home.scan("dataset", dataset(D1, "Third", updated_at=LATER))
    assert [row["name"] for row in home.history("dataset", D1)] == ["Support", "Triage"]
    assert home.history("dataset", D1)[1]["until_run"] == third.run


@pytest.mark.parametrize(
    "fields",
    [
        {"updated_at": LATER},
        {"created_by": {"uuid": "bob", "id": 8}},
        {"created_by": None},
        {"team": 2},
        {"some_day": "a new field"},
        {"metadata": {}},
    ],
    ids=str,
)
def test_every_part_of_a_record_counts(home: Home, fields: dict[str, Any]) -> None:
    assert home.scan("dataset", dataset(D1, **fields)).counts.changed == 1
    assert len(home.history("dataset", D1)) == 1


def test_what_began_in_a_run_is_no_past_of_the_same_run(home: Home) -> None:
    inbox = home.scan("dataset", dataset(D1, "Triage"))
    with home.mirror.database.unit(inbox.run) as tx:
        inbox.store(tx, [dataset(D1, "Third")])
    assert [row["name"] for row in home.history("dataset", D1)] == ["Support"]
    assert home.row("dataset", D1)["name"] == "Third"


def test_a_colleagues_new_profile_is_no_change_of_their_records(home: Home) -> None:
    before = home.dump()
    ann = {**ANN, "email": "ann@example.org", "hedgehog_config": {"color": "blue"}}
    inbox = home.scan("dataset", dataset(D1, created_by=ann))
    assert inbox.counts.unchanged == 1
    assert home.dump() == before
    home.scan("dataset", dataset("d9", created_by=ann))
    (person,) = home.rows("SELECT * FROM people")
    assert person["id"] == "ann"
    assert json.loads(person["profile"]) == ann
    assert next(r for r in home.mirror.datasets() if r.key == D1).created_by == "ann@example.org"


def test_values_written_differently_are_no_change_but_the_row_is_renewed(home: Home) -> None:
    run = home.scan("dataset", dataset("d9", metadata={"n": 100.0, "a": "é"})).run
    body = dict.fromkeys(("description", "created_by"))
    spelled = reading(
        "dataset",
        {**_body("d9"), **body, "metadata": {"a": "\u00e9", "n": 1e2}, "created_by": ANN},
    )
    inbox = home.scan("dataset", spelled)
    assert (inbox.counts.changed, inbox.counts.unchanged) == (0, 1)
    after = home.row("dataset", "d9")
    assert (after["run"], after["digest"]) == (run, spelled.digest)
    assert after["metadata"].startswith('{"a"')
    assert home.history("dataset", "d9") == []


def _body(id: str) -> dict[str, object]:
    return {
        "id": id,
        "name": "Support",
        "created_at": TIME,
        "updated_at": TIME,
        "deleted": None,
        "team": 1,
    }


def test_a_record_shown_twice_is_stored_once(home: Home) -> None:
    inbox = home.scan("dataset", dataset("d9"), dataset("d9"), dataset(D1), dataset(D1))
    assert (inbox.counts.new, inbox.counts.unchanged) == (1, 1)
    with home.mirror.database.unit(inbox.run) as tx:
        inbox.store(tx, [dataset("d9")])
    assert (inbox.counts.new, inbox.counts.unchanged) == (1, 2)


def test_unseen_are_the_live_records_that_the_scan_did_not_show(home: Home) -> None:
    home.mirror.new("dataset", None, {"name": "made here"})
    home.scan("dataset", dataset("gone"))
    home.gone("dataset", "gone")
    home.scan("item", item("far", "hidden"))
    inbox = home.scan("dataset", dataset(D2, "Billing", metadata={"a": 1}), dataset("fresh"))
    with home.mirror.database.read() as tx:
        assert inbox.unseen(tx) == [D1]
    assert home.row("dataset", D1)["absent_since"] is None


def test_seen_counts_each_row_once() -> None:
    seen = Seen()
    for rowid in (1, 8, 9, 200_000, 1, 8):
        seen.add(rowid)
    assert seen.count == 4
    assert [rowid for rowid in (*range(20), 199_999, 200_000, 10**9) if rowid in seen] == [
        *(1, 8, 9),
        200_000,
    ]


def test_an_item_holds_the_key_of_its_dataset(home: Home) -> None:
    made = home.mirror.new("dataset", None, {"name": "Triage"})
    home.adopt("dataset", made, {"name": "Triage"}, dataset("d9", "Triage"))
    home.scan("item", item("i9", "d9"), item(I1, "d9", input="q"))
    assert home.row("item", "i9")["dataset"] == made
    assert home.row("item", I1)["dataset"] == made
    with home.mirror.database.read() as tx:
        assert values_of(tx, "main", "item", item("i8", "d9"))["dataset"] == made
        assert values_of(tx, "main", "item", item("i8", D2))["dataset"] == D2


def test_an_item_of_a_dataset_that_nobody_lists_gets_a_placeholder(home: Home) -> None:
    inbox = home.scan("item", item("i9", "hidden"), item("i8", "hidden"))
    holder = home.row("dataset", "hidden")
    assert (holder["id"], holder["remote"], holder["deleted"]) == ("hidden", "main", 1)
    assert (holder["absent_since"], holder["run"], holder["name"]) == (NOW, inbox.run, None)
    assert home.row("item", "i9")["dataset"] == "hidden"
    assert home.mirror.touched_keys() == []
    assert "hidden" not in {record.key for record in home.mirror.datasets()}
    assert [r.key for r in home.mirror.items("hidden")] == ["i8", "i9"]
    before = home.dump()
    home.scan("item", item("i9", "hidden"))
    assert home.dump() == before


def test_a_placeholder_is_completed_when_its_dataset_is_shown(home: Home) -> None:
    home.scan("item", item("i9", "hidden"))
    inbox = home.scan("dataset", dataset("hidden", "Found"))
    found = home.row("dataset", "hidden")
    assert (found["name"], found["absent_since"], found["deleted"]) == ("Found", None, 0)
    assert inbox.counts.changed == 1
    home.sql.execute("UPDATE datasets SET name = 'Edited' WHERE key = 'hidden'")
    assert home.mirror.touched_keys() == [("dataset", "hidden")]


KINDS_AND_KEYS: list[tuple[KindName, str]] = [("dataset", D1), ("item", I2)]


@pytest.mark.parametrize(("kind", "key"), KINDS_AND_KEYS)
def test_a_tombstone_keeps_the_row_and_its_past(home: Home, kind: KindName, key: str) -> None:
    before = home.row(kind, key)
    run = home.gone(kind, key)
    assert home.row(kind, key) == {**before, "deleted": 1, "absent_since": NOW, "run": run}
    assert home.history(kind, key) == [{**before, "until_run": run}]
    again = home.dump()
    home.gone(kind, key)
    assert home.dump() == again


def test_a_record_that_returns_is_live_again(home: Home) -> None:
    before = home.row("dataset", D1)
    gone = home.gone("dataset", D1)
    inbox = home.scan("dataset", dataset(D1))
    assert inbox.counts.changed == 1
    assert home.row("dataset", D1) == {**before, "run": inbox.run}
    assert [(row["run"], row["until_run"]) for row in home.history("dataset", D1)] == [
        (before["run"], gone),
        (gone, inbox.run),
    ]


def test_a_deleted_record_that_was_never_live_here_is_no_loss(home: Home) -> None:
    home.gone("dataset", "never heard of", D1)
    assert home.row("dataset", D1)["absent_since"] == NOW
    assert home.rows("SELECT 1 FROM datasets WHERE key = 'never heard of'") == []
