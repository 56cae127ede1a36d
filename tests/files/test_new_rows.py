"""Rows and files without an id are made, once."""

import json

import pytest

from dssync.errors import UsageError
from tests.files.desk import BILLING, SUPPORT, Desk
from tests.mirror.conftest import NEWER
from tests.mirror.served import D1, D2, I1, item

SERVED = "0199e0ff-0000-7000-8000-000000000001"


def test_a_row_without_an_id_is_a_new_item(desk: Desk) -> None:
    desk.export("jsonl")
    desk.add_row(BILLING, input={"a": 1}, trace_id=" t ")
    assert desk.bring_in().counts == {"create": 1}
    ((key, sent),) = desk.deltas().items()
    assert key.startswith("new-")
    assert sent == {"dataset": D2, "input": '{"a":1}', "trace_id": "t"}


def test_equal_rows_are_as_many_items(desk: Desk) -> None:
    desk.export("jsonl")
    for _ in range(3):
        desk.add_row(BILLING, input="same")
    assert desk.bring_in().counts == {"create": 3}
    assert desk.bring_in().again == 3
    desk.add_row(BILLING, input="same")
    assert desk.bring_in().counts == {"create": 1}
    assert len(desk.deltas()) == 4


def test_a_new_export_gives_new_rows_their_ids(desk: Desk) -> None:
    desk.export("jsonl")
    desk.add_row(BILLING, input="same")
    desk.bring_in()
    desk.export()
    rows = desk.rows(BILLING)
    assert [row["id"].startswith("new-") for row in rows] == [False, True]
    desk.add_row(BILLING, input="same")
    assert desk.bring_in().counts == {"create": 1}, "one more was typed"


@pytest.mark.parametrize("exported_again", [True, False])
def test_after_a_push_nothing_is_made_again(desk: Desk, exported_again: bool) -> None:
    desk.export("jsonl")
    desk.add_row(BILLING, input="same")
    desk.bring_in()
    ((key, sent),) = desk.deltas().items()
    if exported_again:
        desk.export()
    desk.home.adopt("item", key, sent, item(SERVED, D2, input="same"))
    before = desk.home.dump()
    assert not desk.bring_in().counts
    assert desk.home.dump() == before
    if exported_again:
        desk.change_row(BILLING, key, input="edited after the push")
        assert desk.bring_in().counts == {"update": 1}
        assert desk.deltas() == {key: {"input": '"edited after the push"'}}
        desk.export(overwrite=True)
    else:
        desk.export()
    assert [row["id"] for row in desk.rows(BILLING)][-1] == SERVED
    assert not desk.bring_in().counts


def test_a_row_copied_in_a_spreadsheet_is_a_new_item(desk: Desk) -> None:
    desk.export("csv")
    desk.change_sheet(SUPPORT, lambda rows: rows.append(["", "copied", *rows[1][2:]]))
    desk.change_sheet(BILLING, lambda rows: rows.append(["", "short"]))
    assert desk.bring_in().counts == {"create": 2}
    assert desk.bring_in().again == 2


def test_a_sheet_without_ids_is_all_new(desk: Desk) -> None:
    desk.export("csv")
    desk.path(BILLING, "csv").write_text("input\nfirst question\nsecond question\n", "utf-8")
    assert desk.bring_in().counts == {"create": 2}


def test_a_sheet_that_lost_its_ids_is_refused(desk: Desk) -> None:
    desk.export("csv")
    desk.change_sheet(SUPPORT, lambda rows: [row.pop(0) for row in rows])
    with pytest.raises(UsageError, match="the column id is missing"):
        desk.bring_in()


def test_a_file_without_an_id_is_a_new_dataset(desk: Desk) -> None:
    desk.export("jsonl")
    path = desk.path("main/by hand", "json")
    path.write_text('{"name": "By hand"}', encoding="utf-8")
    desk.write_rows("main/by hand", [{"input": "first"}])
    assert desk.bring_in().counts == {"create": 2}
    path.write_text('{"name": "By hand, renamed", "metadata": [1]}', encoding="utf-8")
    assert desk.bring_in().counts == {"update": 1}
    assert desk.bring_in(dry=True).blind == 0
    made = [change.after for change in desk.plan().changes]
    assert made[0] == {"name": "By hand, renamed", "metadata": "[1]"}
    assert made[1]["input"] == '"first"'
    desk.export()
    assert path.exists(), "what the export did not write it does not remove"
    with pytest.raises(UsageError, match="stands in the files twice"):
        desk.bring_in()


def test_a_new_dataset_and_its_items_can_go_again(desk: Desk) -> None:
    desk.mirror.new("dataset", "main", {"name": "Third"})
    third = next(d.key for d in desk.mirror.datasets() if d.label == "Third")
    desk.mirror.new("item", None, {"dataset": third, "input": "1"})
    desk.export("jsonl")
    for path in desk.folder.glob("main/third-*"):
        path.unlink()
    assert desk.bring_in(delete_missing=True).counts == {"delete": 2}
    assert desk.plan().changes == ()


def test_the_contract_says_what_a_new_row_needs(desk: Desk) -> None:
    desk.home.meet(NEWER)
    key = desk.mirror.new("dataset", "newer", {"name": "Versioned"})
    desk.export("jsonl")
    stem = next(path.stem for path in desk.folder.glob("newer/*.json"))
    desk.add_row(f"newer/{stem}", expected_output=1, metadata=[])
    with pytest.raises(UsageError, match="2 mistakes") as raised:
        desk.bring_in()
    assert "line 1 (input): a new record needs it" in raised.value.message
    assert "line 1 (metadata): it must be a JSON object" in raised.value.message
    desk.write_rows(f"newer/{stem}", [{"input": 1, "source_output": 2, "client_item_id": "c"}])
    assert desk.bring_in().counts == {"create": 1}
    made = next(c for c in desk.plan().changes if c.kind == "item")
    assert json.loads(str(made.after["source_output"])) == 2
    assert made.after["dataset"] == key


def test_items_of_other_remotes_are_unknown(desk: Desk) -> None:
    desk.home.meet(NEWER)
    desk.mirror.new("dataset", "newer", {"name": "Versioned"})
    desk.export("jsonl")
    stem = next(path.stem for path in desk.folder.glob("newer/*.json"))
    desk.write_rows(SUPPORT, [row for row in desk.rows(SUPPORT) if row["id"] != I1])
    desk.add_row(f"newer/{stem}", id=I1)
    with pytest.raises(UsageError, match=r"the mirror holds no item .* of newer"):
        desk.bring_in()
    assert desk.ours("item", I1, "dataset") == D1
