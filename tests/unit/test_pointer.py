import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.core.fields import DATASET, KindName, Stored
from dssync.core.pointer import (
    MISSING,
    REMOVE,
    Pointer,
    escape,
    get,
    put,
    read_pointer,
    read_value,
    to_stored,
)
from dssync.core.values import Json
from dssync.errors import UsageError

METADATA = DATASET.by_name["metadata"]


def edit(metadata: str | None, pointer: str, value: Any) -> Stored:
    return put({"metadata": metadata}, read_pointer("dataset", pointer), value)


@pytest.mark.parametrize(
    ("metadata", "pointer", "value", "expected"),
    [
        ('{"split":"dev"}', "/metadata/split", "test", '{"split":"test"}'),
        ('{"split":"dev"}', "metadata/split", "test", '{"split":"test"}'),
        ('{"a":1}', "/metadata/b", 2, '{"a":1,"b":2}'),
        ('{"a":1}', "/metadata", {"b": 2}, '{"b":2}'),
        ('{"a":1}', "metadata", None, None),
        ('{"a":1}', "/metadata/a", None, '{"a":null}'),
        (None, "/metadata/a/b", 1, '{"a":{"b":1}}'),
        ('{"a":null}', "/metadata/a/b", 1, '{"a":{"b":1}}'),
        (None, "/metadata/tags/-", "x", '{"tags":["x"]}'),
        ('{"tags":["x"]}', "/metadata/tags/-", "y", '{"tags":["x","y"]}'),
        ('{"tags":["x","y"]}', "/metadata/tags/0", "z", '{"tags":["z","y"]}'),
        ('[{"a":1}]', "/metadata/0/a", 2, '[{"a":2}]'),
        ('{"tags":["x","y"]}', "/metadata/tags/0", REMOVE, '{"tags":["y"]}'),
        ('{"a":1,"b":2}', "/metadata/a", REMOVE, '{"b":2}'),
        ('{"a":null,"b":2}', "/metadata/a", REMOVE, '{"b":2}'),
        ('{"a/b":1,"c~d":2}', "/metadata/a~1b", 3, '{"a/b":3,"c~d":2}'),
        ('{"a/b":1,"c~d":2}', "/metadata/c~0d", 3, '{"a/b":1,"c~d":3}'),
        ('{"":1}', "/metadata/", 2, '{"":2}'),
        ('{"-":1}', "/metadata/-", 2, '{"-":2}'),
        (
            '{"one":1.0,"big":18446744073709551615,"small":0.1,"x":0}',
            "/metadata/x",
            1,
            '{"one":1.0,"big":18446744073709551615,"small":0.1,"x":1}',
        ),
    ],
)
def test_put(metadata: str | None, pointer: str, value: Any, expected: str | None) -> None:
    assert edit(metadata, pointer, value) == expected


@pytest.mark.parametrize(
    ("metadata", "pointer", "value", "sentence"),
    [
        ("{}", "nonsense", 1, "a dataset has no field 'nonsense'; it has name, description"),
        ("{}", "", 1, "a dataset has no field ''"),
        ("{}", "/deleted", 1, "deleted is set with `dssync delete`"),
        ("{}", "/name/0", 1, "name is text, not JSON, so it has no parts"),
        ("{}", "/metadata/a~2", 1, "a ~ is written ~0"),
        ("{}", "metadata", REMOVE, "metadata is a whole field, which cannot be removed"),
        ("{}", "/metadata/a", REMOVE, "there is nothing at /metadata/a to remove"),
        ("{}", "/metadata/a/b", REMOVE, "there is nothing at /metadata/a/b to remove"),
        ('{"a":"text"}', "/metadata/a/b", REMOVE, "there is nothing at /metadata/a/b to remove"),
        ('["x"]', "/metadata/-", REMOVE, "there is nothing at /metadata/- to remove"),
        ('["x"]', "/metadata/1", 1, "the list has 1 element, so there is no number 1"),
        ('["x"]', "/metadata/01", 1, "'01' is no place in a list"),
        ('["x"]', "/metadata/one", 1, "'one' is no place in a list"),
        ('["x"]', "/metadata/9/a", 1, "the list has 1 element, so there is no number 9"),
        ('{"a":"x"}', "/metadata/a/b", 1, "/metadata/a is text, so it has no part 'b'"),
        ('{"a":{"b":2}}', "/metadata/a/b/c/d", 1, "/metadata/a/b is a number"),
        ("true", "/metadata/b", 1, "metadata is true or false, so it has no part 'b'"),
        ("not json", "/metadata/b", 1, "metadata cannot be edited in parts"),
    ],
)
def test_refusals(metadata: str, pointer: str, value: Any, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        edit(metadata, pointer, value)
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    ("kind", "field", "text", "expected"),
    [
        ("dataset", "name", "42", "42"),
        ("dataset", "description", '"quoted"', '"quoted"'),
        ("dataset", "description", "", ""),
        ("dataset", "metadata", "42", "42"),
        ("dataset", "metadata", "1.0", "1.0"),
        ("dataset", "metadata", "hello", '"hello"'),
        ("dataset", "metadata", '"42"', '"42"'),
        ("dataset", "metadata", "NaN", '"NaN"'),
        ("dataset", "metadata", "null", None),
        ("item", "input", '{"q": "Kyōto"}', '{"q":"Kyōto"}'),
        ("item", "trace_timestamp", "2026-11-23T18:13:50Z", "2026-11-23T18:13:50Z"),
    ],
)
def test_whole_values(kind: KindName, field: str, text: str, expected: str | None) -> None:
    pointer = read_pointer(kind, field)
    assert put({}, pointer, read_value(pointer.field, text)) == expected


KEYS = st.text(max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | KEYS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=3)
PATHS = st.lists(KEYS, min_size=1, max_size=4)


@given(OBJECTS, PATHS, VALUES)
def test_what_was_set_is_found_and_the_rest_stays(
    start: dict[str, Json], path: list[str], value: Json
) -> None:
    pointer = Pointer(METADATA, tuple(path))
    before = {"metadata": to_stored(METADATA, start)}
    try:
        after = put(before, pointer, value)
    except UsageError:
        return  # something that is no object stands in the way
    if "-" not in path:
        assert same_text(get({"metadata": after}, pointer), value)
    left = {key: held for key, held in json.loads(str(after)).items() if key != path[0]}
    assert same_text(left, {key: held for key, held in start.items() if key != path[0]})


@given(OBJECTS, KEYS, VALUES)
def test_removing_undoes_a_set(start: dict[str, Json], key: str, value: Json) -> None:
    pointer = Pointer(METADATA, (key,))
    changed = put({"metadata": to_stored(METADATA, start)}, pointer, value)
    removed = put({"metadata": changed}, pointer, REMOVE)
    assert get({"metadata": removed}, pointer) is MISSING
    assert same_text(
        json.loads(str(removed)), {name: held for name, held in start.items() if name != key}
    )


@given(PATHS)
def test_a_pointer_reads_back_as_it_was_written(path: list[str]) -> None:
    pointer = Pointer(METADATA, tuple(path))
    assert read_pointer("dataset", str(pointer)) == pointer
    assert "/" not in escape(path[0])


def same_text(left: object, right: object) -> bool:
    """Compare with types, so that 1, 1.0 and true are three values."""
    return json.dumps(left) == json.dumps(right)
