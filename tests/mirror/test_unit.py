"""The program's own transactions: all or nothing, unseen from outside, one writer at a time."""

import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest

from dssync.errors import Locked, MirrorDamaged, UsageError, WrongTarget
from dssync.mirror import Mirror
from dssync.mirror.sqlite import SETTINGS
from tests.mirror.conftest import Home
from tests.mirror.served import D1, D2, dataset

GATE = "SELECT run FROM gate"


def test_no_other_connection_sees_the_gate_open(home: Home) -> None:
    with home.mirror.database.unit(7) as tx:
        assert tx.exec_driver_sql(GATE).scalar_one() == 7
        assert home.sql.execute(GATE).fetchone() == (None,)
        with home.mirror.database.read() as reader:
            assert reader.exec_driver_sql(GATE).scalar_one() is None
    assert home.sql.execute(GATE).fetchone() == (None,)


def test_a_unit_that_fails_leaves_nothing_and_closes_the_gate(home: Home) -> None:
    before = home.dump()
    with suppress(MirrorDamaged), home.mirror.database.unit(7) as tx:
        tx.exec_driver_sql("DELETE FROM datasets")
        tx.exec_driver_sql("DELETE FROM nowhere")
    assert home.dump() == before
    home.sql.execute("UPDATE datasets SET name = 'Triage' WHERE key = ?", (D1,))
    assert home.pending("dataset", D1)


def test_the_program_writes_without_being_noticed_or_guarded(home: Home) -> None:
    with home.mirror.database.unit(7) as tx:
        tx.exec_driver_sql("UPDATE datasets SET name = '', rest = '{}' WHERE key = ?", (D1,))
        tx.exec_driver_sql("DELETE FROM datasets WHERE key = ?", (D2,))
    assert home.row("dataset", D1)["name"] == ""
    assert home.rows("SELECT 1 FROM datasets WHERE key = ?", D2) == []
    assert home.mirror.touched_keys() == []


def test_an_edit_waits_for_a_unit_and_then_counts(home: Home) -> None:
    done: list[str] = []
    begun = threading.Event()

    def edit(by: str) -> None:
        with closing(sqlite3.connect(home.mirror.path)) as person:
            begun.set()
            person.execute("UPDATE datasets SET name = ? WHERE key = ?", (by, D1))
            person.commit()
        home.mirror.edit("dataset", D2, {"name": by})
        done.append(by)

    other = threading.Thread(target=edit, args=["a person"])
    with home.mirror.database.unit(7) as tx:
        other.start()
        begun.wait(5)
        other.join(0.2)
        assert done == []
        tx.exec_driver_sql("UPDATE datasets SET description = 'pulled'")
    other.join(10)
    assert done == ["a person"]
    for key in (D1, D2):
        assert home.row("dataset", key)["name"] == "a person"
        assert home.pending("dataset", key)["base"]["description"] == "pulled"


def test_reading_goes_on_beside_a_unit(home: Home) -> None:
    with home.mirror.database.unit(7) as tx:
        tx.exec_driver_sql("UPDATE datasets SET name = 'half done'")
        assert {record.label for record in home.mirror.datasets()} == {"Support", "Billing"}


def test_a_view_does_not_move_while_it_is_read(home: Home) -> None:
    listing = home.mirror.datasets()
    first = next(listing)
    home.sql.execute("UPDATE datasets SET name = 'moved'")
    assert {first.label, *(record.label for record in listing)} == {"Support", "Billing"}


def test_two_questions_of_one_reading_see_the_same_moment(home: Home) -> None:
    question = "SELECT name FROM datasets ORDER BY name"
    with home.mirror.database.read() as tx:
        before = tx.exec_driver_sql(question).fetchall()
        home.sql.execute("UPDATE datasets SET name = 'moved'")
        assert tx.exec_driver_sql(question).fetchall() == before


def test_who_waits_too_long_is_told_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    hasty_settings = (*SETTINGS, "PRAGMA busy_timeout = 50")
    monkeypatch.setattr("dssync.mirror.writer.SETTINGS", hasty_settings)
    with Mirror.open(home.mirror.path) as hasty:
        home.sql.execute("BEGIN IMMEDIATE")
        with pytest.raises(Locked, match="locked by another program"):
            hasty.edit("dataset", D1, {"name": "n"})
        home.sql.execute("ROLLBACK")


def test_a_refused_edit_is_a_usage_error_with_the_sentence(home: Home) -> None:
    refused = pytest.raises(UsageError, match="belongs to one remote for ever")
    with refused, home.mirror.database.edit() as tx:
        tx.exec_driver_sql("UPDATE datasets SET remote = 'x'")


def test_a_file_that_breaks_while_open_is_damage(home: Home) -> None:
    with pytest.raises(MirrorDamaged, match="no such table"), home.mirror.database.read() as tx:
        tx.exec_driver_sql("SELECT * FROM nowhere")


def test_durable_units_wait_for_the_disk_and_others_do_not(home: Home) -> None:
    levels = []
    for durable in (True, False):
        with home.mirror.database.unit(7, durable=durable) as tx:
            levels.append(tx.exec_driver_sql("PRAGMA synchronous").scalar_one())
    assert levels == [2, 1]


@pytest.mark.parametrize("name", ["a mirror?mode=ro.db", "50%25.db", "#1 é.db"])
def test_any_file_name_is_a_file_name(tmp_path: Path, name: str) -> None:
    with Mirror.open(tmp_path / name, create=True) as mirror, mirror.database.unit(1) as tx:
        tx.exec_driver_sql("INSERT INTO people (id, profile) VALUES ('ann', '{}')")
    with closing(sqlite3.connect(tmp_path / name)) as person:
        assert person.execute("SELECT id FROM people").fetchall() == [("ann",)]


def test_a_page_is_stored_whole_or_not_at_all(home: Home) -> None:
    before = home.dump()
    with pytest.raises(WrongTarget):
        home.scan("dataset", dataset("fresh"), dataset("broken", deleted="perhaps"))
    assert home.dump() == before
