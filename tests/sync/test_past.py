"""What a remote held at a snapshot reads as it was, whatever became of it since."""

from typing import Any

import pytest

from dssync.core.fields import KINDS, KindName
from dssync.mirror import past, snapshots
from dssync.sandbox import generate
from tests.sync.world import World

Held = dict[KindName, dict[str, dict[str, Any]]]


def held(world: World, run: int) -> Held:
    with world.mirror.database.read() as tx:
        return {
            kind: {each.id: {**each.values} for each in past.held(tx, "prod", run, kind)}
            for kind in KINDS
        }


def runs(world: World) -> list[int]:
    with world.mirror.database.read() as tx:
        return [each.run for each in snapshots.known(tx)]


@pytest.fixture
def filled(world: World) -> World:
    generate(world.sandbox.state, datasets=3, items=30, seed=1)
    world.pull()
    return world


def test_edits_deletions_and_new_records_do_not_reach_the_past(filled: World) -> None:
    state, before = filled.sandbox.state, held(filled, 1)
    assert [len(records) for records in before.values()] == [3, 30]
    ids = [row["id"] for row in state.rows("item")]
    state.update("item", ids[0], metadata={"changed": "there"})
    state.delete("item", ids[1])
    state.remove("item", ids[2])
    filled.pull()
    filled.mirror.edit("item", ids[3], {"metadata": '{"changed":"here"}'})
    assert held(filled, 1) == before
    filled.push()
    filled.pull()
    assert held(filled, 1) == before
    assert [held(filled, run)["item"][ids[3]] for run in runs(filled)] == [
        before["item"][ids[3]],
        before["item"][ids[3]],
        {**before["item"][ids[3]], "metadata": '{"changed":"here"}'},
    ]


def test_an_item_lies_where_it_lay_before_its_dataset_was_lost_and_made_again(
    filled: World,
) -> None:
    before = held(filled, 1)
    lost = filled.sandbox.state.rows("dataset")[0]["id"]
    filled.sandbox.state.remove("dataset", lost)
    filled.pull()
    filled.mirror.recreate("dataset", lost)
    assert held(filled, 1) == before
    assert {each["dataset"] for each in held(filled, 1)["item"].values()} >= {lost}
    filled.push()
    filled.pull()
    assert held(filled, 1) == before
