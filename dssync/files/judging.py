"""Decide what a row of a file changes: what the person changed since the export, and no more.

| file against base | mirror against base | and         | outcome                        |
|-------------------|---------------------|-------------|--------------------------------|
| anything          | anything            | both equal  | nothing                        |
| same              | changed             |             | the mirror's newer value stays |
| changed           | same                |             | an edit                        |
| changed           | changed             | they differ | refused: somebody must decide  |
| no base           |                     | they differ | an edit                        |
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from dssync.core.fields import Field, KindName, Stored, Values
from dssync.core.values import stored_form
from dssync.files.rows import DELETED, Prints, fingerprint

Outside = Callable[[Field, Stored], Stored]
"""Turn a stored value into what a file says for it: a reference into an id."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a row comes to. `kept` counts newer values of the mirror; `clashes` name fields."""

    edits: Values
    clashes: tuple[str, ...]
    kept: int


def judge(
    fields: Iterable[Field], given: Values, ours: Values, base: Prints | None, outside: Outside
) -> Judged:
    """Compare the fields that a row gives with the mirror's, by what they were when exported."""
    edits: dict[str, Stored] = {}
    clashes: list[str] = []
    kept = 0
    for field in fields:
        if field.name not in given:
            continue
        file, mirror = (stored_form(field, side[field.name]) for side in (given, ours))
        if file == mirror:
            continue
        if base is None or fingerprint(outside(field, mirror)) == _print(field, base):
            edits[field.name] = file
        elif fingerprint(outside(field, file)) == _print(field, base):
            kept += 1
        else:
            clashes.append(field.name)
    return Judged(edits, tuple(clashes), kept)


def _print(field: Field, base: Prints) -> bytes:
    # what was deleted was not exported
    return fingerprint(0) if field.name == DELETED else base[field.name]


def content_of(fields: Iterable[Field], values: Values) -> bytes:
    """Return a digest of what a new row says."""
    forms = [[f.name, stored_form(f, values[f.name])] for f in fields if f.name in values]
    told = [pair for pair in forms if pair[1] is not None]
    return blake2b(json.dumps(told).encode(), digest_size=16).digest()


def new_key(kind: KindName, *parts: str | bytes | int) -> str:
    """Return the key of a new record: the same parts give the same key.

    So a file that is imported twice makes its new rows once, after a push as well: the key is the
    record's for ever.
    """
    text = repr((kind, *parts)).encode("utf-8", "surrogatepass")
    return f"new-{blake2b(text, digest_size=8).hexdigest()}"


def required(kind: KindName, values: Mapping[str, Stored]) -> str | None:
    """Name the field without which no record of the kind can be made, if it is missing."""
    return "name" if kind == "dataset" and values.get("name") is None else None
