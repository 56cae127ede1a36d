"""A snapshot is what the server held, and stays it whatever happens afterwards."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from dssync.core.snapshot import Snapshot
from dssync.mirror import snapshots
from dssync.sandbox import Fault, generate
from dssync.sync.seal import check_seals, reread
from tests.sync.world import World


@pytest.fixture
def filled(world: World) -> World:
    generate(world.sandbox.state, datasets=3, items=30, seed=1)
    assert world.pull().exit_code == 0
    return world


def taken(world: World) -> list[Snapshot]:
    with world.mirror.database.read() as tx:
        return snapshots.known(tx, ["prod"])


def lost(world: World) -> list[int]:
    with world.mirror.database.read() as tx:
        return [each.run for each in snapshots.lost(tx, "prod")]


@contextmanager
def behind_the_triggers(world: World) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(world.mirror.path)) as connection:
        connection.execute("UPDATE gate SET run = 0")
        yield connection
        connection.execute("UPDATE gate SET run = NULL")
        connection.commit()


def test_a_complete_pull_takes_one_and_counts_what_lives(filled: World) -> None:
    id = filled.sandbox.state.rows("dataset")[0]["id"]
    filled.sandbox.state.update("dataset", id, deleted=True)
    filled.pull()
    first, second = taken(filled)
    assert (first.run, first.datasets, first.items) == (1, 3, 30)
    assert (second.run, second.datasets, second.items) == (2, 2, 30)
    assert first.sealed() == first.seal
    assert lost(filled) == []


def test_nothing_new_is_the_same_total(filled: World) -> None:
    filled.pull()
    first, second = taken(filled)
    assert (first.total, first.seal == second.seal) == (second.total, False)


def test_a_partial_pull_takes_none(filled: World) -> None:
    filled.sandbox.faults.add(Fault("status", 503, path="dataset_items", times=None))
    assert filled.pull().exit_code == 5
    assert [each.run for each in taken(filled)] == [1]


def test_an_edit_here_is_in_none(filled: World) -> None:
    [(key,)] = filled.sql("SELECT key FROM items LIMIT 1")
    filled.mirror.edit("item", key, {"input": '"edited"'})
    filled.pull()
    first, second = taken(filled)
    assert first.total == second.total
    filled.push()
    filled.pull()
    assert taken(filled)[-1].total != first.total
    assert lost(filled) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE items SET digest = zeroblob(16) WHERE key = (SELECT min(key) FROM items)",
        "UPDATE items SET run = 0 WHERE key = (SELECT min(key) FROM items)",
        "UPDATE datasets SET absent_since = 'x' WHERE key = (SELECT min(key) FROM datasets)",
        "DELETE FROM items WHERE key = (SELECT min(key) FROM items)",
        "UPDATE snapshots SET items = items + 1",
        "UPDATE snapshots SET taken_at = '2020-01-01T00:00:00.000000Z'",
        "UPDATE snapshots SET total = zeroblob(32)",
    ],
)
def test_what_changes_behind_the_triggers_is_told_by_the_next_pull(
    filled: World, statement: str
) -> None:
    with behind_the_triggers(filled) as connection:
        connection.execute(statement)
    assert lost(filled) == [1]
    receipt = filled.pull()
    assert receipt.exit_code == 9
    assert [trouble.hint for trouble in receipt.troubles] == ["dssync verify says where"]
    assert filled.pull().exit_code == 0


def test_what_is_written_in_other_words_stays_as_a_snapshot_holds_it(filled: World) -> None:
    with filled.mirror.database.unit(0) as tx:
        tx.exec_driver_sql("UPDATE items SET digest = zeroblob(16), metadata = ' ' || metadata")
    with filled.mirror.database.unit(0) as tx:
        tx.exec_driver_sql("DELETE FROM snapshots")
        snapshots.take(tx, "prod", 1, "2026-11-23T18:00:00.000000Z")
    receipt = filled.pull()
    assert receipt.exit_code == 0
    assert [scan.changed for scan in receipt.scans] == [0, 0]
    assert filled.sql("SELECT count(*) FROM items_history") == [(30,)]
    assert lost(filled) == []


def test_a_broken_row_that_the_server_still_shows_is_whole_again(filled: World) -> None:
    with behind_the_triggers(filled) as connection:
        connection.execute("UPDATE items SET input = '1' WHERE rowid = 3")
    found = check_seals(filled.mirror)
    assert len(found) == 1
    reread(filled.mirror, found)
    assert filled.pull().exit_code == 0
    assert check_seals(filled.mirror) == ()
    assert filled.sql("SELECT count(*) FROM items_history") == [(0,)]
    assert lost(filled) == []
