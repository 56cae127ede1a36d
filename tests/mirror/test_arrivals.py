"""What the server shows of records somebody edited is merged, and what was pushed is judged."""

from dssync.core.differ import difference
from dssync.core.merge import Reason
from dssync.core.plan import Change, Conflicted
from dssync.mirror import theirs, touched
from tests.mirror.conftest import NOW, Home
from tests.mirror.served import D1, D2, I1, dataset, item

LATER = "2026-11-24T09:00:00Z"
OLD = {"description": None}
NEW = {"description": "new"}


def said(home: Home, key: str) -> Change | Conflicted | None:
    """Return what a plan says of a dataset."""
    with home.mirror.database.read() as tx:
        triple = touched.triple(tx, "dataset", key)
    return difference(triple) if triple else None


def edit(home: Home, key: str, **values: object) -> None:
    setters = ", ".join(f"{name} = ?" for name in values)
    home.sql.execute(f"UPDATE datasets SET {setters} WHERE key = ?", (*values.values(), key))


def test_their_change_of_another_field_joins_ours(home: Home) -> None:
    before = home.row("dataset", D1)
    edit(home, D1, description="ours")
    inbox = home.scan("dataset", dataset(D1, "Triage", updated_at=LATER))
    row = home.row("dataset", D1)
    assert (row["name"], row["description"]) == ("Triage", "ours")
    assert (row["updated_at"], row["run"]) == (LATER, inbox.run)
    assert inbox.counts.changed == 1
    sides = home.pending("dataset", D1)
    assert [sides[s]["name"] for s in ("base", "theirs")] == ["Triage", "Triage"]
    assert (sides["base"]["description"], sides["theirs"]["description"]) == (None, None)
    assert sides["theirs"]["updated_at"] == LATER
    assert home.history("dataset", D1) == [{**before, "until_run": inbox.run}]
    change = said(home, D1)
    assert isinstance(change, Change)
    assert change.after == {"description": "ours"}


def test_an_untouched_read_of_an_edited_record_changes_nothing(home: Home) -> None:
    edit(home, D1, description="ours")
    before = home.dump()
    inbox = home.scan("dataset", dataset(D1))
    assert home.dump() == before
    assert (inbox.counts.changed, inbox.counts.unchanged) == (0, 1)


def test_the_same_change_on_both_sides_settles_the_record(home: Home) -> None:
    edit(home, D1, description="same")
    home.scan("dataset", dataset(D1, description="same"))
    assert home.pending("dataset", D1) == {}
    assert home.row("dataset", D1)["description"] == "same"


def test_json_is_joined_key_by_key_on_arrival(home: Home) -> None:
    edit(home, D2, metadata='{"a": 1, "ours": true}')
    home.scan("dataset", dataset(D2, "Billing", metadata={"a": 2}))
    assert home.row("dataset", D2)["metadata"] == '{"a":2,"ours":true}'
    assert home.pending("dataset", D2)["base"]["metadata"] == '{"a": 2}'


def test_a_conflict_keeps_ours_and_its_base_until_both_agree(home: Home) -> None:
    edit(home, D1, description="ours")
    home.scan("dataset", dataset(D1, description="theirs"))
    assert home.row("dataset", D1)["description"] == "ours"
    assert home.pending("dataset", D1)["base"]["description"] is None
    assert isinstance(said(home, D1), Conflicted)
    home.scan("dataset", dataset(D1, description="ours"))
    assert home.pending("dataset", D1) == {}


def test_edited_here_gone_there_is_a_conflict_that_stays(home: Home) -> None:
    edit(home, D1, description="ours")
    home.gone("dataset", D1)
    for _ in range(2):
        row = home.row("dataset", D1)
        assert (row["deleted"], row["absent_since"], row["description"]) == (0, NOW, "ours")
        found = said(home, D1)
        assert isinstance(found, Conflicted)
        assert [c.reason for c in found.conflicts] == [Reason.DELETED_THERE]
        home.gone("dataset", D1)
    home.scan("dataset", dataset(D1))
    assert isinstance(said(home, D1), Change)


def test_deleted_here_gone_there_is_settled(home: Home) -> None:
    home.sql.execute("DELETE FROM datasets WHERE key = ?", (D1,))
    home.gone("dataset", D1)
    assert home.pending("dataset", D1) == {}
    assert home.row("dataset", D1)["absent_since"] == NOW


