"""Only what a person changed in the files is taken, and nothing newer is taken back."""

from typing import Any

import pytest

from dssync.core.brakes import Limit
from dssync.errors import Brake, UsageError
from dssync.files import FORMATS, bring_in
from dssync.mirror import Mirror
from tests.files.desk import BILLING, SUPPORT, Desk
from tests.mirror.served import D1, D2, I1, I2, I3, item


def test_an_edited_field_is_the_only_change(desk: Desk) -> None:
    desk.export("jsonl")
    desk.change_row(SUPPORT, I1, input={"new": [1, 1.0]}, trace_id="t-1")
    desk.change_dataset(BILLING, description="Bills", metadata={"a": 2})
    done = desk.bring_in()
    assert done.counts == {"update": 2}
    assert desk.deltas() == {
        I1: {"input": '{"new":[1,1.0]}', "trace_id": "t-1"},
        D2: {"description": "Bills", "metadata": '{"a":2}'},
    }


def test_an_edited_cell_is_the_only_change(desk: Desk) -> None:
    desk.export("csv")

    def edit(rows: list[list[str]]) -> None:
        at = next(n for n, row in enumerate(rows) if row[0] == I1)
        rows[at][1:4] = ["What a person types", "42", "TRUE"]
        rows.reverse()
        rows.insert(0, rows.pop())
        for row in rows:
            row[1], row[6] = row[6], row[1]

    desk.change_sheet(SUPPORT, edit)
    assert desk.bring_in().counts == {"update": 1}
    wanted = {"input": '"What a person types"', "expected_output": "42", "metadata": "true"}
    assert desk.deltas() == {I1: wanted}


def test_cells_of_a_workbook_keep_their_types(desk: Desk) -> None:
    from datetime import datetime

    from openpyxl import load_workbook

    desk.export("xlsx")
    path = desk.path(SUPPORT, "xlsx")
    book = load_workbook(path)
    sheet = book["items"]
    row = next(cells[0].row for cells in sheet.rows if cells[0].value == I1)
    values: list[Any] = [42, 1.5, True, 7, "x", datetime(2026, 5, 1)]
    for column, value in enumerate(values, 2):
        sheet.cell(row, column, value)
    book.save(path)
    assert desk.bring_in().counts == {"update": 1}
    assert desk.deltas()[I1] == {
        "input": "42",
        "expected_output": "1.5",
        "metadata": "true",
        "trace_id": "7",
        "event_id": "x",
        "trace_timestamp": "2026-05-01T00:00:00Z",
    }


def test_fields_and_columns_that_are_left_out_stay(desk: Desk) -> None:
    desk.serve("item", I1, input='"q"', metadata='{"a":1}')
    desk.export("jsonl")
    rows = [
        {"id": row["id"], "input": row["input"], "base": row["base"]} for row in desk.rows(SUPPORT)
    ]
    desk.write_rows(SUPPORT, rows)
    assert not desk.bring_in().counts
    desk.export("csv", overwrite=True)
    desk.change_sheet(SUPPORT, lambda rows: [row.pop(2) for _ in range(5) for row in rows])
    assert not desk.bring_in().counts


def test_a_semicolon_is_a_separator_too(desk: Desk) -> None:
    desk.export("csv")
    desk.path(SUPPORT, "csv").write_text(f"id;input;metadata\n{I1};one, two;7\n", encoding="utf-8")
    assert desk.bring_in().counts == {"update": 1}
    assert desk.deltas() == {I1: {"input": '"one, two"', "metadata": "7"}}


def test_what_is_newer_in_the_mirror_stays(desk: Desk) -> None:
    desk.export("jsonl")
    desk.serve("item", I1, input='"server"')
    desk.serve("dataset", D1, description="server")
    desk.mirror.edit("item", I2, {"metadata": '"here"'})
    done = desk.bring_in()
    assert (dict(done.counts), done.kept) == ({}, 3)
    assert desk.ours("item", I1, "input") == '"server"'
    assert desk.deltas() == {I2: {"metadata": '"here"'}}


