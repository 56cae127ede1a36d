"""The three-way merge: base, theirs, ours -> what ours and base become, and what conflicts.

Field by field, first row that fits:

| ours against base | theirs against base | and                  | outcome                      |
|-------------------|---------------------|----------------------|------------------------------|
| same              | anything            |                      | theirs                       |
| changed           | same                |                      | ours                         |
| changed           | changed             | ours = theirs        | agreed                       |
| changed           | changed             | both JSON objects    | key by key, by this table    |
| changed           | changed             | anything else        | conflict                     |

An absent key is not a null key, so a key removed on one side and edited on the other conflicts.
Lists, and values that changed their type, are one value; only where there was nothing or null may
two new objects be joined. A record with edits that theirs lacks conflicts as a whole when it is
deleted there. A pushed field that was found back at its old value conflicts as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from dssync.core.fields import KINDS, Field, Stored, Values
from dssync.core.records import Triple
from dssync.core.values import BadJson, Json, dump, equal, normal, parse


class Reason(Enum):
    """Why the sides could not be joined; the value is what people read."""

    BOTH_CHANGED = "changed on both sides"
    DELETED_THERE = "edited here, deleted there"
    REVERTED = "reverted after push"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field that needs a person: its three values, and why."""

    field: str
    base: Stored
    theirs: Stored
    ours: Stored
    reason: Reason


@dataclass(frozen=True, slots=True)
class Merged:
    """What ours and base become; `settled` when nothing of ours is left to send or to decide."""

    ours: Values
    base: Values
    conflicts: tuple[Conflict, ...]
    settled: bool


def merge(triple: Triple) -> Merged:
    """Merge a record that both sides know. Raises ValueError for a create, which has no base.

    While a push waits to be seen again, theirs as read after it stands in for the base, so that
    what was sent is not called a change a second time.
    """
    base, theirs = _sides(triple)
    if triple.pushed_run is not None:
        base = theirs
    fields = KINDS[triple.kind].fields
    joined = {f: _join_field(f, triple, base, theirs) for f in fields}
    if _deleted_there(triple, base, theirs) and _edits_left(joined, theirs):
        kept = triple.ours["deleted"]
        lost = Conflict("deleted", base["deleted"], 1, kept, Reason.DELETED_THERE)
        joined[KINDS[triple.kind].by_name["deleted"]] = _Outcome(kept, base["deleted"], lost)
    conflicts = [c for outcome in joined.values() if (c := outcome.conflict)]
    ours = {f.name: outcome.ours for f, outcome in joined.items()}
    moved = {f.name: outcome.base for f, outcome in joined.items()}
    settled = not conflicts and all(equal(f, ours[f.name], theirs[f.name]) for f in fields)
    return Merged(ours, moved, tuple(conflicts), settled)


def settle(triple: Triple, seen: Values) -> Triple:
    """Judge what a push sent by what a later read saw; `seen` becomes theirs.

    A sent field is one whose theirs, as noted by the push, is not its base. Seen as sent: it has
    arrived, and the base follows. Seen as it was before: a neighbour's write took it back, which
    is a conflict. Seen as anything else: somebody changed it since, and what was sent is the base.
    """
    base, theirs = _sides(triple)
    if triple.pushed_run is None:
        return replace(triple, theirs=seen)
    bases: dict[str, Stored] = {}
    reverted = set()
    for field in KINDS[triple.kind].fields:
        name = field.name
        sent = not equal(field, base[name], theirs[name])
        taken_back = sent and equal(field, seen[name], base[name])
        bases[name] = theirs[name] if sent and not taken_back else base[name]
        if taken_back:
            reverted.add(name)
    return replace(triple, base=bases, theirs=seen, pushed_run=None, reverted=frozenset(reverted))


def _sides(triple: Triple) -> tuple[Values, Values]:
    if triple.base is None or triple.theirs is None:
        raise ValueError(f"{triple.key} was made here and has no base to merge with")
    return triple.base, triple.theirs


def _deleted_there(triple: Triple, base: Values, theirs: Values) -> bool:
    return bool(theirs["deleted"] and not base["deleted"] and not triple.ours["deleted"])


@dataclass(frozen=True, slots=True)
class _Outcome:
    ours: Stored
    base: Stored
    conflict: Conflict | None = None


def _edits_left(joined: Mapping[Field, _Outcome], theirs: Values) -> bool:
    """Tell whether ours, once joined, has anything that theirs lacks."""
    return any(
        not equal(field, outcome.ours, theirs[field.name])
        for field, outcome in joined.items()
        if field.name != "deleted"
    )


def _join_field(field: Field, triple: Triple, bases: Values, others: Values) -> _Outcome:
    base, theirs, ours = bases[field.name], others[field.name], triple.ours[field.name]
    if field.name in triple.reverted and not equal(field, theirs, ours):
        return _Outcome(ours, base, Conflict(field.name, base, theirs, ours, Reason.REVERTED))
    if equal(field, ours, base) or equal(field, ours, theirs):
        return _Outcome(theirs, theirs)
    if equal(field, theirs, base):
        return _Outcome(ours, theirs)
    joined = _join_json(base, theirs, ours) if field.type == "json" else CLASH
    if isinstance(joined, str):
        return _Outcome(joined, theirs)
    return _Outcome(ours, base, Conflict(field.name, base, theirs, ours, Reason.BOTH_CHANGED))


class _Mark(Enum):
    CLASH = "clash"
    ABSENT = "absent"


CLASH: Final = _Mark.CLASH
ABSENT: Final = _Mark.ABSENT


def _join_json(base: Stored, theirs: Stored, ours: Stored) -> str | _Mark:
    try:
        joined = join(*(normal(parse(text)) for text in (base, theirs, ours)))
        return joined if isinstance(joined, _Mark) else dump(joined)
    except (BadJson, RecursionError):
        return CLASH


def join(base: Json | _Mark, theirs: Json | _Mark, ours: Json | _Mark) -> Json | _Mark:
    """Join three values, ABSENT standing for a key that is not there; CLASH if they cannot be.

    >>> join({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3})
    {'a': 2, 'b': 3}
    """
    if same(ours, base) or same(ours, theirs):
        return theirs
    if same(theirs, base):
        return ours
    before = {} if base is ABSENT or base is None else base
    if isinstance(before, dict) and isinstance(theirs, dict) and isinstance(ours, dict):
        return _join_objects(before, theirs, ours)
    return CLASH


def _join_objects(
    base: Mapping[str, Json], theirs: Mapping[str, Json], ours: Mapping[str, Json]
) -> Json | _Mark:
    joined: dict[str, Json] = {}
    for key in [*theirs, *(k for k in ours if k not in theirs)]:
        value = join(base.get(key, ABSENT), theirs.get(key, ABSENT), ours.get(key, ABSENT))
        if value is CLASH:
            return CLASH
        if not isinstance(value, _Mark):
            joined[key] = value
    return joined


def same(left: Json | _Mark, right: Json | _Mark) -> bool:
    """Tell whether two values are equal with their types: 1, 1.0 and true are three values."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right
