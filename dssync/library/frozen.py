"""JSON values that nobody can change in place: nothing would notice such an edit.

They are dicts and lists to everything that reads them. `copy()`, `|`, `[*x]` and `copy.deepcopy`
give plain ones, to be changed and assigned.
"""

from typing import Any, NoReturn

from dssync.core.values import Json
from dssync.errors import ReadOnly


def _refuse(self: object, *args: object, **named: object) -> NoReturn:
    raise ReadOnly(
        "a value of a record cannot be changed in place",
        hint="assign a whole one, item.metadata = {**item.metadata, 'split': 'test'},"
        " or name the part: item.set('/metadata/split', 'test')",
    )


_refused: Any = _refuse


class FrozenDict(dict[str, Any]):
    """A JSON object of a record, to be read only."""

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refused
    clear = pop = popitem = setdefault = update = _refused

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)


class FrozenList(list[Any]):
    """A JSON list of a record, to be read only."""

    __slots__ = ()

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refused
    append = clear = extend = insert = pop = remove = reverse = sort = _refused

    def __reduce__(self) -> tuple[type, tuple[list[Any]]]:
        return list, (list(self),)


def freeze(value: Json) -> Any:
    """Return a JSON value that cannot be changed in place."""
    if isinstance(value, dict):
        return FrozenDict({key: freeze(child) for key, child in value.items()})
    if isinstance(value, list):
        return FrozenList(freeze(child) for child in value)
    return value


def thaw(value: Any) -> Any:
    """Return the same value in plain dicts and lists of its own."""
    if isinstance(value, dict):
        return {key: thaw(child) for key, child in value.items()}
    if isinstance(value, list):
        return [thaw(child) for child in value]
    return value