def test_edits_of_other_fields_go_together(desk: Desk) -> None:
    desk.export("jsonl")
    desk.serve("item", I1, input='"server"')
    desk.change_row(SUPPORT, I1, metadata="file")
    done = desk.bring_in()
    assert (done.counts, done.kept) == ({"update": 1}, 1)
    assert desk.deltas() == {I1: {"metadata": '"file"'}}
    assert desk.ours("item", I1, "input") == '"server"'


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_field_that_changed_on_both_sides_is_refused(desk: Desk, suffix: str) -> None:
    desk.serve("item", I1, input='"question"')
    desk.export(suffix)
    desk.serve("item", I1, input='"answer"')
    path = desk.path(SUPPORT, suffix)
    if suffix == "xlsx":
        from openpyxl import load_workbook

        book = load_workbook(path)
        book["items"]["B2"].value = "file"
        book.save(path)
    else:
        path.write_bytes(path.read_bytes().replace(b"question", b"file"))
    before = desk.home.dump()
    with pytest.raises(UsageError, match=r"\(input\): it changed here and in the mirror"):
        desk.bring_in()
    assert desk.home.dump() == before


def test_the_same_change_on_both_sides_is_none(desk: Desk) -> None:
    desk.export("jsonl")
    desk.serve("item", I1, input='"same"')
    desk.change_row(SUPPORT, I1, input="same")
    assert not desk.bring_in().counts


def test_without_a_base_the_file_wins_and_it_is_said(desk: Desk) -> None:
    desk.export("jsonl")
    desk.serve("item", I1, input='"server"')
    desk.change_row(SUPPORT, I1, base=None)
    done = desk.bring_in()
    assert (done.counts, done.blind) == ({"update": 1}, 1)
    assert desk.deltas() == {I1: {"input": '"q"'}}


def test_an_import_done_twice_changes_nothing_more(desk: Desk) -> None:
    desk.export("jsonl")
    desk.change_row(SUPPORT, I1, input="edited")
    desk.add_row(SUPPORT, input="new")
    assert desk.bring_in().counts == {"update": 1, "create": 1}
    before = desk.home.dump()
    again = desk.bring_in()
    assert (dict(again.counts), again.again) == ({}, 1)
    assert desk.home.dump() == before


def test_a_line_moved_to_another_file_moves_the_item(desk: Desk) -> None:
    desk.export("jsonl")
    moved = next(row for row in desk.rows(SUPPORT) if row["id"] == I1)
    desk.write_rows(SUPPORT, [row for row in desk.rows(SUPPORT) if row["id"] != I1])
    desk.add_row(BILLING, **moved)
    assert desk.bring_in(delete_missing=True).counts == {"update": 1}
    assert desk.deltas() == {I1: {"dataset": D2}}


def test_a_move_on_both_sides_is_refused(desk: Desk) -> None:
    desk.mirror.new("dataset", "main", {"name": "Third"})
    desk.export("jsonl")
    third = next(p for p in desk.folder.glob("main/third-*.jsonl")).stem
    desk.mirror.edit("item", I1, {"dataset": D2})
    moved = next(row for row in desk.rows(SUPPORT) if row["id"] == I1)
    desk.write_rows(SUPPORT, [row for row in desk.rows(SUPPORT) if row["id"] != I1])
    desk.add_row(f"main/{third}", **moved)
    with pytest.raises(UsageError, match="dataset"):
        desk.bring_in()


def test_deleted_by_a_field(desk: Desk) -> None:
    desk.export("jsonl")
    desk.change_row(SUPPORT, I1, deleted=True)
    desk.change_row(SUPPORT, I2, deleted=False)
    assert desk.bring_in().counts == {"delete": 1}
    assert desk.ours("item", I1, "deleted") == 1


def test_deleted_by_a_column(desk: Desk) -> None:
    desk.export("csv")

    def mark(rows: list[list[str]]) -> None:
        for row in rows:
            row.append({"id": "deleted", I1: "TRUE", I2: "FALSE"}[row[0]])

    desk.change_sheet(SUPPORT, mark)
    assert desk.bring_in().counts == {"delete": 1}
    assert desk.ours("item", I1, "deleted") == 1


