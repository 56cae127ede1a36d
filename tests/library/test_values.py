"""What a field takes, what it refuses, and that its value cannot be changed in place."""

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from dssync import Mirror
from dssync.core.fields import KINDS
from dssync.errors import (
    ReadOnly,
    UsageError,
)
from tests.mirror.conftest import Home
from tests.mirror.served import D1, I1

AMSTERDAM = timezone(timedelta(hours=1))


def test_times_are_aware_and_in_utc(mirror: Mirror) -> None:
    found = mirror.item(I1)
    with mirror.editing():
        found.trace_timestamp = datetime(2026, 1, 1, 0, 30, tzinfo=AMSTERDAM)
    assert found.trace_timestamp == datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert found.trace_timestamp is not None
    assert found.trace_timestamp.utcoffset() == timedelta(0)


class Strange:
    pass


LOOP: list[Any] = []
LOOP.append(LOOP)
DEEP: list[Any] = []
for _ in range(300):
    DEEP = [DEEP]

REFUSED: list[tuple[str, Any, str]] = [
    ("input", float("nan"), "nan is not JSON"),
    ("input", {"a/b": [1, float("-inf")]}, "/a~1b/1: -inf is not JSON"),
    ("input", 2**64, "an integer needs more than 64 bits"),
    ("input", {"n": -(10**5000)}, "/n: an integer needs more than 64 bits"),
    ("input", [1e300], "a number is too large"),
    ("input", "half \ud800", "half of a surrogate pair"),
    ("input", {"\ud800": 1}, "half of a surrogate pair"),
    ("input", "zero \0", "U\\+0000"),
    ("input", {1: 2}, "a key of type int is not JSON"),
    ("input", {"a": {1, 2}}, "/a: a value of type set is not JSON"),
    ("input", [b"bytes"], "/0: a value of type bytes is not JSON"),
    ("input", Strange(), "a value of type Strange is not JSON"),
    ("input", datetime(2026, 1, 1, tzinfo=UTC), "a value of type datetime is not JSON"),
    ("input", LOOP, "nested too deeply, or holds itself"),
    ("input", DEEP, "nested too deeply"),
    ("trace_id", 5, "it is text, and was given int"),
    ("trace_id", "half \ud800", "half of a surrogate pair"),
    ("trace_id", "x" * 256, "it has 256 characters, 255 are allowed|has more than 255 characters"),
    ("trace_timestamp", datetime(2026, 1, 1), "the time has no time zone"),
    ("trace_timestamp", "2026-01-01T00:00:00Z", "it is a time, and was given str"),
    ("trace_timestamp", datetime(1, 1, 1, tzinfo=AMSTERDAM), "lies outside the years"),
    ("dataset", None, "cannot be null|is the key of a dataset"),
    ("source_output", 1, "has no such field|has no source_output"),
]


@pytest.mark.parametrize(
    ("field", "value", "reason"), REFUSED, ids=[f"{r[0]}: {r[2]}" for r in REFUSED]
)
def test_what_could_not_be_pushed_is_refused_in_a_sentence(
    home: Home, mirror: Mirror, field: str, value: Any, reason: str
) -> None:
    before = home.dump()
    found = mirror.item(I1)
    with mirror.editing():
        with pytest.raises(UsageError, match=reason) as refused:
            setattr(found, field, value)
        assert field in refused.value.message
        if field != "dataset":
            with pytest.raises(UsageError, match=reason):
                mirror.dataset(D1).new_item(**{field: value})
        assert found.input == "q"
    assert home.dump() == before


def test_what_is_not_the_persons_cannot_be_set(mirror: Mirror) -> None:
    found = mirror.dataset(D1)
    with mirror.editing():
        for name in ("key", "id", "remote", "deleted", "created_at", "kind", "update"):
            with pytest.raises(ReadOnly, match=f"{name} of dataset Support cannot be set"):
                setattr(found, name, 1)
        with pytest.raises(ReadOnly, match="deleted of dataset Support cannot be set") as refused:
            found.update(deleted=True)  # type: ignore[call-arg]
        assert refused.value.hint == "use delete() and undelete()"
        with pytest.raises(UsageError, match="a dataset has no field nam"):
            found.update(nam="x")  # type: ignore[call-arg]
        with pytest.raises(UsageError, match=r"name of dataset .* was not set: it cannot be null"):
            found.name = None  # type: ignore[assignment]