def test_a_push_that_arrived_waits_for_the_next_run_to_see_it(home: Home) -> None:
    edit(home, D1, **NEW)
    assert home.look("dataset", D1, NEW, dataset(D1, **NEW, updated_at=LATER)) == ()
    sides = home.pending("dataset", D1)
    assert (sides["base"]["description"], sides["theirs"]["description"]) == (None, "new")
    assert sides["base"]["pushed_run"]
    assert said(home, D1) is None
    assert home.row("dataset", D1)["updated_at"] == LATER
    assert [row["description"] for row in home.history("dataset", D1)] == [None]
    home.scan("dataset", dataset(D1, **NEW, updated_at=LATER))
    assert home.pending("dataset", D1) == {}
    assert len(home.history("dataset", D1)) == 1


def test_what_the_server_stores_replaces_what_was_typed(home: Home) -> None:
    edit(home, D1, description="  new ", metadata="1e16")
    sent = {"description": "  new ", "metadata": "1e16"}
    home.look("dataset", D1, sent, dataset(D1, description="new", metadata=10**16))
    assert said(home, D1) is None
    row = home.row("dataset", D1)
    assert (row["description"], row["metadata"]) == ("new", "10000000000000000")


def test_a_push_found_reverted_at_once_is_a_conflict(home: Home) -> None:
    edit(home, D1, **NEW)
    (conflict,) = home.look("dataset", D1, NEW, dataset(D1))
    assert (conflict.field, conflict.reason) == ("description", Reason.REVERTED)
    assert (conflict.base, conflict.theirs, conflict.ours) == (None, None, "new")
    assert home.row("dataset", D1)["description"] == "new"
    home.scan("dataset", dataset(D1))
    found = said(home, D1)
    assert isinstance(found, Conflicted)
    assert [c.reason for c in found.conflicts] == [Reason.REVERTED]


def test_a_push_found_reverted_by_the_next_run_is_a_conflict(home: Home) -> None:
    edit(home, D1, **NEW)
    home.look("dataset", D1, NEW, dataset(D1, **NEW))
    home.scan("dataset", dataset(D1))
    found = said(home, D1)
    assert isinstance(found, Conflicted)
    assert [(c.field, c.reason) for c in found.conflicts] == [("description", Reason.REVERTED)]
    home.scan("dataset", dataset(D1, **NEW))
    assert home.pending("dataset", D1) == {}


def test_a_reverted_field_that_was_settled_may_be_edited_again(home: Home) -> None:
    edit(home, D1, name="Triage", **NEW)
    home.look("dataset", D1, NEW, dataset(D1))
    edit(home, D1, **OLD)
    home.scan("dataset", dataset(D1))
    edit(home, D1, description="another")
    change = said(home, D1)
    assert isinstance(change, Change)
    assert change.after == {"name": "Triage", "description": "another"}


def test_a_push_followed_by_somebody_elses_edit_takes_it(home: Home) -> None:
    edit(home, D1, **NEW)
    assert home.look("dataset", D1, NEW, dataset(D1, description="third")) == ()
    assert home.row("dataset", D1)["description"] == "third"
    assert said(home, D1) is None
    home.scan("dataset", dataset(D1, description="third"))
    assert home.pending("dataset", D1) == {}


def test_an_edit_made_while_the_request_was_under_way_stays_pending(home: Home) -> None:
    edit(home, D1, description="later")
    home.look("dataset", D1, NEW, dataset(D1, **NEW))
    change = said(home, D1)
    assert isinstance(change, Change)
    assert [(d.before, d.after) for d in change.deltas] == [("new", "later")]
    home.scan("dataset", dataset(D1, **NEW))
    assert said(home, D1) == change


def test_an_edit_put_back_by_hand_meanwhile_goes_out_again(home: Home) -> None:
    edit(home, D1, **NEW)
    edit(home, D1, **OLD)
    home.look("dataset", D1, NEW, dataset(D1, **NEW))
    change = said(home, D1)
    assert isinstance(change, Change)
    assert [(d.before, d.after) for d in change.deltas] == [("new", None)]


def test_an_edit_reverted_meanwhile_becomes_what_the_server_holds(home: Home) -> None:
    edit(home, D1, **NEW)
    assert home.mirror.revert("dataset", D1)
    assert home.look("dataset", D1, NEW, dataset(D1, **NEW)) == ()
    assert home.row("dataset", D1)["description"] == "new"
    assert home.pending("dataset", D1) == {}


def test_a_record_reverted_here_and_gone_there_meanwhile(home: Home) -> None:
    edit(home, D1, **NEW)
    assert home.mirror.revert("dataset", D1)
    assert home.look("dataset", D1, NEW, None) == ()
    row = home.row("dataset", D1)
    assert (row["deleted"], row["absent_since"], row["name"]) == (1, NOW, "Support")
    assert home.pending("dataset", D1) == {}


