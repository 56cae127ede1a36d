"""A mirror is brought to this program's schema, or refused in a sentence, or left as it was."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from stat import S_IMODE

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from dssync.errors import Locked, MirrorDamaged, MirrorTooNew, NoMirror
from dssync.mirror import Mirror, revising, schema, upgrade
from dssync.mirror.place import APPLICATION_ID
from dssync.mirror.sqlite import program_digest, uninstall
from tests.mirror.conftest import Home, at_home
from tests.mirror.served import D1, D2


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file as anybody would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def triggers(path: Path) -> list[str]:
    with opened(path) as sql:
        rows = sql.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
        return [text for (text,) in rows]


@pytest.fixture
def path(template: Path, tmp_path: Path) -> Path:
    """A mirror nobody has open."""
    return Path(shutil.copy(template, tmp_path / "mirror.db"))


def test_a_fresh_mirror_is_ones_own_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "mirror.db"
    Mirror.open(path, create=True).close()
    assert S_IMODE(path.stat().st_mode) == 0o600
    with opened(path) as sql:
        assert sql.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert sql.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (upgrade.HEAD,)
        ]
        assert sql.execute("SELECT * FROM gate").fetchall() == [(1, None)]
        assert dict(sql.execute("SELECT name, value FROM meta")).keys() == {"program", "version"}
    assert len(triggers(path)) == 10
    assert [found.name for found in tmp_path.iterdir()] == ["mirror.db"]


def test_an_open_mirror_uses_a_write_ahead_log(home: Home) -> None:
    assert home.sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert S_IMODE(home.mirror.path.with_name("mirror.db-wal").stat().st_mode) == 0o600


def test_a_current_mirror_is_opened_without_alembic(path: Path) -> None:
    script = (
        "import sys; from dssync.mirror import Mirror\n"
        f"with Mirror.open({str(path)!r}) as mirror: print(len(list(mirror.datasets())))\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('alembic', 'httpx')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().split("\n") == ["2", "[]", ""]


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(revising.scripts()))
    assert ScriptDirectory.from_config(config).get_current_head() == upgrade.HEAD


def test_the_revisions_make_the_schema_that_the_program_knows(path: Path) -> None:
    with opened(path) as sql:
        for statement in uninstall():
            sql.execute(statement)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_a_mirror_of_a_newer_program_is_refused_untouched(path: Path) -> None:
    with opened(path) as sql:
        sql.execute("UPDATE alembic_version SET version_num = '9999'")
        sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    with pytest.raises(MirrorTooNew, match="written by a newer dssync") as refused:
        Mirror.open(path)
    assert refused.value.exit_code == 6
    assert path.read_bytes() == before


def test_what_is_no_mirror_is_left_alone(tmp_path: Path) -> None:
    text, foreign, folder = tmp_path / "text.db", tmp_path / "foreign.db", tmp_path / "folder"
    text.write_text("not a database at all, but quite a long text\n" * 100)
    folder.mkdir()
    with opened(foreign) as sql:
        sql.execute("CREATE TABLE datasets (name)")
    for path, sentence in (
        (text, "is no mirror"),
        (foreign, "is a database, but no mirror of dssync"),
        (folder, "is no file"),
    ):
        before = path.read_bytes() if path.is_file() else b""
        for create in (False, True):
            with pytest.raises(NoMirror, match=sentence) as refused:
                Mirror.open(path, create=create)
            assert refused.value.exit_code == 10
        assert before == (path.read_bytes() if path.is_file() else b"")


def test_a_file_cut_off_anywhere_is_told_in_a_sentence(path: Path) -> None:
    whole = path.read_bytes()
    refused = 0
    for size in range(1, len(whole), 1_500):
        path.write_bytes(whole[:size])
        try:
            with Mirror.open(path) as mirror:
                list(mirror.datasets(deleted=True))
        except (MirrorDamaged, NoMirror):
            refused += 1
    assert refused == len(range(1, len(whole), 1_500))


def test_a_mirror_with_holes_in_it_is_told_in_a_sentence(path: Path) -> None:
    whole, refused = path.read_bytes(), 0
    for page in range(len(whole) // 4096):
        path.write_bytes(whole[: page * 4096] + b"\xff" * 4096 + whole[(page + 1) * 4096 :])
        try:
            with Mirror.open(path) as mirror:
                list(mirror.datasets(deleted=True))
        except (MirrorDamaged, NoMirror):
            refused += 1
    assert refused >= 3  # a page of an index may be lost unnoticed until it is used


def test_a_table_that_is_missing_is_damage(path: Path) -> None:
    with opened(path) as sql:
        sql.execute("DROP TABLE meta")
    with pytest.raises(MirrorDamaged, match="no such table: meta"):
        Mirror.open(path)


def test_triggers_of_another_version_are_replaced(path: Path) -> None:
    wanted = triggers(path)
    with opened(path) as sql:
        sql.execute("UPDATE meta SET value = 'other' WHERE name = 'program'")
        sql.execute("DROP TRIGGER items_keep_base")
        sql.execute("DROP TRIGGER datasets_refuse_update")
        sql.execute(
            "CREATE TRIGGER datasets_refuse_update BEFORE UPDATE ON datasets BEGIN SELECT 1; END"
        )
    Mirror.open(path).close()
    assert triggers(path) == wanted
    with opened(path) as sql:
        assert ("program", program_digest()) in sql.execute("SELECT * FROM meta").fetchall()


def test_a_trigger_that_was_taken_away_is_put_back(path: Path) -> None:
    with opened(path) as sql:
        sql.execute("DROP TRIGGER items_keep_base")
    Mirror.open(path).close()
    assert len(triggers(path)) == 10


def test_a_mirror_that_cannot_be_upgraded_now_is_locked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = partial(sqlite3.connect, timeout=0.05)
    monkeypatch.setattr("dssync.mirror.upgrade.sqlite3.connect", hasty)
    with opened(path) as sql:
        sql.execute("UPDATE meta SET value = 'other' WHERE name = 'program'")
        sql.execute("BEGIN IMMEDIATE")
        with pytest.raises(Locked, match="locked by another program"):
            Mirror.open(path)
        sql.execute("ROLLBACK")


# Revisions that this program does not have yet, in a folder of their own.

NOW, NEXT = upgrade.HEAD, "9999"
REVISION = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{NOW}"


def upgrade() -> None:
"""
REBUILD = """
    for table in ("runs", "datasets", "items"):
        with op.batch_alter_table(table, recreate="always") as batch:
            batch.add_column(sa.Column("note", sa.Text))
"""
FAIL_HALF_WAY = """
    op.create_table("half_way", sa.Column("id", sa.Integer))
    op.add_column("datasets", sa.Column("note", sa.Text))
    op.execute("DELETE FROM items")
    op.execute("SELECT * FROM no_such_table")
"""
ORPHANS = """
    op.execute("DELETE FROM runs")
"""


