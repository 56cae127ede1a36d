"""Out into files and back changes nothing, whatever the values are."""

import json
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dssync.core.fields import ITEM, Stored
from dssync.core.values import equal
from dssync.errors import UsageError
from dssync.files.layout import FORMATS
from tests.files import hostile
from tests.files.desk import BILLING, SUPPORT, Desk
from tests.mirror.served import D1, D2, I1, I2, I3

items = st.fixed_dictionaries(
    {
        **{name: st.none() | hostile.json_texts for name in hostile.JSON_FIELDS},
        **{name: st.none() | hostile.texts for name in hostile.TEXT_FIELDS},
        "trace_timestamp": hostile.times,
    }
)
datasets = st.fixed_dictionaries(
    {
        "name": hostile.texts.map(lambda text: f"n{text}"),
        "description": st.none() | hostile.texts,
        "metadata": st.none() | hostile.json_texts,
    }
)


def check(desk: Desk, suffix: str, items: int) -> None:
    """Export, import, and look at every table."""
    shutil.rmtree(desk.folder, ignore_errors=True)
    before = desk.home.dump()
    desk.export(suffix)
    done = desk.bring_in()
    assert (done.datasets, done.items) == (2, items)
    assert (dict(done.counts), done.kept, done.blind, done.again) == ({}, 0, 0, 0)
    assert desk.home.dump() == before
    assert not desk.plan()


def read_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no row pass because it looks as it was written: read and compare its values."""
    for reader in ("jsonl.LineReader", "sheets.SheetReader"):
        monkeypatch.setattr(f"dssync.files.{reader}.same", lambda *_: False)


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=settings().max_examples // 4)
@given(rows=st.lists(items, min_size=1, max_size=4), dataset=datasets)
def test_what_goes_out_comes_back(
    desk: Desk, suffix: str, rows: Sequence[Mapping[str, Stored]], dataset: Mapping[str, Stored]
) -> None:
    for key, row in zip((I1, I2, I3), rows, strict=False):
        desk.serve("item", key, **row)
    desk.serve("dataset", D1, **dataset)
    check(desk, suffix, 3)
    with pytest.MonkeyPatch.context() as patch:
        read_everything(patch)
        check(desk, suffix, 3)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_hostile_value_comes_back(
    desk: Desk, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = hostile.rows()
    desk.stock(rows)
    check(desk, suffix, 3 + len(rows))
    read_everything(monkeypatch)
    check(desk, suffix, 3 + len(rows))


def test_hostile_names_and_descriptions_come_back(desk: Desk) -> None:
    for text in hostile.TEXTS[::9]:
        desk.serve("dataset", D2, name=f"n{text}", description=text, metadata=json.dumps([text]))
        check(desk, "jsonl", 3)


@settings(max_examples=settings().max_examples // 2)
@given(value=hostile.json_values, text=st.none() | hostile.texts, name=hostile.texts)
def test_what_is_typed_is_taken_or_refused_with_its_place(
    desk: Desk, value: Any, text: str | None, name: str
) -> None:
    shutil.rmtree(desk.folder, ignore_errors=True)
    for kind, key in desk.mirror.touched_keys():
        desk.mirror.revert(kind, key)
    desk.export("jsonl")
    fields = {"input": value, "trace_id": text}
    desk.change_row(SUPPORT, I1, **fields)
    desk.add_row(BILLING, **fields)
    desk.change_dataset(BILLING, name=name, metadata=value)
    if (said := refusal(desk)) is not None:
        assert "nothing was imported" in said
        assert "line 1" in said or "line 3 (name)" in said
        return
    for key in (I1, new_key_of(desk)):
        for field, typed in fields.items():
            kept = desk.ours("item", key, field)
            assert equal(ITEM.by_name[field], kept, dumped(field, typed))
    desk.export(overwrite=True)
    assert not desk.bring_in().counts


def refusal(desk: Desk) -> str | None:
    """Import, and return what was said against it."""
    try:
        desk.bring_in()
    except UsageError as error:
        return error.message
    return None


def new_key_of(desk: Desk) -> str:
    """Return the item that was made last."""
    found = desk.home.rows("SELECT key FROM items WHERE id IS NULL ORDER BY rowid DESC LIMIT 1")
    return str(found[0]["key"])


def dumped(field: str, value: Any) -> Stored:
    return value if field == "trace_id" else json.dumps(value)
