"""Restores into another project, and of snapshots that another mirror took."""

from functools import partial
from pathlib import Path

import pytest

from dssync.core.fields import KINDS
from dssync.errors import UsageError
from dssync.mirror import links, past
from dssync.sync.past import Source
from dssync.sync.restorer import restore
from tests.sync.losing import WAIT, stored_as_second
from tests.sync.restoring import editable, go_back, ids, push, run_of
from tests.sync.world import World


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
        ends = links.Ends("dataset", "other", "prod")
        links.agree(tx, ends, {"original": id, "twin": "twin"}, 1)
    world.clock.advance(WAIT)
    world.pull()
    assert world.ours("dataset", key, "id") == id
    with world.mirror.database.read() as tx:
        found = links.find(tx, "prod", "dataset", "other", ["original", "twin"])
    assert found == {"original": key}
