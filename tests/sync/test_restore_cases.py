"""Restores one by one: what was lost, moved, broken, unreadable, edited here, or killed."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from dssync.core.brakes import Limit
from dssync.core.fields import KINDS
from dssync.errors import Brake, MirrorDamaged, UnknownRecord, UsageError
from dssync.mirror import Mirror, links, past
from dssync.sandbox import Sandbox
from dssync.sync.past import Source
from dssync.sync.restorer import restore
from tests.clock import FakeClock
from tests.seams import Seams, killed_at
from tests.sync.losing import WAIT, stored_as_second
from tests.sync.restoring import Editable, editable, fill, go_back, push, run_of
from tests.sync.test_restore import SPARE
from tests.sync.world import PROD, World

POISON = 2**70


@pytest.fixture
def filled(world: World) -> World:
    """Three datasets with twelve items, pulled as run 1, and an empty project beside them."""
    world.sandbox.add_project(5, "Spare")
    world.remotes = [PROD, SPARE]
    fill(world, 3, 12)
    world.pull()
    return world


def ids(world: World, kind: Any) -> list[str]:
    return [row["id"] for row in world.sandbox.state.rows(kind)]


def wipe(world: World) -> None:
    """Lose everything at the server, and believe it."""
    state = world.sandbox.state
    for kind in ("item", "dataset"):
        for row in list(state.rows(kind)):
            state.remove(kind, row["id"])
    world.pull(limit=Limit(share=1))


def bring_back(world: World, run: int, before: Editable) -> None:
    """Restore what the server no longer has: undeletes are tried, then everything is remade."""
    go_back(world, run)
    receipt = world.push()
    assert (receipt.exit_code, receipt.count("applied")) == (3, 0)
    done = go_back(world, run)
    assert done.toll.made == {"dataset": 3, "item": 12}
    assert set(done.plan.counts()) == {"create"}
    assert push(world) == 15
    world.pull()
    assert editable(world, "prod") == before


def test_after_the_remote_was_wiped_and_wiped_again(filled: World) -> None:
    before = editable(filled, "prod")
    for _ in range(2):
        wipe(filled)
        bring_back(filled, 1, before)
        assert not go_back(filled, 1).plan
    # every record kept its key through two lives, and a later snapshot knows it by that
    assert run_of(filled) > 1
    assert not go_back(filled, run_of(filled)).plan
    assert len(filled.sql("SELECT key FROM items WHERE deleted IS NOT 1")) == 12


def test_a_lost_dataset_comes_back_with_its_items(filled: World) -> None:
    before = editable(filled, "prod")
    filled.sandbox.state.remove("dataset", ids(filled, "dataset")[1])
    filled.pull()
    go_back(filled, 1)
    assert filled.push().exit_code == 3
    done = go_back(filled, 1)
    assert done.plan.counts() == {"create": 1, "update": 4}
    push(filled)
    filled.pull()
    assert editable(filled, "prod") == before
    assert not go_back(filled, 1).plan


def test_one_dataset_alone_with_items_that_moved_in_and_out(filled: World) -> None:
    state, before = filled.sandbox.state, editable(filled, "prod")
    three, two, one = ids(filled, "dataset")  # newest first
    items = {row["id"]: row["dataset"] for row in state.rows("item")}
    out = next(id for id, home in items.items() if home == one)
    came = next(id for id, home in items.items() if home == two)
    elsewhere = next(id for id, home in items.items() if home == three)
    state.update("item", out, dataset=two)
    state.update("item", came, dataset=one)
    state.update("item", elsewhere, input="stays changed")
    state.insert("item", dataset=one, input="new")
    state.update("dataset", three, name="stays renamed")
    filled.pull()
    with pytest.raises(UnknownRecord, match="stays renamed"):
        go_back(filled, 1, dataset="stays renamed")
    done = go_back(filled, 1, dataset="set 0")
    assert done.plan.counts() == {"update": 2, "delete": 1}
    push(filled)
    filled.pull()
    now = editable(filled, "prod")
    for name in ("set 0", "set 1"):
        assert [i for i in now["item"] if i[0] == name] == [
            i for i in before["item"] if i[0] == name
        ]
    assert filled.ours("item", elsewhere, "input") == '"stays changed"'
    assert go_back(filled, 1).plan.counts() == {"update": 2}


def test_pending_edits_are_named_and_dropped_only_when_told(filled: World) -> None:
    key = ids(filled, "item")[0]
    filled.set("item", key, input='"mine"')
    new = filled.mirror.new("dataset", "prod", {"name": "made here"})
    filled.mirror.new("item", None, {"dataset": new, "input": "1"})
    before = filled.dump()
    with pytest.raises(UsageError) as refused:
        go_back(filled, 1)
    assert f"item {key}" in refused.value.message
    assert "dataset made here" in refused.value.message
    assert filled.dump() == before
    assert go_back(filled, 1, discard=True).dropped == 3
    assert filled.nothing_planned()
    assert not filled.sql("SELECT key FROM datasets WHERE key = ?", new)


def test_conflicts_are_dropped_too(filled: World) -> None:
    key = ids(filled, "item")[0]
    held = filled.ours("item", key, "metadata")
    filled.set("item", key, metadata='"ours"')
    filled.sandbox.state.update("item", key, metadata="theirs")
    filled.pull()
    assert filled.plan().conflicts
    done = go_back(filled, 1, discard=True)
    assert (done.plan.counts(), done.plan.conflicts) == ({"update": 1}, ())
    push(filled)
    assert filled.raw("item", key)["metadata"] == (held or "null")


def test_a_dry_one_shows_the_same_plan_and_changes_nothing(filled: World) -> None:
    filled.sandbox.state.update("item", ids(filled, "item")[0], input="changed")
    filled.sandbox.state.insert("dataset", name="new")
    filled.pull()
    before = filled.dump()
    for to in (None, "spare"):
        shown = go_back(filled, 1, to, dry=True)
        assert filled.dump() == before
        assert shown.plan.counts() == go_back(filled, 1, to).plan.counts()
        for kind, key in filled.mirror.touched_keys():
            filled.mirror.revert(kind, key)
        before = filled.dump()


def test_what_was_deleted_then_is_deleted_again(filled: World) -> None:
    state = filled.sandbox.state
    item, home = ids(filled, "item")[0], ids(filled, "dataset")[2]
    state.delete("item", item)
    state.delete("dataset", home)
    filled.pull()
    run, before = run_of(filled), editable(filled, "prod")
    state.update("item", item, deleted=False)
    state.update("dataset", home, deleted=False)
    filled.pull()
    assert go_back(filled, run).plan.counts() == {"delete": 2}
    push(filled)
    filled.pull()
    assert editable(filled, "prod") == before


def test_a_large_loss_is_stopped_at_the_push(filled: World) -> None:
    for n in range(30):
        filled.sandbox.state.insert("item", dataset=ids(filled, "dataset")[0], input=n)
    filled.pull()
    assert go_back(filled, 1).plan.counts() == {"delete": 30}
    with pytest.raises(Brake):
        filled.push()


def test_a_null_key_an_absent_key_and_null_are_three(filled: World) -> None:
    key = ids(filled, "dataset")[0]
    shapes: list[Any] = [{"a": None}, {}, None]
    runs = []
    for shape in shapes:
        filled.sandbox.state.update("dataset", key, metadata=shape)
        filled.pull()
        runs.append(run_of(filled))
    for run, shown in zip(runs, ('{"a":null}', "{}", "null"), strict=True):
        go_back(filled, run)
        push(filled)
        filled.pull()
        assert filled.raw("dataset", key)["metadata"] == shown


def test_unreadable_records_come_back_as_last_read(filled: World) -> None:
    key, before = ids(filled, "item")[0], editable(filled, "prod")
    filled.sandbox.state.update("item", key, metadata=POISON)
    filled.pull()
    run = run_of(filled)
    assert run > 1
    filled.sandbox.state.update("item", key, metadata="repaired")
    filled.clock.advance(7200)
    filled.pull()
    done = go_back(filled, run)
    assert [each.key for each in done.unread] == [key]
    assert done.plan.counts() == {"update": 1}
    assert editable(filled, "prod") == before


def test_a_broken_state_is_refused_by_name(filled: World) -> None:
    key = ids(filled, "item")[0]
    filled.sandbox.state.update("item", key, input="changed")
    filled.pull()
    filled.sql("UPDATE items_history SET metadata = '\"forged\"' WHERE key = ?", key)
    before = filled.dump()
    with pytest.raises(MirrorDamaged, match=f"holds of item {key} is not what"):
        go_back(filled, 1)
    with pytest.raises(MirrorDamaged, match="snapshot 1 of prod can no longer be restored"):
        go_back(filled, 1, "spare")
    assert filled.dump() == before


def test_a_row_written_past_the_triggers_is_refused_by_name(filled: World) -> None:
    key = ids(filled, "item")[0]
    with filled.mirror.database.unit(9) as tx:
        tx.exec_driver_sql("UPDATE items SET input = '\"forged\"' WHERE key = ?", (key,))
    with pytest.raises(MirrorDamaged, match=key):
        go_back(filled, 1, "spare")


def test_a_snapshot_that_lost_a_record_is_refused(filled: World) -> None:
    with filled.mirror.database.unit(9) as tx:
        tx.exec_driver_sql("DELETE FROM items WHERE key = ?", (ids(filled, "item")[0],))
    with pytest.raises(MirrorDamaged, match="no longer those that were summed up"):
        go_back(filled, 1)


def test_items_of_a_deleted_dataset_have_no_place_elsewhere(filled: World) -> None:
    filled.sandbox.state.delete("dataset", ids(filled, "dataset")[0])
    filled.pull()
    done = go_back(filled, run_of(filled), "spare")
    assert done.plan.counts() == {"create": 2 + 8}
    assert {each.reason for each in done.left} == {
        "its dataset was deleted then, so there is no place for it"
    }
    assert len(done.left) == 4
    push(filled)
    assert not go_back(filled, run_of(filled), "spare").plan


def test_a_copy_that_was_deleted_in_the_other_project_is_undeleted(filled: World) -> None:
    go_back(filled, 1, "spare")
    push(filled)
    filled.pull()
    before = editable(filled, "spare")
    [id] = [row["id"] for row in filled.sandbox.state.rows("dataset", 5) if row["name"] == "set 0"]
    filled.sandbox.state.delete("dataset", id)
    filled.pull()
    assert go_back(filled, 1, "spare").plan.counts() == {"undelete": 1}
    push(filled)
    filled.pull()
    assert editable(filled, "spare") == before


def test_one_dataset_elsewhere_and_later_the_rest(filled: World) -> None:
    for _ in range(2):  # what was taken back is made anew
        assert go_back(filled, 1, "spare", dataset="set 0").plan.counts() == {"create": 5}
        for kind, key in filled.mirror.touched_keys():
            filled.mirror.revert(kind, key)
    go_back(filled, 1, "spare", dataset="set 0")
    push(filled)
    filled.pull()
    assert go_back(filled, 1, "spare").plan.counts() == {"create": 10}
    push(filled)
    filled.pull()
    assert editable(filled, "spare") == editable(filled, "prod")


def test_a_remote_that_was_never_pulled_is_named(filled: World) -> None:
    with pytest.raises(UsageError, match="has not met nowhere yet") as refused:
        go_back(filled, 1, "nowhere")
    assert refused.value.hint.startswith("dssync pull -r nowhere")


def carried(world: World, run: int) -> Source:
    """Return a snapshot as a file would carry it: values, and keys of the mirror that wrote it."""
    with world.mirror.database.read() as tx:
        held = {kind: list(past.held(tx, "prod", run, kind)) for kind in KINDS}
    return Source("prod", None, "a file of prod", (), lambda kind: iter(held[kind]))


def test_a_snapshot_of_another_mirror_is_known_by_its_ids(filled: World, tmp_path: Path) -> None:
    theirs = filled.another_mirror(tmp_path / "theirs.db")
    theirs.pull()
    key = theirs.mirror.new("dataset", "prod", {"name": "made there"})
    theirs.mirror.new("item", None, {"dataset": key, "input": "1"})
    theirs.push()
    theirs.pull()
    file, before = carried(theirs, run_of(theirs)), editable(theirs, "prod")
    theirs.mirror.close()
    filled.pull()
    restored = partial(restore, filled.mirror, file, filled.session)
    assert not restored().plan
    filled.sandbox.state.update("dataset", filled.mirror.find("made there").key, name="changed")
    filled.pull()
    assert restored().plan.counts() == {"update": 1}
    assert editable(filled, "prod") == before


def test_what_another_mirror_made_again_is_one_record_here(filled: World, tmp_path: Path) -> None:
    theirs = filled.another_mirror(tmp_path / "theirs.db")
    theirs.pull()
    lost = ids(filled, "dataset")[0]
    filled.sandbox.state.remove("dataset", lost)
    theirs.pull()
    theirs.mirror.recreate("dataset", lost)
    theirs.push()
    theirs.pull()
    file, before = carried(theirs, run_of(theirs)), editable(theirs, "prod")
    assert theirs.ours("dataset", lost, "id") != lost
    theirs.mirror.close()
    filled.pull()
    assert not restore(filled.mirror, file, filled.session).plan
    run = run_of(filled)
    for source in (file, carried(filled, run), file):
        restore(filled.mirror, source, filled.session, remote="spare")
        push(filled)
        filled.pull()
        assert editable(filled, "spare") == before
    assert not go_back(filled, run, "spare").plan


def test_records_that_this_mirror_never_saw_are_made_once(filled: World, tmp_path: Path) -> None:
    theirs = filled.another_mirror(tmp_path / "theirs.db")
    theirs.pull()
    extra = filled.sandbox.state.insert("dataset", name="extra")
    item = filled.sandbox.state.insert("item", dataset=extra, input=1, ref_trace_id="t")
    theirs.pull()
    file, before = carried(theirs, run_of(theirs)), editable(theirs, "prod")
    theirs.mirror.close()
    filled.sandbox.state.remove("item", item)
    filled.sandbox.state.remove("dataset", extra)
    filled.pull()
    done = restore(filled.mirror, file, filled.session)
    assert done.plan.counts() == {"create": 2}
    assert (done.toll.made, done.toll.traces) == ({"dataset": 1, "item": 1}, 0)
    push(filled)
    filled.pull()
    assert editable(filled, "prod") == before
    assert not restore(filled.mirror, file, filled.session).plan


def test_a_copy_in_doubt_keeps_its_link_when_a_pull_stored_it_first(
    world: World, home: str
) -> None:
    key, id = stored_as_second(world)
    with world.mirror.database.unit(9) as tx:
        links.remember(tx, "prod", "dataset", "other", {"original": id, "twin": "twin"}, 1)
    world.clock.advance(WAIT)
    world.pull()
    assert world.ours("dataset", key, "id") == id
    with world.mirror.database.read() as tx:
        found = links.find(tx, "prod", "dataset", "other", ["original", "twin"])
    assert found == {"original": key}


def killed_in_a_restore(path: Path, sandbox: Sandbox, seams: Seams) -> None:
    """Restore with a seam at every statement that the mirror is told."""
    world = World(sandbox, FakeClock(), Mirror.open(path), [PROD, SPARE])

    def told(*_: Any) -> None:
        seams()

    event.listen(Engine, "before_cursor_execute", told)
    try:
        with seams.watching_commits():
            go_back(world, 1, "spare")
    finally:
        event.remove(Engine, "before_cursor_execute", told)
        world.mirror.close()


def play_kills(world: World, step: int) -> int:
    path = world.mirror.path
    world.mirror.close()
    whole = path.read_bytes()
    before = world.dump()
    counting = Seams()
    killed_in_a_restore(path, world.sandbox, counting)
    after = sorted(map(str, world.sql("SELECT name, metadata FROM datasets")))
    kills = 0
    for seam in range(1, counting.passed + 1, step):
        for name in (f"{path}-wal", f"{path}-shm"):
            Path(name).unlink(missing_ok=True)
        path.write_bytes(whole)
        assert killed_at(path, Seams(seam), partial(killed_in_a_restore, path, world.sandbox))
        done = sorted(map(str, world.sql("SELECT name, metadata FROM datasets"))) == after
        assert done or world.dump() == before
        kills += 1
    return kills


def test_a_sample_of_kills(filled: World) -> None:
    assert play_kills(filled, step=11) > 4


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_kill_at_every_statement(filled: World) -> None:
    assert play_kills(filled, step=1) >= 50
