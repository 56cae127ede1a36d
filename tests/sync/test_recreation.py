"""Undelete is tried; where the server refuses it, a record can be made again under its key."""

from collections.abc import Sequence

import pytest

from dssync.core.fields import KindName
from dssync.core.resolve import Choice
from dssync.errors import UsageError
from dssync.sandbox import Fault, Sandbox
from tests.clock import FakeClock
from tests.sync.world import World

OLD: dict[KindName, str] = {
    "dataset": "0199d001-0000-7000-8000-000000000001",
    "item": "0199e001-0000-7000-8000-000000000001",
}
DATASET, ITEM = OLD["dataset"], OLD["item"]
NEIGHBOUR = "0199d002-0000-7000-8000-000000000002"


@pytest.fixture
def sandbox(clock: FakeClock) -> Sandbox:
    """The oldest servers answer 404 to a PATCH of a deleted record."""
    return Sandbox(now=clock.now, limits=(), patch_deleted=False)


@pytest.fixture
def world(world: World) -> World:
    state = world.sandbox.state
    state.insert("dataset", id=NEIGHBOUR, name="neighbour")
    state.insert("dataset", id=DATASET, name="lost", description="old", metadata={"a": 1})
    state.insert("item", dataset=NEIGHBOUR)
    state.insert("item", id=ITEM, dataset=DATASET, input="q", output="a")
    for number in range(2):
        state.insert("item", dataset=DATASET, input=number)
    world.pull()
    return world


def lose(world: World, kind: KindName) -> None:
    world.sandbox.state.delete(kind, OLD[kind])
    world.pull()


def lost_and_made_again(world: World, kind: KindName) -> None:
    lose(world, kind)
    world.mirror.recreate(kind, OLD[kind])


def new_id(world: World, kind: KindName) -> str:
    return str(world.ours(kind, OLD[kind], "id"))


def check_settled(world: World) -> None:
    """Nothing is pending after the next pull, in no table, and nothing moves with one more."""
    for _ in range(2):
        receipt = world.pull()
        assert receipt.exit_code == 0
        assert world.nothing_planned()
        assert not world.sql("SELECT key FROM datasets_pending UNION SELECT key FROM items_pending")
    assert [scan.new + scan.changed + scan.absent for scan in receipt.scans] == [0, 0]


