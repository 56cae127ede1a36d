"""JSON objects that hold a record: fields by name, strictly read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dssync.core.fields import Field, Stored
from dssync.core.values import BadJson, Json, dump
from dssync.files.escapes import strict, visible
from dssync.files.rows import BASE, DELETED, ID, Row


@dataclass(frozen=True, slots=True)
class BadField:
    """A name of an object, and what is wrong with its value."""

    field: str
    reason: str


def text_of(field: Field, form: Stored) -> str:
    """Write one field as JSON text; what JSON fields hold is JSON already."""
    if form is None:
        return "null"
    return visible(str(form) if field.type == "json" else dump(str(form)))


def read(text: str) -> dict[str, Any]:
    """Read an object. Raises JSONDecodeError, and BadJson for what is no object as we need it."""
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError:
        raise BadJson("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise BadJson("it is no JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadJson(f"the name {dump(twice)} stands twice in one object")
    return made


def _refuse(name: str) -> Json:
    raise BadJson(f"{name} is not JSON")


def values_of(
    found: Mapping[str, Any], fields: Sequence[Field]
) -> tuple[dict[str, Stored], list[BadField]]:
    """Return the stored values of an object's fields, and what is wrong with others."""
    known = {field.name: field for field in fields}
    values: dict[str, Stored] = {}
    bad: list[BadField] = []
    for name, value in found.items():
        if name in (ID, BASE):
            continue
        if name not in known and name != DELETED:
            names = ", ".join([ID, *known, DELETED, BASE])
            bad.append(BadField(name, f"there is no such field; there are {names}"))
            continue
        try:
            values[name] = _stored(known.get(name), value)
        except BadJson as error:
            bad.append(BadField(name, str(error)))
    return values, bad


def _stored(field: Field | None, value: Any) -> Stored:
    if field is None:
        if value is not None and not isinstance(value, bool):
            raise BadJson("it is neither true nor false")
        return int(bool(value))
    if value is None:
        return None
    if field.type == "json":
        return strict(value)
    if not isinstance(value, str):
        raise BadJson("it is neither text nor null")
    return value


def name_of(found: Mapping[str, Any], name: str) -> str | None:
    """Return `id` or `base`. Raises BadJson where it is no text."""
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise BadJson(f"{name} is neither text nor null")
    return value or None


def pretty(row: Row, fields: Sequence[Field]) -> str:
    """Write a record as a small file, a line for each value."""
    parts = [
        f'"{ID}": {visible(dump(row.id))}',
        *(
            f'"{field.name}": {_indented(field, row.values[field.name])}'
            for field in fields
            if field.name in row.values
        ),
        f'"{BASE}": {dump(row.base)}',
    ]
    return "{\n  " + ",\n  ".join(parts) + "\n}\n"


def _indented(field: Field, form: Stored) -> str:
    if form is None or field.type != "json":
        return text_of(field, form)
    text = json.dumps(json.loads(str(form)), ensure_ascii=False, indent=2)
    return "\n  ".join(visible(line) for line in text.split("\n"))
