"""Records made offline, and edits that arrive while a request is under way."""

import json
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from dssync.core.fields import KindName
from dssync.core.plan import Change
from dssync.sandbox import Fault
from tests.sync.world import World

REFUSED = {"type": "validation_error", "code": "invalid", "detail": "Nope.", "attr": "name"}


@pytest.fixture
def dataset(world: World) -> str:
    id = world.sandbox.state.insert("dataset", name="one", description="before")
    world.pull()
    return id


def check_settled(world: World) -> None:
    assert world.pull().exit_code == 0
    assert world.nothing_planned()
    assert not world.sql("SELECT key FROM datasets_pending UNION SELECT key FROM items_pending")
    assert not world.sql("SELECT * FROM journal WHERE closed_at IS NULL")


def make_family(world: World) -> tuple[list[str], list[str]]:
    """Make two datasets with two items each by plain SQL, items first in no way."""
    world.sql(
        "INSERT INTO datasets (name, metadata) VALUES ('first', '{\"a\": 1}'), ('second', NULL)"
    )
    parents = [
        row[0] for row in world.sql("SELECT key FROM datasets WHERE id IS NULL ORDER BY name")
    ]
    for parent in parents:
        world.sql("INSERT INTO items (dataset, input) VALUES (?, '1'), (?, '2')", parent, parent)
    return parents, [row[0] for row in world.sql("SELECT key FROM items WHERE id IS NULL")]


def test_new_datasets_go_before_their_new_items(world: World, dataset: str) -> None:
    parents, items = make_family(world)
    changes = world.plan().changes
    assert {change.action for change in changes} == {"create"}
    receipt = world.push()
    assert (receipt.exit_code, receipt.count("applied")) == (0, 6)
    posts = world.asked("POST")
    assert [entry.path.rsplit("/", 2)[1] for entry in posts] == ["datasets"] * 2 + [
        "dataset_items"
    ] * 4
    state = world.sandbox.state
    ids = {row["name"]: row["id"] for row in state.rows("dataset")}
    bodies = [entry.body.decode() for entry in posts]
    assert sorted(bodies) == sorted(
        ['{"name":"first","metadata":{"a": 1}}', '{"name":"second"}']
        + [f'{{"dataset":"{ids[name]}","input":{n}}}' for name in ("first", "second") for n in "12"]
    )
    for name, key in zip(("first", "second"), parents, strict=True):
        held = world.sql("SELECT id, metadata, deleted FROM datasets WHERE key = ?", key)
        assert held == [(ids[name], '{"a":1}' if name == "first" else None, 0)]
    for key in items:
        assert state.get("item", world.ours("item", key, "id"))["input"] in (1, 2)
    check_settled(world)
    assert world.sql("SELECT count(*) FROM datasets") == [(3,)]
    assert world.sql("SELECT count(*) FROM items") == [(4,)]


def test_what_was_created_keeps_its_key_and_takes_edits(world: World, dataset: str) -> None:
    key = world.mirror.new("dataset", None, {"name": "new"})
    item = world.mirror.new("item", None, {"dataset": key, "input": "1"})
    assert world.push().exit_code == 0
    world.pull()
    world.set("dataset", key, name="newer")
    world.set("item", item, input="2")
    world.mirror.delete("item", item)
    receipt = world.push()
    assert receipt.exit_code == 0
    id = world.ours("dataset", key, "id")
    assert world.bodies() == {
        id: '{"name":"newer"}',
        world.ours("item", item, "id"): '{"input":2,"deleted":true}',
    }
    check_settled(world)


def test_items_of_a_refused_dataset_are_skipped_with_a_reason(world: World, dataset: str) -> None:
    parents, _ = make_family(world)
    refused, made = world.plan().changes[:2]
    assert [refused.label, made.label] in (["first", "second"], ["second", "first"])
    assert {refused.key, made.key} == set(parents)
    world.sandbox.faults.add(Fault("status", 400, method="POST", path="/datasets/", body=REFUSED))
    receipt = world.push()
    assert receipt.exit_code == 3
    by_where = {(e.kind, e.where or e.label): e for e in receipt.entries}
    assert by_where["dataset", refused.label].outcome == "failed"
    assert by_where["dataset", made.label].outcome == "applied"
    assert by_where["item", made.label].outcome == "applied"
    skipped = by_where["item", refused.label]
    assert (skipped.outcome, skipped.reason) == ("skipped", "its dataset was not created")
    assert receipt.count("skipped") == 2
    assert len(world.plan().changes) == 3

    assert world.push().exit_code == 0
    check_settled(world)
    assert len(world.sandbox.state.rows("item")) == 4


def test_items_of_a_dataset_in_doubt_wait(world: World, dataset: str) -> None:
    key = world.mirror.new("dataset", None, {"name": "new"})
    world.mirror.new("item", None, {"dataset": key, "input": "1"})
    world.sandbox.faults.add(Fault("status", 502, method="POST"))
    receipt = world.push()
    assert receipt.exit_code == 3
    assert [e.outcome for e in receipt.entries] == ["in doubt", "skipped"]
    assert len(world.asked("POST")) == 1
    world.clock.advance(120)
    receipt = world.push()
    assert [e.outcome for e in receipt.entries] == ["applied", "applied"]
    check_settled(world)


def test_made_and_deleted_offline_never_reaches_the_server(world: World, dataset: str) -> None:
    key = world.mirror.new("dataset", None, {"name": "new"})
    world.mirror.delete("dataset", key)
    assert world.nothing_planned()
    assert world.push().planned == 0
    assert not world.sql("SELECT key FROM datasets WHERE key = ?", key)


