"""Both sides changed: what can be joined is joined, and the rest waits for somebody to decide."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dssync.core.merge import Conflict, Reason
from dssync.events import ChangeSent, Event
from tests.sync.world import World

HEADERS = {"Authorization": "Bearer phx_sandbox"}


@pytest.fixture
def datasets(world: World) -> list[str]:
    """Return the keys of three datasets, pulled."""
    ids = [
        world.sandbox.state.insert(
            "dataset", name=f"{n}", description="before", metadata={"a": 1, "b": {"c": 1}}
        )
        for n in range(3)
    ]
    world.pull()
    return ids


def conflicts(world: World) -> list[Conflict]:
    [conflicted] = world.plan().conflicts
    return list(conflicted.conflicts)


def check_settled(world: World) -> None:
    assert world.pull().exit_code == 0
    assert world.nothing_planned()
    assert not world.sql("SELECT key FROM datasets_pending UNION SELECT key FROM items_pending")


@pytest.mark.parametrize("pulled", [False, True], ids=["unseen", "pulled"])
def test_a_field_changed_on_both_sides_stays_out_and_the_others_go(
    world: World, datasets: list[str], pulled: bool
) -> None:
    for id in datasets:
        world.set("dataset", id, name="mine")
    theirs = datasets[1]
    world.sandbox.state.update("dataset", theirs, name="theirs")
    if pulled:
        assert world.pull().exit_code == 0
        assert [c.key for c in world.plan().conflicts] == [theirs]
    receipt = world.push()
    assert receipt.exit_code == 4
    assert {e.key: e.outcome for e in receipt.entries} == {
        datasets[0]: "applied",
        theirs: "conflicted",
        datasets[2]: "applied",
    }
    assert theirs not in world.bodies()
    assert world.raw("dataset", theirs)["name"] == '"theirs"'
    world.pull()
    assert conflicts(world) == [Conflict("name", "1", "theirs", "mine", Reason.BOTH_CHANGED)]
    assert world.ours("dataset", theirs, "name") == "mine"
    assert world.push().exit_code == 4


def test_a_conflict_is_settled_by_taking_theirs(world: World, datasets: list[str]) -> None:
    world.set("dataset", datasets[0], name="mine", description="mine too")
    world.sandbox.state.update("dataset", datasets[0], name="theirs")
    world.pull()
    assert world.mirror.revert("dataset", datasets[0], ["name"])
    [change] = world.plan().changes
    assert change.after == {"description": "mine too"}
    assert world.push().exit_code == 0
    check_settled(world)


def test_the_same_change_on_both_sides_is_agreement(world: World, datasets: list[str]) -> None:
    world.set("dataset", datasets[0], name="same", metadata='{"b": {"c": 2.0}, "a": 1}')
    world.sandbox.state.update(
        "dataset", datasets[0], name="same", metadata={"a": 1, "b": {"c": 2.0}}
    )
    receipt = world.push()
    assert (receipt.exit_code, [e.outcome for e in receipt.entries]) == (0, ["skipped"])
    assert not world.sandbox.log.writes()
    check_settled(world)


def test_different_fields_of_one_record_merge_silently(
    world: World, datasets: list[str], tmp_path: Path
) -> None:
    colleague = world.another_mirror(tmp_path / "second.db")
    colleague.pull()
    key = datasets[0]
    world.set("dataset", key, name="from the first")
    colleague.set("dataset", key, description="from the second")
    assert world.push().exit_code == 0
    assert colleague.push().exit_code == 0
    assert world.bodies()[key] == '{"description":"from the second"}'
    raw = world.raw("dataset", key)
    assert (raw["name"], raw["description"]) == ('"from the first"', '"from the second"')
    for each in (world, colleague):
        check_settled(each)
        assert each.ours("dataset", key, "name") == "from the first"
        assert each.ours("dataset", key, "description") == "from the second"
    colleague.mirror.close()


def test_json_objects_merge_key_by_key(world: World, datasets: list[str], tmp_path: Path) -> None:
    colleague = world.another_mirror(tmp_path / "second.db")
    colleague.pull()
    key = datasets[0]
    world.set("dataset", key, metadata='{"a": 2, "b": {"c": 1}}')
    colleague.set("dataset", key, metadata='{"a": 1, "b": {"c": 1, "new": []}}')
    assert world.push().exit_code == 0
    assert colleague.push().exit_code == 0
    merged = '{"a":2,"b":{"c":1,"new":[]}}'
    assert world.raw("dataset", key)["metadata"] == merged
    for each in (world, colleague):
        check_settled(each)
        assert each.ours("dataset", key, "metadata") == merged
    colleague.mirror.close()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ('{"a": 2, "b": {"c": 1}}', {"a": 3, "b": {"c": 1}}),
        ('{"b": {"c": 1}}', {"a": 3, "b": {"c": 1}}),
        ('{"a": 1, "b": [1]}', {"a": 1, "b": [2]}),
        ('"text"', {"a": 1, "b": {"c": 2}}),
    ],
    ids=["one key", "removed and edited", "lists", "another type"],
)
def test_json_that_cannot_be_joined_conflicts(
    world: World, datasets: list[str], ours: str, theirs: object
) -> None:
    world.set("dataset", datasets[0], metadata=ours)
    world.sandbox.state.update("dataset", datasets[0], metadata=theirs)
    assert world.push().exit_code == 4
    assert not world.sandbox.log.writes()
    world.pull()
    [conflict] = conflicts(world)
    assert (conflict.field, conflict.ours, conflict.reason) == (
        "metadata",
        ours,
        Reason.BOTH_CHANGED,
    )


@pytest.mark.parametrize("pulled", [False, True], ids=["unseen", "pulled"])
def test_edited_here_and_deleted_there(world: World, datasets: list[str], pulled: bool) -> None:
    key = datasets[0]
    world.set("dataset", key, name="mine")
    world.sandbox.state.delete("dataset", key)
    if pulled:
        world.pull()
    receipt = world.push()
    assert (receipt.exit_code, [e.outcome for e in receipt.entries]) == (4, ["conflicted"])
    assert not world.sandbox.log.writes()
    world.pull()
    [conflict] = conflicts(world)
    assert (conflict.field, conflict.reason) == ("deleted", Reason.DELETED_THERE)
    assert world.ours("dataset", key, "name") == "mine"
    assert world.mirror.revert("dataset", key)
    check_settled(world)
    assert world.ours("dataset", key, "deleted") == 1


def test_deleted_here_and_edited_there_deletes_and_keeps_their_edit(
    world: World, datasets: list[str]
) -> None:
    world.mirror.delete("dataset", datasets[0])
    world.sandbox.state.update("dataset", datasets[0], name="theirs")
    assert world.push().exit_code == 0
    assert world.bodies() == {datasets[0]: '{"deleted":true}'}
    assert world.raw("dataset", datasets[0])["name"] == '"theirs"'
    check_settled(world)


# A neighbour's PATCH of another field saves the whole row, as it was read before ours arrived.


@contextmanager
def neighbour_saving_late(world: World, key: str) -> Iterator[Callable[[], None]]:
    """Have a neighbour read a row now; what is yielded lets them save it."""
    reading, saving = threading.Event(), threading.Event()

    def hold(kind: str, id: str) -> None:
        reading.set()
        saving.wait(20)

    def patch() -> None:
        transport = httpx.WSGITransport(app=world.sandbox)
        with httpx.Client(transport=transport, base_url="https://posthog.test") as client:
            answer = client.patch(
                f"/api/environments/1/datasets/{key}/",
                json={"description": "the neighbour's"},
                headers=HEADERS,
            )
            assert answer.status_code == 200

    def save() -> None:
        saving.set()
        thread.join()

    world.sandbox.before_save = hold
    thread = threading.Thread(target=patch)
    thread.start()
    assert reading.wait(20)
    try:
        yield save
    finally:
        save()
        world.sandbox.before_save = None


def check_reverted(world: World, key: str) -> None:
    [conflict] = conflicts(world)
    assert conflict == Conflict("name", "0", "0", "mine", Reason.REVERTED)
    assert world.raw("dataset", key)["name"] == '"0"'
    assert world.ours("dataset", key, "name") == "mine"
    assert world.ours("dataset", key, "description") == "the neighbour's"
    with world.watched() as seen:
        assert world.push().exit_code == 4
    assert {entry.method for entry in seen} <= {"GET"}


def test_a_push_that_is_reverted_at_once_is_a_conflict(world: World, datasets: list[str]) -> None:
    key = datasets[0]
    world.set("dataset", key, name="mine")
    with neighbour_saving_late(world, key) as save:

        def let_save(event: Event) -> None:
            if isinstance(event, ChangeSent):
                save()

        world.report = let_save
        receipt = world.push()
    assert receipt.exit_code == 4
    [entry] = receipt.entries
    assert entry.outcome == "conflicted"
    assert "reverted after push" in entry.reason
    check_reverted(world, key)
    world.pull()
    check_reverted(world, key)


def test_a_push_that_is_reverted_before_the_next_pull_is_a_conflict(
    world: World, datasets: list[str]
) -> None:
    key = datasets[0]
    world.set("dataset", key, name="mine")
    with neighbour_saving_late(world, key) as save:
        assert world.push().exit_code == 0
        assert world.nothing_planned()
        save()
    assert world.pull().exit_code == 0
    check_reverted(world, key)
    world.pull()
    check_reverted(world, key)


def test_a_revert_is_found_by_a_push_that_comes_first(world: World, datasets: list[str]) -> None:
    key = datasets[0]
    world.set("dataset", key, name="mine")
    with neighbour_saving_late(world, key) as save:
        assert world.push().exit_code == 0
        save()
    world.set("dataset", key, metadata="2")
    receipt = world.push()
    assert (receipt.exit_code, [e.outcome for e in receipt.entries]) == (4, ["conflicted"])
    world.pull()
    check_reverted(world, key)


def test_a_change_after_a_push_by_somebody_else_is_theirs(
    world: World, datasets: list[str]
) -> None:
    key = datasets[0]
    world.set("dataset", key, name="mine")
    assert world.push().exit_code == 0
    world.sandbox.state.update("dataset", key, name="later")
    check_settled(world)
    assert world.ours("dataset", key, "name") == "later"


def test_an_edit_after_a_push_is_a_new_change(world: World, datasets: list[str]) -> None:
    key = datasets[0]
    world.set("dataset", key, name="mine")
    assert world.push().exit_code == 0
    world.set("dataset", key, name="mine again")
    [change] = world.plan().changes
    assert [(d.before, d.after) for d in change.deltas] == [("mine", "mine again")]
    assert world.push().exit_code == 0
    check_settled(world)
    assert world.raw("dataset", key)["name"] == '"mine again"'


def test_a_plan_that_was_shown_leaves_out_what_moved_since(
    world: World, datasets: list[str]
) -> None:
    for id in datasets[:2]:
        world.set("dataset", id, name="mine", metadata='{"a": 5, "b": {"c": 1}}')
    shown = world.plan()
    world.set("dataset", datasets[0], name="mine, changed")
    world.sandbox.state.update("dataset", datasets[1], metadata={"a": 1, "b": {"c": 7}})
    world.set("dataset", datasets[2], name="not in the plan")
    prepared = world.prepare(plan=shown)
    assert {each.change.key: [s.field for s in each.sides] for each in prepared.moved} == {
        id: ["name", "metadata"] for id in datasets[:2]
    }
    receipt = world.apply(prepared)
    assert [e.outcome for e in receipt.entries] == ["skipped", "skipped"]
    assert {entry.reason for entry in receipt.entries} == {
        "it was edited here after the plan was made",
        "somebody else changed it on the server after the plan was made",
    }
    [trouble] = receipt.troubles
    assert (trouble.code, trouble.exit_code, receipt.exit_code) == ("stale_plan", 6, 6)
    assert "2 of 2 planned changes" in trouble.message
    assert not world.sandbox.log.writes()


def test_an_edit_taken_back_by_hand_ends_a_conflict_with_a_deletion(world: World) -> None:
    state = world.sandbox.state
    home, other = (state.insert("dataset", name=name) for name in ("home", "other"))
    items = [state.insert("item", dataset=home, input=n) for n in range(2)]
    world.pull()
    world.set("item", items[0], dataset=other)
    state.delete("item", items[0])
    world.pull()
    assert len(world.plan().conflicts) == 1
    world.set("item", items[0], dataset=home)
    world.pull()
    assert world.nothing_planned()
    assert not world.sql("SELECT key FROM items_pending")
    assert world.ours("item", items[0], "deleted") == 1