def test_a_record_deleted_here_stays_deleted(desk: Desk) -> None:
    desk.export("jsonl")
    desk.mirror.delete("item", I1)
    assert not desk.bring_in().counts
    desk.change_row(SUPPORT, I1, input="edited")
    with pytest.raises(UsageError, match=f"deleted in the mirror.*dssync undelete {I1}"):
        desk.bring_in()


def test_a_record_that_no_list_shows_is_not_edited(desk: Desk) -> None:
    hidden = "0199d009-0000-7000-8000-000000000009"
    desk.home.scan("item", item(I3, hidden))
    desk.export("jsonl")
    path = desk.path("main/hidden", "json")
    path.write_text(f'{{"id": "{hidden}", "name": "x"}}', encoding="utf-8")
    with pytest.raises(UsageError, match="the server does not list it"):
        desk.bring_in()


def test_missing_rows_are_no_deletions_by_themselves(desk: Desk) -> None:
    desk.export("jsonl")
    desk.write_rows(SUPPORT, [row for row in desk.rows(SUPPORT) if row["id"] != I1])
    desk.path(BILLING, "json").unlink()
    desk.path(BILLING, "jsonl").unlink()
    assert not desk.bring_in().counts
    assert desk.bring_in(dry=True, delete_missing=True).counts == {"delete": 3}
    assert desk.bring_in(delete_missing=True).counts == {"delete": 3}
    deleted = {key for key in (I1, I2, I3) if desk.ours("item", key, "deleted")}
    assert deleted == {I1, I3}
    assert desk.ours("dataset", D2, "deleted") == 1
    assert not desk.bring_in(delete_missing=True).counts


def test_what_came_after_the_export_is_not_missing(desk: Desk) -> None:
    desk.export("jsonl")
    desk.stock([{"input": '"pulled since"'}])
    desk.mirror.new("item", None, {"dataset": D1, "input": '"made since"'})
    assert not desk.bring_in(delete_missing=True).counts


def test_too_many_missing_rows_are_a_brake(desk: Desk) -> None:
    desk.stock([{} for _ in range(30)])
    desk.export("jsonl")
    desk.write_rows(SUPPORT, [])
    before = desk.home.dump()
    with pytest.raises(Brake, match="the import deletes 32 of 33 items of main"):
        desk.bring_in(delete_missing=True)
    assert desk.home.dump() == before
    assert desk.bring_in(delete_missing=True, limit=Limit(32)).counts == {"delete": 32}


def test_nobody_guesses_what_is_missing(desk: Desk) -> None:
    desk.export("jsonl")
    (desk.folder / ".dssync" / f"{SUPPORT}.ids").unlink()
    with pytest.raises(UsageError, match="nobody knows what it held"):
        desk.bring_in(delete_missing=True)
    (desk.folder / ".dssync" / "export.json").unlink()
    with pytest.raises(UsageError, match="does not say what it held"):
        desk.bring_in(delete_missing=True)
    assert not desk.bring_in().counts


def test_a_dry_import_writes_nothing_and_shows_the_changes(desk: Desk) -> None:
    desk.export("jsonl")
    desk.change_row(SUPPORT, I1, input="edited")
    desk.add_row(BILLING, input="new")
    before = desk.home.dump()
    done = desk.bring_in(dry=True)
    assert desk.home.dump() == before
    changes = {(change.action, change.where) for change in done.plan.changes}
    assert changes == {("update", "Support"), ("create", "Billing")}
    (delta,) = next(c for c in done.plan.changes if c.action == "update").deltas
    assert (delta.field, delta.before, delta.after) == ("input", '"q"', '"edited"')


def test_a_colleague_can_import_what_was_exported_here(desk: Desk, colleague: Mirror) -> None:
    desk.mirror.new("item", None, {"dataset": D1, "input": '"made here"'})
    desk.export("jsonl")
    desk.write_rows(SUPPORT, [row for row in desk.rows(SUPPORT) if row["id"].startswith("0199")])
    desk.change_row(SUPPORT, I1, input="edited")
    assert bring_in(colleague, desk.folder).counts == {"update": 1}
