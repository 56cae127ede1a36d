"""Forgetting takes what it says and nothing else, and what is kept still adds up."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dssync.core.fields import KINDS
from dssync.core.retention import Policy, Rules
from dssync.errors import UnknownRun, UsageError
from dssync.mirror import past, place, pruning, snapshots
from dssync.sandbox import generate
from dssync.sync.forgetter import Forgetting, forget, judge, naming
from dssync.sync.log import read_story
from dssync.sync.undo import prepare_undo
from tests.sync.world import World

DAY = 86_400


@pytest.fixture
def nights(world: World) -> World:
    """Seven nights: item 0 changes every night, item 1 comes and goes, the others stay."""
    state = world.sandbox.state
    generate(state, datasets=2, items=20, seed=1)
    ids = [row["id"] for row in state.rows("item")]
    for night in range(7):
        state.update("item", ids[0], metadata={"night": night})
        state.update("item", ids[1], deleted=bool(night % 2))
        assert world.pull().exit_code == 0
        world.clock.advance(DAY)
    return world


def known(world: World) -> list[int]:
    with world.mirror.database.read() as tx:
        assert snapshots.lost(tx, "prod") == []
        return [each.run for each in snapshots.known(tx, ["prod"])]


def held(world: World, run: int) -> list[object]:
    with world.mirror.database.read() as tx:
        return [list(past.held(tx, "prod", run, kind)) for kind in KINDS]


def through(world: World) -> int:
    with world.mirror.database.read() as tx:
        return pruning.pruned_through(tx, "prod")


def by(world: World, *, last: int) -> Forgetting:
    return judge(world.mirror, {"prod": Rules(Policy(last=last))})


def states(world: World) -> int:
    [(count,)] = world.sql("SELECT count(*) FROM items_history")
    return int(count)


def spacious(path: Path) -> None:
    """Leave four free megabytes inside a mirror's file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE filler (text)")
        connection.execute("INSERT INTO filler VALUES (zeroblob(4000000))")
        connection.execute("DROP TABLE filler")
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_forgetting_alone_keeps_every_state(nights: World) -> None:
    before = states(nights)
    receipt = forget(nights.mirror, by(nights, last=2), nights.session)
    assert (receipt.exit_code, receipt.notes) == (0, ("prod: 5 snapshots forgotten, 2 kept",))
    assert (known(nights), states(nights), through(nights)) == ([6, 7], before, 0)


def test_pruning_frees_what_no_kept_snapshot_holds(nights: World) -> None:
    kept = {run: held(nights, run) for run in (3, 7)}
    before = states(nights)
    forgetting = naming(nights.mirror, (1, 2, 4, 5, 6), ())
    receipt = forget(nights.mirror, forgetting, nights.session, prune=True)
    assert receipt.notes[0] == f"prod: 5 snapshots forgotten, 2 kept, {before - 2} states pruned"
    assert (known(nights), states(nights), through(nights)) == ([3, 7], 2, 7)
    assert {run: held(nights, run) for run in (3, 7)} == kept


def test_the_next_pull_goes_on_from_there(nights: World) -> None:
    forget(nights.mirror, by(nights, last=1), nights.session, prune=True)
    [row, *_] = nights.sandbox.state.rows("item")
    nights.sandbox.state.update("item", row["id"], metadata={"later": 1})
    assert nights.pull().exit_code == 0
    assert known(nights) == [7, 9]
    assert states(nights) == 1


def test_what_is_newer_than_the_newest_snapshot_stays(nights: World) -> None:
    [(key,)] = nights.sql("SELECT key FROM items WHERE run = 1 LIMIT 1")
    nights.mirror.edit("item", key, {"input": '"pushed"'})
    nights.push()
    nights.mirror.edit("item", key, {"input": '"pushed again"'})
    nights.push()
    dump = nights.sql("SELECT * FROM items_history WHERE until_run > 7")
    assert len(dump) == 2
    forget(nights.mirror, by(nights, last=1), nights.session, prune=True)
    assert nights.sql("SELECT * FROM items_history") == dump


def test_edits_their_base_and_theirs_stay(nights: World) -> None:
    [(key,)] = nights.sql("SELECT key FROM items WHERE run = 1 LIMIT 1")
    nights.mirror.edit("item", key, {"input": '"mine"'})
    tables = ("items", "items_pending", "datasets", "receipts", "aliases", "journal")
    before = {name: nights.dump()[name] for name in tables}
    forget(nights.mirror, by(nights, last=1), nights.session, prune=True)
    assert {name: nights.dump()[name] for name in tables} == before
    assert nights.push().exit_code == 0


def test_an_open_intent_keeps_what_was_replaced_since(nights: World) -> None:
    nights.sql(
        "INSERT INTO journal (run, remote, kind, key, action, deltas, opened_at)"
        " VALUES (4, 'prod', 'item', 'new-0', 'create', '[]', '2026-11-26T18:00:00Z')"
    )
    forget(nights.mirror, by(nights, last=1), nights.session, prune=True)
    assert through(nights) == 3
    assert nights.sql("SELECT min(until_run) FROM items_history") == [(4,)]


def test_the_newest_is_never_forgotten(nights: World) -> None:
    with pytest.raises(UsageError, match="snapshot 7 is the newest"):
        naming(nights.mirror, (2, 7), ())
    found = naming(nights.mirror, (6,), ())
    nights.sql("DELETE FROM snapshots WHERE run = 7")  # it became the newest since it was shown
    receipt = forget(nights.mirror, found, nights.session, prune=True)
    assert receipt.exit_code == 2
    assert known(nights) == [1, 2, 3, 4, 5, 6]