def test_a_new_item_in_a_dataset_that_is_deleted_there_still_goes(
    world: World, dataset: str
) -> None:
    world.sandbox.state.insert("dataset", name="another")
    world.mirror.new("item", None, {"dataset": dataset, "input": "1"})
    world.sandbox.state.delete("dataset", dataset)
    assert world.pull().exit_code == 0
    assert world.push().exit_code == 0
    assert [row["input"] for row in world.sandbox.state.rows("item")] == [1]
    check_settled(world)


# Somebody edits the mirror while the request is under way.

Act = Callable[[World, str], object]


def edit_same(world: World, key: str) -> None:
    world.set("dataset", key, name="edited in flight")


def edit_other(world: World, key: str) -> None:
    world.set("dataset", key, description="edited in flight")


def edit_both(world: World, key: str) -> None:
    world.set("dataset", key, name="edited in flight", description="edited in flight")


def delete(world: World, key: str) -> None:
    world.mirror.delete("dataset", key)


IN_FLIGHT: dict[str, tuple[Act, dict[str, object]]] = {
    "the same field": (edit_same, {"name": "edited in flight"}),
    "another field": (edit_other, {"description": "edited in flight"}),
    "both": (edit_both, {"name": "edited in flight", "description": "edited in flight"}),
    "a deletion": (delete, {"deleted": 1}),
}


@pytest.mark.parametrize("name", IN_FLIGHT)
def test_an_edit_made_while_a_patch_is_under_way_stays_pending(
    world: World, dataset: str, name: str
) -> None:
    act, after = IN_FLIGHT[name]
    world.set("dataset", dataset, name="sent")
    world.sandbox.before_save = lambda kind, id: act(world, dataset)
    receipt = world.push()
    world.sandbox.before_save = None
    assert (receipt.exit_code, receipt.count("applied")) == (0, 1)
    assert world.raw("dataset", dataset)["name"] == '"sent"'
    for _ in range(2):
        [change] = world.plan().changes
        assert change.after == after
        assert {d.before for d in change.deltas if d.field == "name"} <= {"sent"}
        assert world.pull().exit_code == 0
    assert world.push().exit_code == 0
    for field, value in after.items():
        assert json.loads(world.raw("dataset", dataset)[field]) == value
    check_settled(world)


@pytest.mark.parametrize("how", ["by hand", "by revert"])
def test_an_edit_reverted_while_it_is_sent_becomes_a_change_back(
    world: World, dataset: str, how: str
) -> None:
    def revert(kind: KindName, id: str) -> None:
        if how == "by hand":
            world.set("dataset", dataset, name="one")
        else:
            assert world.mirror.revert("dataset", dataset)

    world.set("dataset", dataset, name="sent")
    world.sandbox.before_save = revert
    receipt = world.push()
    world.sandbox.before_save = None
    assert receipt.count("applied") == 1
    assert world.raw("dataset", dataset)["name"] == '"sent"'
    world.pull()
    on_server = json.loads(world.raw("dataset", dataset)["name"])
    if how == "by revert":
        assert world.nothing_planned()
        assert world.ours("dataset", dataset, "name") == "sent"
    else:
        [change] = world.plan().changes
        assert [(d.before, d.after) for d in change.deltas] == [(on_server, "one")]
        assert world.push().exit_code == 0
        assert world.raw("dataset", dataset)["name"] == '"one"'
    check_settled(world)


@pytest.mark.parametrize("name", IN_FLIGHT)
def test_an_edit_made_while_a_post_is_under_way_stays_pending(
    world: World, dataset: str, name: str
) -> None:
    act, after = IN_FLIGHT[name]
    key = world.mirror.new("dataset", None, {"name": "sent"})

    def edit(request: httpx.Request) -> None:
        if request.method == "POST":
            act(world, key)

    world.meddle(after=edit)
    receipt = world.push()
    world.network = None
    assert (receipt.exit_code, receipt.count("applied")) == (0, 1)
    id = world.ours("dataset", key, "id")
    assert world.raw("dataset", id)["name"] == '"sent"'
    for _ in range(2):
        [change] = world.plan().changes
        assert (change.key, change.id, change.after) == (key, id, after)
        assert world.pull().exit_code == 0
    assert world.push().exit_code == 0
    for field, value in after.items():
        assert json.loads(world.raw("dataset", id)[field]) == value
    check_settled(world)


def test_a_record_edited_between_plan_and_request_is_not_sent(world: World, dataset: str) -> None:
    world.set("dataset", dataset, name="planned")
    prepared = world.prepare()
    world.set("dataset", dataset, name="since")
    receipt = world.apply(prepared)
    assert [(e.outcome, e.reason) for e in receipt.entries] == [
        ("skipped", "it was edited after the plan was made")
    ]
    assert not world.sandbox.log.writes()
    [change] = world.plan().changes
    assert isinstance(change, Change)
    assert change.after == {"name": "since"}


def test_a_used_plan_does_nothing_again(world: World, dataset: str) -> None:
    world.set("dataset", dataset, name="two")
    world.mirror.new("dataset", None, {"name": "new"})
    prepared = world.prepare()
    assert world.apply(prepared).count("applied") == 2
    again = world.apply(replace(prepared))
    assert again.count("skipped") == 2
    assert len(world.sandbox.log.writes()) == 2