def test_values_cannot_be_changed_in_place(home: Home, mirror: Mirror) -> None:
    home.mirror.edit("item", I1, {"metadata": json.dumps({"list": [1, {"x": 1}], "a": {}})})
    before, found = home.dump(), mirror.item(I1).metadata
    whole, part = found, found["list"]
    changes: list[Callable[[], object]] = [
        lambda: whole.__setitem__("x", 1),
        lambda: whole.__delitem__("a"),
        lambda: whole.update(x=1),
        lambda: whole.setdefault("x", 1),
        lambda: whole.pop("a"),
        whole.popitem,
        whole.clear,
        lambda: whole.__ior__({"x": 1}),
        lambda: whole["a"].update(x=1),
        lambda: part.__setitem__(0, 2),
        lambda: part.__delitem__(0),
        lambda: part.__iadd__([1]),
        lambda: part.__imul__(2),
        lambda: part.append(1),
        lambda: part.extend([1]),
        lambda: part.insert(0, 1),
        lambda: part.remove(1),
        part.pop,
        part.clear,
        part.sort,
        part.reverse,
        lambda: part[1].update(x=2),
    ]
    with mirror.editing():
        for change in changes:
            with pytest.raises(TypeError, match="cannot be changed in place") as refused:
                change()
            assert isinstance(refused.value, ReadOnly)
    assert found == {"list": [1, {"x": 1}], "a": {}}
    assert home.dump() == before


def test_every_method_that_could_change_a_value_is_refused() -> None:
    """What changes a dict or a list in this Python, found by its name, is not inherited."""
    from dssync.library.frozen import FrozenDict, FrozenList

    keep = {"copy", "count", "fromkeys", "get", "index", "items", "keys", "values"}
    for frozen, base in ((FrozenDict, dict), (FrozenList, list)):
        public = {name for name in vars(base) if not name.startswith("_")} - keep
        inplace = {name for name in vars(base) if name.startswith("__i")} - {"__init__", "__iter__"}
        for name in public | inplace | {"__setitem__", "__delitem__"}:
            assert name in vars(frozen), name


def test_copies_of_values_are_plain(home: Home, mirror: Mirror) -> None:
    home.mirror.edit("item", I1, {"metadata": json.dumps({"list": [1, {"x": 1}]})})
    found = mirror.item(I1).metadata
    for plain in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        plain["list"][1]["x"] = 2
        assert type(plain) is dict
        assert plain == {"list": [1, {"x": 2}]}
    assert type(found.copy()) is type(found | {}) is type({**found}) is dict
    assert type(found["list"] + []) is type([*found["list"]]) is list
    assert json.dumps(found) == '{"list": [1, {"x": 1}]}'
    mine = mirror.item(I1).as_dict()
    mine["metadata"]["list"].append(2)
    assert mirror.item(I1).metadata == found == {"list": [1, {"x": 1}]}


def test_a_value_that_python_cannot_read_is_said_where_it_is_used(
    home: Home, mirror: Mirror
) -> None:
    with home.mirror.database.unit(1) as tx:
        tx.exec_driver_sql("UPDATE items SET input = ? WHERE key = ?", ("1" * 5_000, I1))
    found = mirror.item(I1)
    assert found.metadata is None
    with pytest.raises(UsageError, match=f"input of item {I1} cannot be read: it is not JSON"):
        _ = found.input


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_typed_fields_are_those_of_the_one_list(kind: str) -> None:
    from dssync import library

    typed: Any = {"dataset": library.Dataset, "item": library.Item}[kind]
    given: Any = {"dataset": library.DatasetFields, "item": library.ItemFields}[kind]
    names = [field.name for field in KINDS[kind].fields if field.type != "flag"]  # type: ignore[index]
    assert list(typed.__annotations__) == names
    assert [name for name in names if name != "dataset"] == list(given.__annotations__)
