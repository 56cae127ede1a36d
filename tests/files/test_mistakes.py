"""What is wrong with files is said with its place, and then nothing was imported."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dssync.errors import UsageError
from dssync.files import FORMATS, bring_in, export
from dssync.files.flaws import MOST
from dssync.mirror import Mirror
from tests.files.desk import BILLING, SUPPORT, Desk
from tests.files.mistakes import MISTAKES, Mistake
from tests.mirror.conftest import at_home
from tests.mirror.served import I1, I2

Tables = dict[str, list[tuple[object, ...]]]


def tables(path: Path) -> Tables:
    """Return every row of every table."""
    with closing(sqlite3.connect(path)) as sql:
        names = sql.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: sql.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}


@pytest.fixture(scope="module")
def shared(
    template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Mirror, Path]]:
    """A mirror that no mistake may change, and its export in each format."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(template, folder / "mirror.db")
    with at_home(folder / "mirror.db") as home:
        home.sql.execute("UPDATE items SET input = '\"q\"' WHERE key = ?", (I1,))
        for suffix in FORMATS:
            export(home.mirror, folder / suffix, suffix=suffix)
        yield home.mirror, folder


def test_there_are_a_hundred() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) == 100


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_said_and_nothing_is_imported(
    shared: tuple[Mirror, Path], tmp_path: Path, mistake: Mistake
) -> None:
    mirror, folder = shared
    shutil.copytree(folder / mistake.suffix, tmp_path / "out")
    path = tmp_path / "out" / mistake.file
    path.write_bytes(mistake.spoil(path.read_bytes()))
    before = tables(mirror.path)
    for dry in (True, False):
        with pytest.raises(UsageError) as raised:
            bring_in(mirror, tmp_path / "out", dry=dry)
        message = raised.value.message
        assert raised.value.exit_code == 2
        assert "nothing was imported" in message
        assert any(
            f"main/{name}" in message for name in (path.name, f"{BILLING.partition('/')[2]}")
        )
        for part in mistake.said:
            assert part in message, message
    assert tables(mirror.path) == before


def test_all_mistakes_are_listed_at_once_in_order(desk: Desk) -> None:
    desk.export("jsonl")
    desk.change_row(SUPPORT, I1, trace_id=1, event_id=2)
    desk.change_row(SUPPORT, I2, trace_timestamp="never")
    desk.change_dataset(BILLING, name="")
    with pytest.raises(UsageError) as raised:
        desk.bring_in()
    lines = raised.value.message.split("\n")
    assert lines[0] == "nothing was imported, because of 4 mistakes:"
    assert lines[1:] == [
        f"  {BILLING}.json",
        "    line 3 (name): it cannot be blank",
        f"  {SUPPORT}.jsonl",
        "    line 1 (trace_id): it is neither text nor null",
        "    line 1 (event_id): it is neither text nor null",
        "    line 2 (trace_timestamp): it is not an ISO 8601 time such as 2026-11-23T18:13:50Z",
    ]


def test_the_list_of_mistakes_ends(desk: Desk) -> None:
    desk.export("jsonl")
    desk.path(SUPPORT, "jsonl").write_text("nonsense\n" * 900, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        desk.bring_in()
    lines = raised.value.message.split("\n")
    assert lines[0] == f"nothing was imported, because of the first {MOST} mistakes:"
    assert len(lines) == MOST + 2


def test_one_mistake_holds_everything_back(desk: Desk) -> None:
    desk.export("jsonl")
    before = desk.home.dump()
    desk.change_row(SUPPORT, I1, input="edited")
    desk.add_row(SUPPORT, input="new")
    desk.change_dataset(BILLING, name="edited", description="edited", metadata={"a": float("inf")})
    with pytest.raises(UsageError):
        desk.bring_in()
    assert desk.home.dump() == before


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ("main/lonely.jsonl", "there is no lonely.json beside it"),
        (f"{SUPPORT}.csv", "its items stand twice"),
    ],
)
def test_files_that_do_not_fit_together(desk: Desk, make: str, said: str) -> None:
    desk.export("jsonl")
    (desk.folder / make).touch()
    with pytest.raises(UsageError, match=said):
        desk.bring_in()


@pytest.mark.parametrize("ignored", [".~lock.x.csv#", "~$x.xlsx", ".x.json", "notes.md", "a.bak"])
def test_what_other_programs_leave_is_ignored(desk: Desk, ignored: str) -> None:
    desk.export("jsonl")
    (desk.folder / "main" / ignored).write_text("nonsense", encoding="utf-8")
    (desk.folder / "README.md").touch()
    assert not desk.bring_in().counts


def test_a_folder_that_is_none(desk: Desk) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        desk.bring_in()
    desk.folder.mkdir()
    with pytest.raises(UsageError, match="no folder of a remote"):
        desk.bring_in()
