"""A drill passes for a copy that is whole, and names what was changed in one."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyrage
import pytest

from dssync.backup.drill import Drilled, drill
from dssync.backup.packing import part_of
from dssync.core.receipt import Receipt
from dssync.errors import UsageError
from dssync.files.frames import zstd
from dssync.sandbox import Sandbox
from dssync.sync import Session, apply_push
from tests.backup.conftest import Nights
from tests.backup.test_copy_damage import reseal
from tests.sync.restoring import SPARE, fill
from tests.sync.world import PROD, dump


def drilled(nights: Nights, keep: Path | None = None, only: Sequence[str] = ()) -> Drilled:
    """Drill as a machine does that has the configuration and the key, and nothing else."""
    keys = [nights.identity] if nights.offsite.recipients else []
    return drill(nights.offsite, Session(env=nights.env), identities=keys, keep=keep, only=only)


@contextmanager
def changed(nights: Nights, name: str) -> Iterator[sqlite3.Connection]:
    """Give the mirror in a copy, and put it back in its place, as somebody with the key could."""
    data, path = nights.data(name), nights.folder.parent / "open.db"
    sealed = bool(nights.offsite.recipients)
    text = data.read_bytes()
    path.write_bytes(zstd.decompress(pyrage.decrypt(text, [nights.identity]) if sealed else text))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection
    text = zstd.compress(path.read_bytes())
    data.write_bytes(pyrage.encrypt(text, [nights.identity.to_public()]) if sealed else text)


def an_item(connection: sqlite3.Connection) -> str:
    [(key,)] = connection.execute("SELECT key FROM items ORDER BY key LIMIT 1")
    return str(key)


def said(done: Drilled) -> str:
    """Return the report as people see it."""
    from dssync.cli.render.drill import DrillView

    return " ".join(" ".join(line.text for line in DrillView(done).lines(200)).split())


def test_a_whole_copy_passes(live: Nights, tmp_path: Path) -> None:
    live = live.encrypted()
    live.world.sandbox.add_project(5, "Spare")
    live.world.remotes = [PROD, SPARE]
    fill(live.world, 2, 5, project=5)
    live.world.pull()
    [deleted] = [row["id"] for row in live.world.sandbox.state.rows("dataset")][:1]
    live.world.sandbox.state.delete("dataset", deleted)
    live.world.pull()
    live.world.set("item", live.world.sql("SELECT max(key) FROM items")[0][0], input='"edited"')
    copied = live.copy()
    asked = len(live.world.sandbox.log)
    done = drilled(live, keep=tmp_path / "kept.db")
    assert done.exit_code == 0, said(done)
    assert {each.remote: each.records for each in done.remotes} == {"prod": 10, "spare": 7}
    assert {each.remote: len(each.left) for each in done.remotes} == {"prod": 4, "spare": 0}
    assert "the drill passed" in said(done)
    assert len(live.world.sandbox.log) == asked
    assert dump(tmp_path / "kept.db") == dump(live.world.mirror.path)
    assert done.checked.name == copied.name
    done = drilled(live, only=["spare"])
    assert [each.remote for each in done.remotes] == ["spare"]
    with pytest.raises(UsageError, match="the copy holds no remote other"):
        drilled(live, only=["spare", "other"])


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_value_that_was_edited_in_the_copy(nights: Nights, encrypted: bool) -> None:
    """Plain SQL: triggers keep what was there, so only the manifest can tell."""
    nights = nights.encrypted() if encrypted else nights
    with changed(nights, nights.copy().name) as copy:
        key = an_item(copy)
        copy.execute("UPDATE items SET input = '\"other\"' WHERE key = ?", (key,))
    done = drilled(nights)
    assert done.exit_code == 9
    assert f"item {key} was edited in the copy" in said(done)
    assert "the drill failed" in said(done)


def test_a_record_that_was_edited_before_and_in_the_copy(nights: Nights) -> None:
    keys = [key for (key,) in nights.world.sql("SELECT key FROM items ORDER BY key")]
    for key in keys[:3]:
        nights.world.set("item", key, input='"edited"')
    with changed(nights, nights.copy().name) as copy:
        copy.execute("UPDATE items SET input = '\"again\"' WHERE key = ?", (keys[1],))
    text = said(drilled(nights))
    assert [key in text for key in keys[:3]] == [False, True, False]


def past_the_triggers(copy: sqlite3.Connection, key: str) -> None:
    copy.execute("UPDATE gate SET run = 1")
    copy.execute("UPDATE items SET metadata = '{\"other\":1}' WHERE key = ?", (key,))
    copy.execute("UPDATE gate SET run = NULL")


def resealed(nights: Nights, name: str) -> None:
    """Make the manifest fit what lies beside it now, as only a forger would."""
    data = nights.data(name)
    stored = {"bytes": part_of(data).bytes, "sha256": part_of(data).sha256}
    path = nights.folder.parent / "open.db"
    database = {"bytes": part_of(path).bytes, "sha256": part_of(path).sha256}
    reseal(nights, name, stored=stored, compressed=stored, database=database)


@pytest.mark.parametrize("forged", [False, True])
def test_a_value_that_was_changed_past_the_triggers(nights: Nights, forged: bool) -> None:
    name = nights.copy().name
    with changed(nights, name) as copy:
        key = an_item(copy)
        past_the_triggers(copy, key)
    if forged:
        resealed(nights, name)
    done = drilled(nights)
    assert done.exit_code == 9
    assert not forged or done.checked.faults == ()
    assert key in said(done)
    assert "doctor --reread" not in said(done)  # that mends a mirror, no copy


def test_only_the_drill_notices_what_a_restore_loses(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does not hold what it was given; the copy itself is whole."""
    from dssync.backup import drill as under_test

    servers: list[Sandbox] = []

    def made(**options: Any) -> Sandbox:
        servers.append(Sandbox(**options))
        return servers[-1]

    def meddled(*arguments: Any) -> Receipt:
        receipt = apply_push(*arguments)
        state = servers[0].state
        first, second, *_ = (row["id"] for row in state.rows("item"))
        state.update("item", first, metadata={"other": True})
        state.delete("item", second)
        state.insert("dataset", name="nobody's")
        return receipt

    nights.copy()
    monkeypatch.setattr(under_test, "Sandbox", made)
    monkeypatch.setattr(under_test, "apply_push", meddled)
    done = drilled(nights)
    assert done.checked.exit_code == 0
    assert done.exit_code == 9
    [remote] = done.remotes
    found = {(each.kind, each.found, each.fields) for each in remote.differences}
    assert found == {
        ("item", "changed", ("metadata",)),
        ("item", "missing", ()),
        ("dataset", "extra", ()),
    }
    keys = {key for (key,) in nights.world.sql("SELECT key FROM items")}
    assert {each.key for each in remote.differences if each.kind == "item"} < keys
    assert all(each.key in said(done) for each in remote.differences if each.kind == "item")


def test_an_encrypted_copy_needs_its_key(nights: Nights) -> None:
    nights.encrypted().copy()
    with pytest.raises(UsageError, match="is encrypted, and a drill opens it") as refused:
        drill(nights.offsite, Session(env={}))
    assert "--identity" in refused.value.hint


def test_a_mirror_is_only_left_where_nothing_is(nights: Nights, tmp_path: Path) -> None:
    nights.copy()
    (tmp_path / "there.db").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        drilled(nights, keep=tmp_path / "there.db")
    assert (tmp_path / "there.db").read_text() == "mine"


def test_a_remote_without_a_snapshot_is_not_drilled(nights: Nights) -> None:
    nights.world.sql("DELETE FROM snapshots")
    nights.copy()
    done = drilled(nights)
    assert done.exit_code == 3
    assert "prod: the copy has no snapshot of it, so nothing was restored" in said(done)
    assert "passed" not in said(done)