def untold(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Return what the mirror holds, but for what tells of runs."""
    dump = world.dump(["runs", "scans", "receipts", "journal", "sqlite_sequence"])
    return {table: sorted(rows, key=repr) for table, rows in dump.items()}


@pytest.mark.parametrize("kind", ["dataset", "item"])
def test_an_undelete_that_is_refused_offers_to_make_it_again(world: World, kind: KindName) -> None:
    lose(world, kind)
    world.mirror.undelete(kind, OLD[kind])
    receipt = world.push()
    assert receipt.exit_code == 3
    [entry] = receipt.entries
    assert (entry.action, entry.outcome, entry.status) == ("undelete", "failed", 404)
    assert f"make it again: dssync undelete {OLD[kind]} --recreate" in entry.reason
    [change] = world.plan().changes
    assert change.action == "undelete"


def test_the_offer_is_made_to_a_conflict_that_was_settled_for_ours(world: World) -> None:
    world.set("dataset", DATASET, description="mine")
    lose(world, "dataset")
    [conflicted] = world.plan().conflicts
    shown = {conflict.field: conflict for conflict in conflicted.conflicts}
    choices: dict[str, Choice] = {"deleted": "ours"}
    world.mirror.resolve("dataset", DATASET, choices, shown)
    assert "--recreate" in world.push().entries[0].reason
    world.mirror.recreate("dataset", DATASET)
    assert world.push().exit_code == 0
    assert world.raw("dataset", new_id(world, "dataset"))["description"] == '"mine"'
    check_settled(world)


def test_an_item_is_made_again_under_its_key(world: World) -> None:
    lost_and_made_again(world, "item")
    [change] = world.plan().changes
    assert (change.action, change.key, change.id) == ("create", ITEM, None)
    assert world.push().exit_code == 0
    assert new_id(world, "item") not in (ITEM, "None")
    assert world.raw("item", new_id(world, "item"))["input"] == '"q"'
    check_settled(world)
    assert world.ours("item", ITEM, "deleted") == 0


def test_an_edit_to_what_was_made_again_is_noticed(world: World) -> None:
    lost_and_made_again(world, "item")
    assert world.push().exit_code == 0
    world.set("item", ITEM, input="2")
    [change] = world.plan().changes
    assert (change.action, change.after) == ("update", {"input": "2"})
    assert world.push().exit_code == 0
    check_settled(world)


def test_a_dataset_is_made_again_and_its_items_move_along(world: World) -> None:
    lost_and_made_again(world, "dataset")
    plan = world.plan()
    assert [(c.action, c.kind) for c in plan.changes] == [
        ("create", "dataset"),
        *[("update", "item")] * 3,
    ]
    assert {c.deltas[0].after for c in plan.changes[1:]} == {DATASET}
    assert world.push().exit_code == 0
    new = new_id(world, "dataset")
    there = world.sandbox.state.rows("item")
    assert sorted(row["dataset"] for row in there) == sorted([NEIGHBOUR, new, new, new])
    check_settled(world)
    assert len(list(world.mirror.items(DATASET))) == 3
    assert [d.key for d in world.mirror.datasets()] == [DATASET, NEIGHBOUR]


def test_items_can_be_left_behind_one_by_one(world: World) -> None:
    lost_and_made_again(world, "dataset")
    world.mirror.revert("item", ITEM)
    assert world.push().exit_code == 0
    check_settled(world)
    assert world.raw("item", ITEM)["dataset"] == f'"{DATASET}"'
    assert world.ours("item", ITEM, "dataset") == f"prod/{DATASET}"
    assert len(list(world.mirror.items(DATASET))) == 2


def test_items_that_were_edited_moved_or_made_here_come_along(world: World) -> None:
    edited, moved = (
        row["id"] for row in world.sandbox.state.rows("item") if row["input"] in (0, 1)
    )
    world.set("item", edited, input='"edited"')
    world.set("item", moved, dataset=NEIGHBOUR)
    made = world.mirror.new("item", None, {"dataset": DATASET, "input": '"made"'})
    lost_and_made_again(world, "dataset")
    assert world.push().exit_code == 0
    new = new_id(world, "dataset")
    assert world.raw("item", edited)["dataset"] == f'"{new}"'
    assert world.raw("item", edited)["input"] == '"edited"'
    assert world.raw("item", moved)["dataset"] == f'"{NEIGHBOUR}"'
    assert world.raw("item", str(world.ours("item", made, "id")))["dataset"] == f'"{new}"'
    check_settled(world)


def test_the_past_stays(world: World) -> None:
    """The old record, then its tombstone until the new one is there."""
    lose(world, "item")
    [(deleted_in,)] = world.sql("SELECT run FROM items WHERE key = ?", ITEM)
    world.mirror.recreate("item", ITEM)
    receipt = world.push()
    query = "SELECT id, deleted, run, until_run FROM items_history WHERE key = ? ORDER BY run"
    assert world.sql(query, ITEM) == [(ITEM, 0, 1, deleted_in), (ITEM, 1, deleted_in, receipt.run)]


def test_taking_it_back_leaves_no_trace(world: World) -> None:
    for kind, key in OLD.items():
        lose(world, kind)
        before = untold(world)
        world.mirror.recreate(kind, key)
        world.set(kind, key, metadata='{"edited": true}')
        assert world.plan().changes
        for touched in world.mirror.touched_keys():
            world.mirror.revert(*touched)
        assert untold(world) == before


@pytest.mark.parametrize("kind", ["dataset", "item"])
def test_deleting_it_takes_it_back(world: World, kind: KindName) -> None:
    lose(world, kind)
    before = untold(world)
    world.mirror.recreate(kind, OLD[kind])
    world.mirror.delete(kind, OLD[kind])
    assert untold(world) == before


def test_deleting_it_by_sql_keeps_its_past(world: World) -> None:
    lose(world, "item")
    before = untold(world)
    world.mirror.recreate("item", ITEM)
    world.sql("DELETE FROM items WHERE key = ?", ITEM)
    assert world.nothing_planned()
    assert world.mirror.revert("item", ITEM)
    assert untold(world) == before


@pytest.mark.parametrize("kind", ["dataset", "item"])
@pytest.mark.parametrize("edited", [False, True], ids=["untouched", "edited"])
def test_an_old_id_that_comes_back_before_the_push_needs_nothing_made(
    world: World, kind: KindName, edited: bool
) -> None:
    lost_and_made_again(world, kind)
    if edited:
        world.set(kind, OLD[kind], metadata='{"mine": 1}')
    world.sandbox.state.update(kind, OLD[kind], deleted=False)
    assert world.pull().exit_code == 0
    assert new_id(world, kind) == OLD[kind]
    changes = world.plan().changes
    assert [(c.action, c.after) for c in changes] == (
        [("update", {"metadata": '{"mine": 1}'})] if edited else []
    )
    assert world.push().exit_code == 0
    assert not world.asked("POST")
    check_settled(world)
    assert not world.sql("SELECT id FROM aliases")
    assert len(list(world.mirror.datasets(deleted=True))) == 2


@pytest.mark.parametrize("kind", ["dataset", "item"])
def test_an_old_id_that_comes_back_after_the_push_is_a_record_of_its_own(
    world: World, kind: KindName
) -> None:
    lost_and_made_again(world, kind)
    assert world.push().exit_code == 0
    world.sandbox.state.update(kind, OLD[kind], deleted=False)
    assert world.pull().exit_code == 0
    assert world.ours(kind, f"prod/{OLD[kind]}", "id") == OLD[kind]
    assert world.ours(kind, f"prod/{OLD[kind]}", "deleted") == 0
    assert new_id(world, kind) != OLD[kind]
    check_settled(world)
    world.mirror.edit(kind, f"prod/{OLD[kind]}", {"metadata": "1"})
    assert world.push().exit_code == 0
    assert world.raw(kind, OLD[kind])["metadata"] == "1"
    assert world.raw(kind, new_id(world, kind))["metadata"] != "1"
    check_settled(world)


def test_an_old_id_that_comes_back_while_the_new_one_is_in_doubt_is_its_own_record(
    world: World,
) -> None:
    lost_and_made_again(world, "item")
    world.sandbox.faults.add(Fault("status_after", 502, method="POST"))
    assert [entry.outcome for entry in world.push().entries] != ["failed"]
    world.sandbox.state.update("item", ITEM, deleted=False)
    world.pull()
    assert new_id(world, "item") != ITEM
    assert world.ours("item", f"prod/{ITEM}", "id") == ITEM
    assert len(world.asked("POST")) == 1


def test_what_was_made_again_can_be_lost_and_made_again(world: World) -> None:
    for _ in range(3):
        last = new_id(world, "dataset")
        world.sandbox.state.delete("dataset", last)
        world.pull()
        world.mirror.recreate("dataset", DATASET)
        assert world.push().exit_code == 0
        assert new_id(world, "dataset") != last
        check_settled(world)
    assert len(list(world.mirror.items(DATASET))) == 3


def test_a_record_made_here_is_made_again(world: World) -> None:
    made = world.mirror.new("dataset", None, {"name": "made here"})
    assert world.push().exit_code == 0
    old = str(world.ours("dataset", made, "id"))
    world.sandbox.state.delete("dataset", old)
    world.pull()
    before = untold(world)
    world.mirror.recreate("dataset", made)
    world.mirror.revert("dataset", made)
    assert untold(world) == before
    world.mirror.recreate("dataset", made)
    assert world.push().exit_code == 0
    check_settled(world)
    world.sandbox.state.update("dataset", old, deleted=False)
    assert world.pull().exit_code == 0
    assert world.ours("dataset", f"prod/{old}", "name") == "made here"


def test_a_dataset_and_an_item_of_it_are_made_again_together(world: World) -> None:
    lose(world, "item")
    lose(world, "dataset")
    world.mirror.recreate("item", ITEM)
    world.mirror.recreate("dataset", DATASET)
    assert world.push().exit_code == 0
    new = new_id(world, "dataset")
    assert world.raw("item", new_id(world, "item"))["dataset"] == f'"{new}"'
    check_settled(world)
    assert len(list(world.mirror.items(DATASET))) == 3


def test_a_versioned_dataset_leaves_its_items_behind(world: World) -> None:
    """There an item's dataset can never change."""
    lose(world, "dataset")
    world.sql("UPDATE remotes SET contract = 'versioned'")
    left = world.mirror.recreate("dataset", DATASET)
    assert (left.moving, left.staying) == (0, 3)
    assert [c.kind for c in world.plan().changes] == ["dataset"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ([], "still on the server"),
        (["lose", "recreate"], "waits to be made already"),
        (["lose", "doubt"], "may have been applied"),
    ],
)
def test_what_cannot_be_made_again_is_refused(
    world: World, spoil: Sequence[str], said: str
) -> None:
    if "lose" in spoil:
        lose(world, "item")
    if "recreate" in spoil:
        world.mirror.recreate("item", ITEM)
    if "doubt" in spoil:
        world.sql(
            "INSERT INTO journal (run, remote, kind, key, action, deltas, opened_at)"
            " VALUES (1, 'prod', 'item', ?, 'undelete', '[]', '2026-11-23T18:00:00Z')",
            ITEM,
        )
    before = world.dump()
    with pytest.raises(UsageError, match=said):
        world.mirror.recreate("item", ITEM)
    assert world.dump() == before


def test_a_dataset_that_was_never_shown_cannot_be_made_again(world: World) -> None:
    hidden = world.sandbox.state.insert("dataset", name="hidden", deleted=True)
    world.sandbox.state.insert("item", dataset=hidden)
    world.pull()
    with pytest.raises(UsageError, match="never showed"):
        world.mirror.recreate("dataset", hidden)