def test_a_record_made_here_adopts_its_id_and_keeps_its_key(home: Home) -> None:
    key = home.mirror.new("dataset", None, {"name": "Triage"})
    home.adopt("dataset", key, {"name": "Triage"}, dataset("d9", "Triage"))
    row = home.row("dataset", key)
    assert (row["id"], row["remote"], row["created_by"]) == ("d9", "main", "ann")
    assert home.mirror.touched_keys() == []
    inbox = home.scan("dataset", dataset("d9", "Triage"))
    assert (inbox.counts.new, inbox.counts.unchanged) == (0, 1)
    assert home.rows("SELECT 1 FROM datasets WHERE key = 'd9'") == []


def test_a_record_made_here_and_edited_meanwhile_is_pending(home: Home) -> None:
    key = home.mirror.new("dataset", None, {"name": "Triage"})
    home.sql.execute("UPDATE datasets SET name = 'Sorting' WHERE key = ?", (key,))
    home.adopt("dataset", key, {"name": "Triage"}, dataset("d9", "Triage"))
    change = said(home, key)
    assert isinstance(change, Change)
    assert (change.action, change.id, change.after) == ("update", "d9", {"name": "Sorting"})
    home.look("dataset", key, {"name": "Triage"}, dataset("d9", "Triage"))
    assert said(home, key) == change


def test_a_record_made_here_and_trimmed_there_is_settled(home: Home) -> None:
    key = home.mirror.new("dataset", None, {"name": " Triage "})
    home.adopt("dataset", key, {"name": " Triage "}, dataset("d9", "Triage"))
    home.look("dataset", key, {"name": " Triage "}, dataset("d9", "Triage"))
    assert home.row("dataset", key)["name"] == "Triage"
    assert home.mirror.touched_keys() == []


def test_a_record_made_here_and_gone_at_once(home: Home) -> None:
    key = home.mirror.new("dataset", None, {"name": "Triage"})
    home.adopt("dataset", key, {"name": "Triage"}, dataset("d9", "Triage"))
    home.look("dataset", key, {"name": "Triage"}, None)
    row = home.row("dataset", key)
    assert (row["deleted"], row["absent_since"], row["name"]) == (1, NOW, "Triage")


def test_a_pushed_deletion_is_settled_by_a_scan_that_does_not_show_it(home: Home) -> None:
    home.sql.execute("DELETE FROM items WHERE key = ?", (I1,))
    assert home.look("item", I1, {"deleted": 1}, None) == ()
    assert home.pending("item", I1)["base"]["pushed_run"]
    with home.mirror.database.unit(home.run()) as tx:
        theirs.settle_absent(tx, "other", "item")
    assert home.pending("item", I1)
    with home.mirror.database.unit(home.run()) as tx:
        theirs.settle_absent(tx, "main", "item")
    assert home.pending("item", I1) == {}
    row = home.row("item", I1)
    assert (row["deleted"], row["absent_since"]) == (1, NOW)


def test_a_deletion_that_carried_an_edit_is_settled_with_it(home: Home) -> None:
    edit(home, D1, description="new", deleted=1)
    assert home.look("dataset", D1, {"description": "new", "deleted": 1}, None) == ()
    assert said(home, D1) is None
    with home.mirror.database.unit(home.run()) as tx:
        theirs.settle_absent(tx, "main", "dataset")
    assert home.pending("dataset", D1) == {}
    assert home.row("dataset", D1)["description"] == "new"


def test_a_pushed_deletion_undone_by_a_neighbour_is_a_conflict(home: Home) -> None:
    home.sql.execute("DELETE FROM datasets WHERE key = ?", (D1,))
    home.look("dataset", D1, {"deleted": 1}, None)
    home.scan("dataset", dataset(D1))
    found = said(home, D1)
    assert isinstance(found, Conflicted)
    assert [(c.field, c.reason) for c in found.conflicts] == [("deleted", Reason.REVERTED)]
    assert home.row("dataset", D1)["absent_since"] is None


def test_settle_absent_leaves_live_and_unpushed_records_alone(home: Home) -> None:
    home.sql.execute("DELETE FROM items WHERE key = ?", (I1,))
    edit(home, D1, **NEW)
    home.look("dataset", D1, NEW, dataset(D1, **NEW))
    before = home.dump()
    with home.mirror.database.unit(home.run()) as tx:
        theirs.settle_absent(tx, "main", "item")
        theirs.settle_absent(tx, "main", "dataset")
    assert home.dump() == before


def test_an_item_moved_and_pushed_goes_by_keys(home: Home) -> None:
    home.sql.execute("UPDATE items SET dataset = ? WHERE key = ?", (D2, I1))
    home.look("item", I1, {"dataset": D2}, item(I1, D2, input="q"))
    home.scan("item", item(I1, D2, input="q"))
    assert home.pending("item", I1) == {}
    assert home.row("item", I1)["dataset"] == D2
