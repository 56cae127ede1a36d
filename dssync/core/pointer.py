"""Set one part of one field: `description`, `/metadata/split`, `/input/messages/-`.

The first segment names the field, the rest is a JSON Pointer (RFC 6901) into its value. Values
are stored values, so a JSON field comes in and goes out as JSON text; what the pointer does not
name stays what it was, numbers with their types. Every function here raises UsageError.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Final

from dssync.core.fields import KINDS, Field, KindName, Stored, Values
from dssync.core.values import BadJson, Json, dump, parse
from dssync.errors import UsageError

APPEND = "-"

_BAD_ESCAPE = re.compile("~(?![01])")
_INDEX = re.compile("0|[1-9][0-9]*")


class Mark(Enum):
    """What stands where no value does."""

    REMOVE = "remove"
    MISSING = "missing"


REMOVE: Final = Mark.REMOVE
"""Stands for the value of a part that is to go."""

MISSING: Final = Mark.MISSING
"""Stands for the value of a part that is not there."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A field and the way into its value; `path` is empty for the whole value."""

    field: Field
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write the pointer as it can be typed again."""
        if not self.path:
            return self.field.name
        return "".join(f"/{escape(segment)}" for segment in (self.field.name, *self.path))


def escape(segment: str) -> str:
    """Write a key as a segment of a pointer."""
    return segment.replace("~", "~0").replace("/", "~1")


def read_pointer(kind: KindName, text: str) -> Pointer:
    """Read a pointer into a record of this kind.

    >>> read_pointer("dataset", "/metadata/a~1b").path
    ('a/b',)
    """
    if _BAD_ESCAPE.search(text):
        raise UsageError(f"{text}: a ~ is written ~0, and a / inside a name ~1")
    segments = [s.replace("~1", "/").replace("~0", "~") for s in text.removeprefix("/").split("/")]
    field = KINDS[kind].by_name.get(segments[0])
    if field is None:
        known = ", ".join(KINDS[kind].names)
        raise UsageError(
            f"{'an' if kind == 'item' else 'a'} {kind} has no field {segments[0]!r}; it has {known}"
        )
    if field.type == "flag":
        raise UsageError("deleted is set with `dssync delete` and `dssync undelete`")
    if len(segments) > 1 and field.type != "json":
        raise UsageError(f"{field.name} is {field.type}, not JSON, so it has no parts")
    return Pointer(field, tuple(segments[1:]))


def read_value(field: Field, text: str) -> Json:
    """Read a value as typed: JSON where the field holds JSON and it is JSON, else the text."""
    if field.type != "json":
        return text
    try:
        return parse(text)
    except BadJson:
        return text


def to_stored(field: Field, value: Json) -> Stored:
    """Return a whole value as the mirror holds it; JSON null is NULL."""
    if value is None:
        return None
    return dump(value) if field.type == "json" else str(value)


def put(values: Values, pointer: Pointer, value: Json | Mark) -> Stored:
    """Return the field's new stored value, with `value` where the pointer points.

    Objects that are missing on the way are made; `-` adds to the end of a list.
    """
    if not pointer.path:
        if isinstance(value, Mark):
            raise UsageError(
                f"{pointer} is a whole field, which cannot be removed", hint="use --null instead"
            )
        return to_stored(pointer.field, value)
    root = _root(values, pointer)
    return to_stored(pointer.field, _put(root, pointer, value))


def get(values: Values, pointer: Pointer) -> Json | Mark:
    """Return what stands where the pointer points, or MISSING."""
    found: Json | Mark = _root(values, pointer)
    for segment in pointer.path:
        found = _child(found, segment)
    return found


def _root(values: Values, pointer: Pointer) -> Json:
    stored = values[pointer.field.name]
    if pointer.field.type != "json":
        return stored
    try:
        return parse(stored)
    except BadJson as error:
        raise UsageError(
            f"{pointer.field.name} cannot be edited in parts: {error}", hint="set the whole field"
        ) from None


def _child(parent: Json | Mark, segment: str) -> Json | Mark:
    if isinstance(parent, dict):
        return parent.get(segment, MISSING)
    if isinstance(parent, list) and _INDEX.fullmatch(segment) and int(segment) < len(parent):
        return parent[int(segment)]
    return MISSING


def _put(root: Json, pointer: Pointer, value: Json | Mark) -> Json:
    """Change a freshly parsed value in place, and return it."""
    top: dict[str, Json] = {"": root}
    parent: Json = top
    segments = ("", *pointer.path)
    for at, (segment, following) in enumerate(pairwise(segments)):
        child = _child(parent, segment)
        if child is MISSING or child is None:
            if value is REMOVE:
                raise _nothing_there(pointer)
            child = [] if following == APPEND else {}
            _set(parent, segment, child, pointer, at)
        parent = child if not isinstance(child, Mark) else None
    if isinstance(value, Mark):
        _remove(parent, segments[-1], pointer)
    else:
        _set(parent, segments[-1], value, pointer, len(segments) - 1)
    return top[""]


def _set(parent: Json, segment: str, value: Json, pointer: Pointer, at: int) -> None:
    if isinstance(parent, dict):
        parent[segment] = value
    elif isinstance(parent, list):
        _set_element(parent, segment, value, pointer)
    else:
        above = Pointer(pointer.field, pointer.path[: at - 1])
        raise UsageError(
            f"{above} is {_kind_of(parent)}, so it has no part {segment!r}",
            hint=f"set {above} itself to an object first",
        )


def _set_element(parent: list[Json], segment: str, value: Json, pointer: Pointer) -> None:
    if segment == APPEND:
        parent.append(value)
        return
    if not _INDEX.fullmatch(segment):
        raise UsageError(f"{pointer}: {segment!r} is no place in a list; give a number, or -")
    if int(segment) >= len(parent):
        raise UsageError(
            f"{pointer}: the list has {_count(parent)}, so there is no number {segment}",
            hint="numbers begin with 0; - adds one at the end",
        )
    parent[int(segment)] = value


def _remove(parent: Json, segment: str, pointer: Pointer) -> None:
    if _child(parent, segment) is MISSING:
        raise _nothing_there(pointer)
    if isinstance(parent, dict):
        del parent[segment]
    elif isinstance(parent, list):
        del parent[int(segment)]


def _nothing_there(pointer: Pointer) -> UsageError:
    return UsageError(f"there is nothing at {pointer} to remove")


def _count(elements: Sequence[Json]) -> str:
    return "1 element" if len(elements) == 1 else f"{len(elements)} elements"


def _kind_of(value: Json) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "text" if isinstance(value, str) else "a number"
