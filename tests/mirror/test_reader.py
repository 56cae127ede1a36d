"""Reading needs no SQLAlchemy, writes nothing, and finds a record by an index."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from dssync.errors import DssyncError, MirrorDamaged, UnknownRecord
from dssync.mirror import Mirror
from dssync.mirror.reader import Found, Reader
from tests.mirror.conftest import Home
from tests.mirror.served import D1, I1


def test_a_reading_cannot_write(home: Home) -> None:
    with pytest.raises(DssyncError), home.mirror.database.read() as tx:
        tx.exec_driver_sql("DELETE FROM items")
    assert home.sql.execute("SELECT count(*) FROM items WHERE deleted").fetchone() == (0,)


def test_readings_inside_each_other_see_their_own_moment(home: Home) -> None:
    names = "SELECT name FROM datasets ORDER BY name"
    with home.mirror.database.read() as outer:
        before = outer.exec_driver_sql(names).fetchall()
        home.sql.execute("UPDATE datasets SET name = 'moved'")
        with home.mirror.database.read() as inner:
            assert {name for (name,) in inner.exec_driver_sql(names)} == {"moved"}
        assert outer.exec_driver_sql(names).fetchall() == before
    with home.mirror.database.read() as later:
        assert later.exec_driver_sql(names).first() == ("moved",)


def test_a_closed_mirror_is_not_read(home: Home) -> None:
    mirror = Mirror.open(home.mirror.path)
    listing = mirror.datasets()
    next(listing)
    mirror.close()
    assert next(listing)  # it had begun, and ends as it would have
    with pytest.raises(MirrorDamaged, match="was closed"):
        mirror.remotes()


def test_one_and_none(home: Home) -> None:
    with home.mirror.database.read() as tx:
        assert tx.exec_driver_sql("SELECT 1 WHERE 0").first() is None
        assert tx.exec_driver_sql("SELECT 1 WHERE 0").scalar() is None
        assert tx.exec_driver_sql("SELECT 7").scalar_one() == 7
        for rows in ("SELECT 1 WHERE 0", "SELECT 1 UNION SELECT 2"):
            with pytest.raises(ValueError, match="unpack"):
                tx.exec_driver_sql(rows).one()


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is noted of each query that reads all items to find some."""
    noted: list[str] = []
    run = Reader.exec_driver_sql

    def explaining(
        self: Reader, statement: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> Found:
        plan = run(self, f"EXPLAIN QUERY PLAN {statement}", parameters)
        noted.extend(step for *_, step in plan if step.startswith("SCAN items"))
        return run(self, statement, parameters)

    monkeypatch.setattr(Reader, "exec_driver_sql", explaining)
    return noted


def remember(home: Home, id: str, key: str) -> None:
    with home.mirror.database.unit(1) as tx:
        tx.exec_driver_sql("INSERT INTO aliases VALUES ('main', 'item', ?, ?)", (id, key))


@pytest.mark.parametrize(
    ("text", "key"),
    [(D1, D1), (I1, I1), (I1[:-1], I1), ("reborn-1", I1), ("reborn", I1), ("Support", D1)],
)
def test_a_record_is_found_by_an_index(home: Home, scanned: list[str], text: str, key: str) -> None:
    remember(home, "reborn-1", I1)
    assert home.mirror.find(text).key == key
    assert scanned == []


def test_a_prefix_of_many_is_counted_and_a_few_are_named(home: Home) -> None:
    for number in range(20):
        home.mirror.new("item", None, {"dataset": D1, "input": str(number)})
    with pytest.raises(UnknownRecord, match=r"fits 20 records: .*; and 12 more"):
        home.mirror.find("new-")


def test_a_prefix_is_what_it_says(home: Home) -> None:
    remember(home, "a_c%\\", I1)
    assert home.mirror.find("a_c%").key == I1
    for text in ("a_%%", "abc%", "a_c%\\x", "*_c%"):
        with pytest.raises(UnknownRecord, match="no record is called"):
            home.mirror.find(text)
