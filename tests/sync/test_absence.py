"""What the server shows no longer is deleted only when that is proved, and never too much of it."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from dssync.core.brakes import Limit
from dssync.core.fields import KINDS, KindName
from dssync.core.receipt import Receipt
from dssync.errors import Brake
from dssync.sandbox import Fault
from tests.sync.world import World

ITEMS = 40


@pytest.fixture
def dataset(world: World) -> str:
    """Return the key of a dataset with 40 items, pulled."""
    state = world.sandbox.state
    state.insert("dataset", name="another")
    id = state.insert("dataset", name="one")
    for n in range(ITEMS):
        state.insert("item", dataset=id, input=n)
    world.pull()
    return id


def tombstones(world: World, kind: KindName = "item") -> set[str]:
    table = KINDS[kind].table
    return {row[0] for row in world.sql(f"SELECT key FROM {table} WHERE absent_since NOT NULL")}


def delete_items(world: World, count: int) -> set[str]:
    rows = world.sandbox.state.rows("item")[5 : 5 + count]
    for row in rows:
        world.sandbox.state.delete("item", row["id"])
    return {row["id"] for row in rows}


def absent(receipt: Receipt) -> list[int]:
    return [scan.absent for scan in receipt.scans]


def test_a_deletion_on_the_server_becomes_a_tombstone_after_a_get_proved_it(
    world: World, dataset: str
) -> None:
    gone = delete_items(world, 3)
    [kept] = world.sql("SELECT key, input FROM items WHERE key = ?", min(gone))
    world.sandbox.log.clear()
    receipt = world.pull()
    assert (receipt.exit_code, absent(receipt)) == (0, [0, 3])
    asked = {e.path.rstrip("/").rsplit("/", 1)[-1] for e in world.sandbox.log if e.status == 404}
    assert asked == gone
    assert tombstones(world) == gone
    deleted, since, value = world.sql(
        "SELECT deleted, absent_since, input FROM items WHERE key = ?", min(gone)
    )[0]
    assert (deleted, value) == (1, kept[1])
    assert since.startswith("2026-11-23T18:")
    past = world.sql("SELECT key, deleted, until_run FROM items_history")
    assert sorted(past) == [(key, 0, receipt.run) for key in sorted(gone)]
    assert world.nothing_planned()
    with world.watched() as seen:
        assert absent(world.pull()) == [0, 0]
    assert {entry.status for entry in seen} == {200}


def test_a_row_that_a_list_hides_but_a_get_shows_is_no_deletion(world: World, dataset: str) -> None:
    hidden = world.sandbox.state.rows("item")[7]["id"]

    def hide_from_lists(request: httpx.Request) -> None:
        world.sandbox.state.update("item", hidden, deleted="offset" in request.url.params)

    world.meddle(before=hide_from_lists)
    with world.watched() as seen:
        assert absent(world.pull()) == [0, 0]
    assert [entry.status for entry in seen if hidden in entry.path] == [200]
    assert tombstones(world) == set()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 500, path="dataset_items", nth=2, times=None),
        Fault("status", 502, path="dataset_items", nth=3, times=None),
        Fault("login_page", path="dataset_items", nth=2, times=None),
        Fault("redirect", "https://elsewhere.test/", path="dataset_items", nth=3),
        Fault("wrong_shape", {"results": 5}, path="dataset_items", nth=2),
        Fault("truncate", path="dataset_items", nth=2, times=None),
    ],
    ids=lambda fault: f"{fault.action} {fault.argument or ''}".strip(),
)
def test_a_scan_that_does_not_end_never_makes_a_tombstone(
    world: World, dataset: str, fault: Fault
) -> None:
    gone = delete_items(world, 3)
    world.page = 10
    world.sandbox.faults.add(fault)
    receipt = world.pull()
    assert receipt.exit_code in (5, 6)
    assert receipt.scans[1].outcome == "partial"
    assert tombstones(world) == set()
    world.sandbox.faults.clear()
    assert world.pull().exit_code == 0
    assert tombstones(world) == gone


def test_a_proof_that_fails_makes_no_tombstone(world: World, dataset: str) -> None:
    gone = delete_items(world, 3)
    world.sandbox.faults.add(Fault("status", 503, path=f"/{max(gone)}/", times=None))
    receipt = world.pull()
    assert receipt.exit_code == 5
    assert tombstones(world) == set()
    assert receipt.scans[1].outcome == "partial"


def lose(count: int) -> Callable[[World], object]:
    return lambda world: delete_items(world, count)


def list_nothing(world: World) -> None:
    world.sandbox.faults.add(Fault("empty_list", path="dataset_items", times=None))


@pytest.mark.parametrize(
    ("spoil", "lost"),
    [(lose(11), 11), (lose(35), 35), (list_nothing, 40)],
    ids=["a bit too much", "nearly all", "an empty list"],
)
def test_a_suspicious_loss_stops_before_anything_is_tombstoned(
    world: World, dataset: str, spoil: Callable[[World], object], lost: int
) -> None:
    spoil(world)
    state = world.sandbox.state
    state.update("dataset", dataset, name="renamed")
    new = state.insert("item", dataset=dataset, input="new")
    receipt = world.pull()
    assert receipt.exit_code == 8
    [trouble] = receipt.troubles
    assert f"{lost} of 4" in trouble.message
    assert f"--max-delete {lost}" in trouble.hint
    assert tombstones(world) == set()
    assert world.ours("dataset", dataset, "name") == "renamed"
    if spoil is not list_nothing:
        assert world.ours("item", new, "input") == '"new"'
    assert world.sql("SELECT count(*) FROM items WHERE deleted") == [(0,)]

    world.sandbox.faults.clear()
    assert world.pull(limit=Limit(count=lost)).exit_code == 0
    assert len(tombstones(world)) == (0 if spoil is list_nothing else lost)


def test_a_small_list_that_is_suddenly_empty_stops_too(world: World) -> None:
    state = world.sandbox.state
    ids = [state.insert("dataset", name=f"{n}") for n in range(3)]
    world.pull()
    for id in ids:
        state.delete("dataset", id)
    assert world.pull().exit_code == 8
    assert tombstones(world, "dataset") == set()
    assert world.pull(limit=Limit(count=3)).exit_code == 0
    assert tombstones(world, "dataset") == set(ids)


def test_ten_of_forty_may_go(world: World, dataset: str) -> None:
    gone = delete_items(world, 10)
    assert world.pull().exit_code == 0
    assert tombstones(world) == gone


def test_many_losses_are_proved_by_a_second_walk_of_their_dataset(world: World) -> None:
    state = world.sandbox.state
    datasets = [state.insert("dataset", name=f"{n}") for n in range(3)]
    for n in range(300):
        state.insert("item", dataset=datasets[n % 3], input=n)
    world.pull()
    gone = {row["id"] for row in state.rows("item") if row["dataset"] == datasets[1]}
    gone = set(sorted(gone)[:30])
    for id in gone:
        state.delete("item", id)
    world.sandbox.log.clear()
    receipt = world.pull()
    assert (receipt.exit_code, absent(receipt)) == (0, [0, 30])
    assert tombstones(world) == gone
    assert not [entry for entry in world.sandbox.log if entry.status == 404]
    assert {e.query["dataset"] for e in world.sandbox.log if "dataset" in e.query} == {datasets[1]}


def test_deleted_here_and_gone_there_is_settled(world: World, dataset: str) -> None:
    [key] = delete_items(world, 1)
    world.mirror.delete("item", key)
    world.mirror.delete("dataset", dataset)
    world.sandbox.state.delete("dataset", dataset)
    assert len(world.plan().changes) == 2
    assert world.pull().exit_code == 0
    assert world.nothing_planned()
    assert tombstones(world) == {key}
    assert not world.sql("SELECT key FROM items_pending UNION SELECT key FROM datasets_pending")


def test_deleted_here_and_gone_there_is_noticed_by_a_push_too(world: World, dataset: str) -> None:
    [key] = delete_items(world, 1)
    world.mirror.delete("item", key)
    receipt = world.push()
    assert (receipt.exit_code, [e.outcome for e in receipt.entries]) == (0, ["skipped"])
    assert not world.sandbox.log.writes()


def test_what_the_server_undeletes_comes_back(world: World, dataset: str) -> None:
    gone = delete_items(world, 2)
    world.pull()
    for id in gone:
        world.sandbox.state.undelete("item", id)
    receipt = world.pull()
    assert receipt.exit_code == 0
    assert tombstones(world) == set()
    assert world.sql("SELECT count(*) FROM items WHERE deleted") == [(0,)]
    assert world.nothing_planned()


def test_what_was_deleted_by_somebody_can_be_undeleted_here(world: World, dataset: str) -> None:
    [key] = delete_items(world, 1)
    world.pull()
    world.mirror.undelete("item", key)
    assert [change.action for change in world.plan().changes] == ["undelete"]
    assert world.push().exit_code == 0
    assert world.bodies() == {key: '{"deleted":false}'}
    assert world.raw("item", key)["deleted"] == "false"
    world.pull()
    assert (tombstones(world), world.nothing_planned()) == (set(), True)


def test_a_server_that_cannot_undelete_says_so_and_nothing_is_lost(
    world: World, dataset: str
) -> None:
    world.sandbox.patch_deleted = False
    [key] = delete_items(world, 1)
    world.pull()
    world.mirror.undelete("item", key)
    plan = world.plan()
    receipt = world.push()
    assert (receipt.exit_code, receipt.count("failed")) == (3, 1)
    assert "404" in receipt.entries[0].reason
    assert world.plan() == plan


def test_items_of_a_dataset_that_is_deleted_on_the_server_stay(world: World, dataset: str) -> None:
    world.sandbox.state.delete("dataset", dataset)
    receipt = world.pull()
    assert (receipt.exit_code, absent(receipt)) == (0, [1, 0])
    assert tombstones(world, "dataset") == {dataset}
    assert tombstones(world) == set()
    [(key, *_), *_] = world.sql("SELECT key FROM items")
    world.set("item", key, input='"edited"')
    assert world.push().exit_code == 0
    assert world.raw("item", key)["input"] == '"edited"'
    assert world.pull().exit_code == 0
    assert world.nothing_planned()


def test_a_new_mirror_gives_such_items_a_placeholder_that_a_later_scan_completes(
    world: World, dataset: str, tmp_path: Path
) -> None:
    world.sandbox.state.delete("dataset", dataset)
    colleague = world.another_mirror(tmp_path / "second.db")
    for _ in range(2):
        assert colleague.pull().exit_code == 0
        assert tombstones(colleague, "dataset") == {dataset}
        assert colleague.sql("SELECT count(*) FROM items WHERE dataset = ?", dataset) == [(ITEMS,)]
        assert colleague.nothing_planned()
    world.sandbox.state.undelete("dataset", dataset)
    assert colleague.pull().exit_code == 0
    assert colleague.ours("dataset", dataset, "name") == "one"
    assert tombstones(colleague, "dataset") == set()
    assert colleague.nothing_planned()
    colleague.mirror.close()


def test_a_push_that_deletes_too_much_is_stopped_before_any_write(
    world: World, dataset: str
) -> None:
    keys = [row[0] for row in world.sql("SELECT key FROM items ORDER BY key")][:11]
    for key in keys:
        world.mirror.delete("item", key)
    before = world.dump()
    with pytest.raises(Brake, match="11 of 40") as stopped:
        world.prepare()
    assert stopped.value.exit_code == 8
    assert "--max-delete 11" in stopped.value.hint
    assert world.dump() == before
    assert not world.sandbox.log.writes()
    assert world.apply(world.prepare(limit=Limit(count=11))).exit_code == 0
    assert world.sandbox.log.by_method()["PATCH"] == 11
