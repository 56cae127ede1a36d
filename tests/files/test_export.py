"""Exports are the same bytes for the same records, whole, and nobody else's files are touched."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dssync.errors import ConfigError, Locked, Refused, TemporaryError, UsageError
from dssync.files import FORMATS, bring_in, export
from dssync.files.layout import Folder
from dssync.mirror import Mirror
from tests.files.desk import BILLING, SUPPORT, Desk
from tests.mirror.conftest import OTHER
from tests.mirror.served import D1, D2, I1, I2, dataset, item


@pytest.mark.parametrize("suffix", FORMATS)
def test_exported_twice_is_the_same_bytes(desk: Desk, suffix: str, tmp_path: Path) -> None:
    first = desk.export(suffix)
    before = desk.files()
    assert (first.written, first.unchanged, first.removed) == (4, 0, 0)
    again = desk.export()
    assert (again.form, again.written, again.unchanged) == (suffix, 0, 4)
    export(desk.mirror, tmp_path / "elsewhere", suffix=suffix)
    assert desk.files() == before == Desk(desk.home, tmp_path / "elsewhere").files()


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_one_edited_field_is_one_changed_line(desk: Desk, suffix: str) -> None:
    desk.export(suffix)
    before = desk.files()
    desk.mirror.edit("item", I2, {"metadata": '{"split":"train"}'})
    desk.export()
    changed = {name: text for name, text in desk.files().items() if text != before[name]}
    ((name, text),) = changed.items()
    old, new = before[name].splitlines(), text.splitlines()
    assert name == f"{SUPPORT}.{suffix}"
    assert len(old) == len(new)
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 1


def test_git_sees_one_line(desk: Desk) -> None:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=desk.folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    desk.folder.mkdir()
    git("init", "-q")
    desk.export("jsonl")
    git("add", "-A")
    git("commit", "-qm", "Export")
    desk.mirror.edit("item", I1, {"input": '"edited"'})
    desk.export()
    assert git("diff", "--numstat").split() == ["1", "1", f"{SUPPORT}.jsonl"]
    desk.stock([{}])
    desk.export()
    git("checkout", "-q", f"{SUPPORT}.jsonl")
    assert "lock" not in git("status", "--porcelain", "-uall")


def test_rows_stand_oldest_first_and_new_ones_last(desk: Desk) -> None:
    desk.stock([{}, {}])
    key = desk.mirror.new("item", None, {"dataset": D1})
    desk.export("jsonl")
    ids = [row["id"] for row in desk.rows(SUPPORT)]
    assert ids[:2] == [I1, I2]
    assert ids[2:4] == sorted(ids[2:4])
    assert ids[4:] == [key]


def test_deleted_records_are_left_out(desk: Desk) -> None:
    desk.mirror.delete("item", I1)
    desk.mirror.delete("dataset", D2)
    done = desk.export("jsonl")
    assert (done.datasets, done.items) == (1, 1)
    assert [row["id"] for row in desk.rows(SUPPORT)] == [I2]


def test_what_is_gone_is_removed_and_nothing_else(desk: Desk) -> None:
    desk.export("jsonl")
    mine = [desk.folder / "README.md", desk.folder / "main" / "notes.txt", desk.folder / "x" / "y"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    desk.mirror.edit("dataset", D1, {"name": "Renamed"})
    desk.mirror.delete("dataset", D2)
    done = desk.export("csv")
    assert (done.written, done.removed) == (2, 4)
    assert all(path.exists() for path in mine)
    left = {name for name in desk.files() if name.startswith("main/")}
    assert left == {"main/renamed-0199d001.csv", "main/renamed-0199d001.json", "main/notes.txt"}
    assert set((desk.folder / ".dssync" / "main").iterdir()) == {
        desk.folder / ".dssync" / "main" / "renamed-0199d001.ids"
    }


def test_a_selection_leaves_the_rest_as_it_is(desk: Desk) -> None:
    desk.home.meet(OTHER)
    theirs = "0199d00a-0000-7000-8000-00000000000a"
    desk.home.scan("dataset", dataset(theirs, "Theirs"), remote="other")
    desk.export("jsonl")
    before = desk.files()
    desk.mirror.edit("dataset", D1, {"name": "Renamed"})
    desk.mirror.edit("dataset", D2, {"description": "edited"})
    desk.mirror.edit("dataset", theirs, {"description": "edited"})
    done = desk.export(datasets=["Renamed"])
    assert (done.datasets, done.written, done.removed) == (1, 2, 2)
    assert desk.files()[f"{BILLING}.json"] == before[f"{BILLING}.json"]
    assert desk.export(remotes=["other"]).written == 1
    assert desk.files()[f"{BILLING}.json"] == before[f"{BILLING}.json"]
    assert desk.export().written == 1
    assert not desk.bring_in().counts


def test_names_that_fit_nothing(desk: Desk) -> None:
    with pytest.raises(UsageError, match="no record is called"):
        desk.export(datasets=["Nothing"])
    with pytest.raises(UsageError, match="is an item"):
        desk.export(datasets=[I1])
    with pytest.raises(ConfigError, match="no remote nowhere"):
        desk.export(remotes=["nowhere"])
    desk.mirror.delete("dataset", D2)
    with pytest.raises(UsageError, match="is deleted"):
        desk.export(datasets=[D2])


def test_somebody_elses_folder_is_refused(desk: Desk) -> None:
    desk.folder.mkdir()
    (desk.folder / "thesis.tex").touch()
    with pytest.raises(Refused, match=r"thesis\.tex"):
        desk.export("jsonl")
    assert [path.name for path in desk.folder.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "listed",
    ['["../../victim"]', '["main/../../victim"]', '["/etc/victim.json"]', '[".git/config"]', "[1]"],
)
def test_a_forged_manifest_removes_nothing(desk: Desk, listed: str) -> None:
    desk.export("jsonl")
    manifest = desk.folder / ".dssync" / "export.json"
    manifest.write_text(f'{{"version": 1, "files": {listed}}}', encoding="utf-8")
    before = desk.files()
    with pytest.raises(UsageError, match="not as an export wrote it"):
        desk.export()
    assert desk.files() == before


def test_a_newer_manifest_is_refused(desk: Desk) -> None:
    desk.export("jsonl")
    manifest = desk.folder / ".dssync" / "export.json"
    manifest.write_text('{"version": 2, "files": []}', encoding="utf-8")
    with pytest.raises(Refused, match="another dssync"):
        desk.export()


@pytest.mark.parametrize("edit", ["edit", "add", "break"])
def test_edits_that_were_not_imported_are_not_overwritten(desk: Desk, edit: str) -> None:
    desk.export("jsonl")
    if edit == "edit":
        desk.change_row(SUPPORT, I1, input="edited")
    elif edit == "add":
        desk.add_row(SUPPORT, input="new")
    else:
        desk.path(SUPPORT, "jsonl").write_text("{", encoding="utf-8")
    before = desk.files()
    with pytest.raises(Refused) as raised:
        desk.export()
    assert "--overwrite" in raised.value.hint
    assert desk.files() == before
    assert desk.export(overwrite=True).written == 1
    assert not desk.bring_in().counts


def test_edits_elsewhere_are_in_nobodys_way(desk: Desk) -> None:
    desk.export("jsonl")
    desk.change_row(SUPPORT, I1, input="edited")
    desk.mirror.edit("dataset", D2, {"description": "edited"})
    assert desk.export(datasets=["Billing"]).written == 1
    assert desk.bring_in().counts == {"update": 1}


def test_a_sheet_has_so_many_rows_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dssync.files.workbook.MOST_ROWS", 3)
    desk.export("xlsx")
    desk.stock([{}])
    with pytest.raises(UsageError, match="a sheet of XLSX holds 3 rows"):
        desk.export("xlsx")


def test_newer_values_of_the_mirror_are_written_over_old_files(desk: Desk) -> None:
    desk.export("jsonl")
    desk.serve("item", I1, input='"server"')
    assert desk.export().written == 1
    assert desk.rows(SUPPORT)[0]["input"] == "server"


def test_two_exports_at_once(desk: Desk) -> None:
    with Folder(desk.folder).writing(), pytest.raises(Locked, match="another export"):
        desk.export("jsonl")


def test_a_folder_that_cannot_be_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.folder.touch()
    with pytest.raises(UsageError, match="is no folder"):
        desk.export("jsonl")
    desk.folder.unlink()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "main/x.jsonl")

    monkeypatch.setattr("dssync.files.jsonl.LineWriter.write", full)
    with pytest.raises(TemporaryError, match="No space left"):
        desk.export("jsonl")
    monkeypatch.undo()
    assert desk.export("jsonl").written == 4


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_long_values_go_on_in_further_columns(desk: Desk, suffix: str) -> None:
    text = "word " * 10_000
    desk.serve("item", I1, input=f'"{text}"', metadata=f'["{text * 2}"]')
    desk.export(suffix)
    done = desk.bring_in()
    assert not done.counts
    if suffix == "csv":
        heading = desk.path(SUPPORT, "csv").read_text(encoding="utf-8-sig").split("\n")[0]
        assert "input,input (2),input (3),input (4),expected_output" in heading
        rows = desk.path(SUPPORT, "csv").read_text(encoding="utf-8-sig")
        assert max(map(len, rows.split(","))) < 32_767

        def cut(rows: list[list[str]]) -> None:
            for row in rows:
                del row[2:5]

        desk.change_sheet(SUPPORT, cut)
        with pytest.raises(UsageError, match=r"\(input\): its continuation is missing"):
            desk.bring_in()


def test_a_workbook_bears_no_time_and_hides_the_base(desk: Desk) -> None:
    from openpyxl import load_workbook

    desk.export("xlsx")
    path = desk.path(SUPPORT, "xlsx")
    with zipfile.ZipFile(path) as book:
        assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    sheet = load_workbook(path)["items"]
    assert [cell.value for cell in sheet[1]][0::7] == ["id", "base"]
    assert sheet.column_dimensions["H"].hidden
    assert {cell.data_type for row in sheet.rows for cell in row if cell.value} == {"s"}
    assert {cell.number_format for row in sheet.rows for cell in row if cell.value} == {"@"}


def test_without_its_package_xlsx_says_what_to_install(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UsageError) as raised:
        desk.export("xlsx")
    assert raised.value.hint == "pip install 'dssync[xlsx]'"
    assert not desk.folder.exists()


def test_a_mirror_of_nothing(nobody_mirror: Mirror, tmp_path: Path) -> None:
    done = export(nobody_mirror, tmp_path / "out")
    assert (done.datasets, done.items, done.written) == (0, 0, 0)
    with pytest.raises(UsageError, match="it holds none"):
        bring_in(nobody_mirror, tmp_path / "out")


def test_ids_and_names_of_a_hostile_server_stay_in_the_folder(desk: Desk) -> None:
    desk.home.scan(
        "dataset",
        dataset("../../../etc/passwd", "../../x"),
        dataset("CON", "con"),
        dataset("a\nb", "\x00\x1b[31m/\\:*?"),
        dataset("A\nB", "NUL.txt"),
    )
    desk.home.scan("item", item("../\n\x1b", "a\nb", input="q"))
    done = desk.export("jsonl")
    assert done.datasets == 6
    names = {Path(name).name for name in desk.files() if name.startswith("main/")}
    assert len({name.casefold() for name in names}) == 12
    assert all(name.replace("-", "").replace(".", "").isalnum() for name in names)
    assert set(desk.folder.parent.iterdir()) >= {desk.folder}
    assert not desk.bring_in(delete_missing=True).counts