@pytest.fixture
def next_revision(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(revising.scripts(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{NEXT}_next.py").write_text(REVISION + request.param)
    monkeypatch.setattr(revising, "scripts", lambda: folder)
    monkeypatch.setattr(upgrade, "HEAD", NEXT)


def content(path: Path) -> list[str]:
    with opened(path) as sql:
        return list(sql.iterdump())


@pytest.mark.parametrize("next_revision", [REBUILD], indirect=True, ids=["rebuild"])
@pytest.mark.usefixtures("next_revision")
def test_an_upgrade_copies_the_file_and_keeps_rows_children_and_triggers(path: Path) -> None:
    with opened(path) as sql:
        sql.execute(
            "INSERT INTO scans VALUES (1, 'main', 'item', 'complete', 1, 1, 0, 0, 0, 1, '', 'now')"
        )
    before = content(path)
    guards = triggers(path)
    with at_home(path) as home:
        assert home.rows("SELECT note FROM datasets") == [{"note": None}, {"note": None}]
        assert len(home.rows("SELECT * FROM scans JOIN runs ON runs.id = scans.run")) == 1
        home.sql.execute("UPDATE datasets SET name = 'Triage' WHERE key = ?", (D1,))
        assert home.mirror.touched_keys() == [("dataset", D1)]
        with pytest.raises(sqlite3.IntegrityError, match="name cannot be blank"):
            home.sql.execute("UPDATE datasets SET name = '' WHERE key = ?", (D2,))
    assert triggers(path) == guards
    copy = path.with_name(f"mirror.db.before-{NEXT}-from-{NOW}")
    assert content(copy) == before
    assert S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize("next_revision", [FAIL_HALF_WAY], indirect=True, ids=["fails"])
@pytest.mark.usefixtures("next_revision")
def test_a_revision_that_fails_leaves_the_mirror_as_it_was(path: Path) -> None:
    before = content(path)
    with pytest.raises(MirrorDamaged, match="no_such_table"):
        Mirror.open(path)
    assert content(path) == before
    assert content(path.with_name(f"mirror.db.before-{NEXT}-from-{NOW}")) == before


@pytest.mark.parametrize("next_revision", [ORPHANS], indirect=True, ids=["orphans"])
@pytest.mark.usefixtures("next_revision")
def test_a_revision_that_loses_parents_is_undone(path: Path) -> None:
    with opened(path) as sql:
        sql.execute(
            "INSERT INTO scans VALUES (1, 'main', 'item', 'complete', 1, 1, 0, 0, 0, 1, '', 'now')"
        )
    before = content(path)
    with pytest.raises(MirrorDamaged, match="holds 1 rows whose parent is missing"):
        Mirror.open(path)
    assert content(path) == before


def test_a_mirror_of_the_first_schema_is_brought_here(tmp_path: Path) -> None:
    path = tmp_path / "mirror.db"
    config = Config()
    config.set_main_option("script_location", str(revising.scripts()))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with opened(path) as sql:
        sql.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        sql.execute("INSERT INTO runs VALUES (7, 'push', 'then', 'later', 0, '0.1.0')")
    Mirror.open(path).close()
    with opened(path) as sql:
        assert sql.execute("SELECT id, command, plan FROM runs").fetchall() == [(7, "push", None)]
        assert sql.execute("SELECT version_num FROM alembic_version").fetchone() == (upgrade.HEAD,)


@pytest.mark.parametrize("found", ["", "000", "0000", "000u", "\x1b[31m"])
def test_a_schema_that_never_was_is_damage(path: Path, found: str) -> None:
    with opened(path) as sql:
        sql.execute("UPDATE alembic_version SET version_num = ?", (found,))
    before = sorted(path.parent.iterdir())
    with pytest.raises(MirrorDamaged, match="no dssync ever wrote"), at_home(path):
        pass
    assert sorted(path.parent.iterdir()) == before


def test_a_schema_number_set_back_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "mirror.db"
    with Mirror.open(path, create=True):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0004'")
        connection.commit()
    with pytest.raises(MirrorDamaged, match="cannot be read as a mirror: table"):
        Mirror.open(path)
