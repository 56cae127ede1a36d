"""Join JSON values: objects key by key, everything else as one piece.

A key that is not there is ABSENT, which is a value like any other and not null: removing a key is
a change, and so is setting it to null.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from dssync.core.values import Json


class Mark(Enum):
    """What stands where a JSON value would: nothing, or no value that both sides could mean."""

    CLASH = "clash"
    ABSENT = "absent"


CLASH: Final = Mark.CLASH
ABSENT: Final = Mark.ABSENT


def join(base: Json | Mark, theirs: Json | Mark, ours: Json | Mark) -> Json | Mark:
    """Join three values, ABSENT standing for a key that is not there; CLASH if they cannot be.

    Two new objects where there was nothing, or null, are joined as if there had been an empty one.

    >>> join({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3})
    {'a': 2, 'b': 3}
    """
    if same(ours, base) or same(ours, theirs):
        return theirs
    if same(theirs, base):
        return ours
    before = _keys_of(base)
    if before is not None and isinstance(theirs, dict) and isinstance(ours, dict):
        return _join_objects(before, theirs, ours)
    return CLASH


def _join_objects(
    base: Mapping[str, Json], theirs: Mapping[str, Json], ours: Mapping[str, Json]
) -> Json | Mark:
    joined: dict[str, Json] = {}
    for key in [*theirs, *(k for k in ours if k not in theirs)]:
        value = join(base.get(key, ABSENT), theirs.get(key, ABSENT), ours.get(key, ABSENT))
        if value is CLASH:
            return CLASH
        if not isinstance(value, Mark):
            joined[key] = value
    return joined


def taken_back(before: Json | Mark, sent: Json | Mark, seen: Json | Mark) -> bool:
    """Tell whether what was changed from `before` to `sent` is found back, if only in one key.

    >>> taken_back({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 5})
    True
    """
    if same(before, sent) or same(sent, seen):
        return False
    if same(before, seen):
        return True
    old = _keys_of(before)
    if old is None or not isinstance(sent, dict) or not isinstance(seen, dict):
        return False
    return any(
        taken_back(old.get(key, ABSENT), sent.get(key, ABSENT), seen.get(key, ABSENT))
        for key in {*old, *sent, *seen}
    )


def _keys_of(value: Json | Mark) -> Mapping[str, Json] | None:
    """Return an object's keys, none where there is nothing; None for what has no keys."""
    if value is ABSENT or value is None:
        return {}
    return value if isinstance(value, dict) else None


def same(left: Json | Mark, right: Json | Mark) -> bool:
    """Tell whether two values are equal with their types: 1, 1.0 and true are three values."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right
