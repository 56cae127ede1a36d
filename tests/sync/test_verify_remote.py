"""One changed field among many records is found, and told apart from what the server changed."""

import pytest

from dssync.core.against import Difference
from dssync.core.sampling import Size
from dssync.sandbox import generate
from dssync.sync.comparing import Compared, Sample, compare_remotes
from tests.sync.world import World


def compared(world: World, sample: Sample | None = None) -> Compared:
    with world.watched() as seen:
        [found] = compare_remotes(world.mirror, world.remotes, world.session, sample)
    assert {entry.method for entry in seen} == {"GET"}
    return found


@pytest.fixture(params=[400, pytest.param(20_000, marks=pytest.mark.soak)])
def many(world: World, request: pytest.FixtureRequest) -> tuple[World, int]:
    generate(world.sandbox.state, datasets=4, items=request.param, seed=5)
    assert world.pull().exit_code == 0
    return world, request.param


def found(done: Compared) -> list[tuple[str, str]]:
    return [(difference.id, difference.found) for difference in done.differences]


def test_one_changed_field_among_many(many: tuple[World, int]) -> None:
    world, count = many
    whole = compared(world)
    assert (whole.exit_code, whole.differences, whole.trouble) == (0, [], None)
    assert whole.compared == whole.population == count + 4
    ids = [id for (id,) in world.sql("SELECT id FROM items ORDER BY id")]
    changed = ids[count // 2]
    world.sandbox.state.update("item", changed, output="another")
    done = compared(world)
    assert done.exit_code == 9
    assert done.differences == [
        Difference("prod", "item", changed, "changed", ("expected_output",))
    ]
    missed = compared(world, Sample(Size(count=1), 3))
    assert missed.compared == 1


def test_what_is_what(world: World) -> None:
    state = world.sandbox.state
    generate(state, datasets=2, items=30, seed=5)
    world.pull()
    ids = [id for (id,) in world.sql("SELECT id FROM items ORDER BY id")]
    state.delete("item", ids[0])
    state.update("item", ids[1], input=2**64)
    home = world.sandbox.state.rows("dataset")[0]["id"]
    new = state.insert("item", dataset=home, input="new")
    with world.mirror.database.unit(0) as tx:
        tx.exec_driver_sql(
            "UPDATE items SET input = '1', digest = zeroblob(16) WHERE id = ?", (ids[2],)
        )
    before = world.dump()
    done = compared(world)
    assert world.dump() == before
    assert sorted(found(done)) == sorted(
        [(ids[0], "gone"), (ids[1], "unreadable"), (ids[2], "damaged"), (new, "new")]
    )


def test_unreadable_then_and_now_is_no_difference(world: World) -> None:
    state = world.sandbox.state
    generate(state, datasets=2, items=30, seed=5)
    world.pull()
    [(id,)] = world.sql("SELECT id FROM items ORDER BY id LIMIT 1")
    state.update("item", id, input=2**64)
    world.pull()
    done = compared(world)
    assert (found(done), done.carried) == ([], 1)


def test_an_edit_here_is_no_difference(world: World) -> None:
    generate(world.sandbox.state, datasets=2, items=30, seed=5)
    world.pull()
    [(key,)] = world.sql("SELECT key FROM items ORDER BY id LIMIT 1")
    world.mirror.edit("item", key, {"input": '"edited"'})
    assert compared(world).exit_code == 0
    assert compared(world, Sample(Size(share=1.0), 1)).differences == []


def test_a_sample_finds_what_it_looked_at(world: World) -> None:
    state = world.sandbox.state
    generate(state, datasets=2, items=30, seed=5)
    world.pull()
    for row in state.rows("item"):
        state.update("item", row["id"], output="another")
    done = compared(world, Sample(Size(share=0.5), 1))
    assert done.compared == 16
    assert len(done.differences) >= 14