def test_no_policy_and_unknown_runs_are_refused(nights: World) -> None:
    with pytest.raises(UsageError, match="nothing was forgotten"):
        judge(nights.mirror, {"prod": Rules(Policy())})
    with pytest.raises(UsageError, match="run 99 has no snapshot"):
        naming(nights.mirror, (99,), ())
    assert known(nights) == [1, 2, 3, 4, 5, 6, 7]


def test_nothing_goes_while_a_snapshot_that_stays_is_damaged(nights: World) -> None:
    with closing(sqlite3.connect(nights.mirror.path)) as connection, connection:
        connection.execute("UPDATE snapshots SET items = items + 1 WHERE run = 7")
    before = nights.dump(["runs"])
    receipt = forget(nights.mirror, by(nights, last=2), nights.session, prune=True)
    assert receipt.exit_code == 9
    assert "snapshot 7 of prod does not add up" in receipt.troubles[0].message
    assert nights.dump(["runs", "sqlite_sequence"]) == {
        name: rows for name, rows in before.items() if name != "sqlite_sequence"
    }


def test_a_damaged_snapshot_can_be_forgotten_by_its_run(nights: World) -> None:
    with closing(sqlite3.connect(nights.mirror.path)) as connection, connection:
        connection.execute("UPDATE snapshots SET items = items + 1 WHERE run = 3")
    assert forget(nights.mirror, naming(nights.mirror, (3,), ()), nights.session).exit_code == 0
    assert known(nights) == [1, 2, 4, 5, 6, 7]


def test_a_file_that_somebody_writes_keeps_its_room_inside(
    nights: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    spacious(nights.mirror.path)
    before, size = nights.dump(), nights.mirror.path.stat().st_size
    with closing(sqlite3.connect(nights.mirror.path)) as writer, monkeypatch.context() as patch:
        patch.setattr(place, "connect", impatient)
        writer.execute("BEGIN IMMEDIATE")
        freed = pruning.free(nights.mirror.path)
        writer.execute("ROLLBACK")
    assert (freed.given_back, freed.reason) == (0, "database is locked")
    freed = pruning.free(nights.mirror.path)
    assert freed.given_back > 3_900_000
    assert nights.mirror.path.stat().st_size == size - freed.given_back
    assert nights.dump() == before


def impatient(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=0, isolation_level=None)


@pytest.fixture
def pushed(nights: World) -> tuple[World, str, str]:
    """Two items were pushed in run 8, and somebody changed the first of them before run 9."""
    keys = [key for (key,) in nights.sql("SELECT key FROM items WHERE run = 1 LIMIT 2")]
    for key in keys:
        nights.mirror.edit("item", key, {"input": '"pushed"'})
    assert nights.push().run == 8
    nights.sandbox.state.update("item", keys[0], metadata={"by": "somebody"})
    for _ in range(3):
        nights.pull()
    assert known(nights) == [*range(1, 8), 9, 10, 11]
    return nights, keys[0], keys[1]


def test_an_undo_of_what_was_pruned_is_refused_by_name(pushed: tuple[World, str, str]) -> None:
    nights, first, second = pushed
    forget(nights.mirror, by(nights, last=2), nights.session, prune=True)

    def undo(*keys: str) -> list[str]:
        records = [nights.mirror.find(key) for key in keys]
        plan = prepare_undo(nights.mirror, 8, nights.remotes, nights.session, records=records).plan
        return [change.key for change in plan.changes]

    said = f"run 8 cannot be taken back: what it left of item {first} was pruned"
    with nights.watched() as seen:
        for keys in ((), (first,)):
            with pytest.raises(UnknownRun, match=said):
                undo(*keys)
    assert seen == []
    assert undo(second) == [second]


def test_an_undo_of_what_a_kept_snapshot_holds_goes_on(pushed: tuple[World, str, str]) -> None:
    nights, _, second = pushed
    forget(nights.mirror, naming(nights.mirror, (1, 2, 3, 9), ()), nights.session, prune=True)
    with nights.mirror.database.read() as tx:
        assert pruning.pruned_through(tx, "prod") == 11
        assert [pruning.known_at(tx, "prod", run) for run in (3, 4, 8, 9, 11, 12)] == [
            False,
            True,
            False,
            False,
            True,
            True,
        ]
    plan = prepare_undo(
        nights.mirror, 8, nights.remotes, nights.session, records=[nights.mirror.find(second)]
    ).plan
    assert [change.key for change in plan.changes] == [second]


def test_the_story_of_a_record_says_what_was_pruned(nights: World) -> None:
    [(changing,)] = nights.sql("SELECT key FROM items WHERE metadata LIKE '%night%'")
    [(steady,)] = nights.sql("SELECT key FROM items WHERE run = 1 LIMIT 1")
    forget(nights.mirror, naming(nights.mirror, (1, 3, 4, 5), ()), nights.session, prune=True)

    def told(key: str) -> list[tuple[int, str, str]]:
        events = read_story(nights.mirror, nights.mirror.find(key)).events
        return [(event.run, event.what, event.reason) for event in events]

    assert told(steady) == [(1, "first seen", "")]
    assert told(changing) == [
        (7, "update", ""),
        (6, "pruned", "what it was from run 3 to run 5 was pruned; in all, it changed so:"),
        (2, "pruned", "what it was before was pruned"),
    ]
