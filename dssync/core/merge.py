"""The three-way merge: base, theirs, ours -> what ours and base become, and what conflicts.

Field by field, first row that fits:

| ours against base | theirs against base | and                  | outcome                      |
|-------------------|---------------------|----------------------|------------------------------|
| same              | anything            |                      | theirs                       |
| changed           | same                |                      | ours                         |
| changed           | changed             | ours = theirs        | agreed                       |
| changed           | changed             | both JSON objects    | key by key, by this table    |
| changed           | changed             | anything else        | conflict                     |

`join` applies the same table inside JSON objects. Values are compared as the server stores them.
What was sent and found reverted (`pushed`) conflicts until ours is theirs, or what it was before.
A record whose edits theirs lacks conflicts as a whole when it is deleted there; a deletion here
takes along what was edited there. The base moves to theirs field by field, wherever there is no
conflict, so merging again changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from dssync.core.fields import KINDS, Field, Stored, Values
from dssync.core.join import CLASH, Mark, join
from dssync.core.records import Triple
from dssync.core.values import BadJson, dump, equal, normal, parse


class Reason(Enum):
    """Why the sides could not be joined; the value is what people read."""

    BOTH_CHANGED = "changed on both sides"
    DELETED_THERE = "edited here, deleted there"
    REVERTED = "reverted after push"
    SINCE = "changed since"
    EDITED = "edited here since"


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
    base, theirs = triple.sides()
    if triple.pushed_run is not None:
        base = {name: base[name] if name in triple.reverted else theirs[name] for name in theirs}
    fields = KINDS[triple.kind].fields
    joined = {f: _join_field(f, triple, base, theirs) for f in fields}
    if _deleted_there(triple, base, theirs) and _edits_left(joined, theirs):
        kept = triple.ours["deleted"]
        lost = Conflict("deleted", base["deleted"], 1, kept, Reason.DELETED_THERE)
        joined[KINDS[triple.kind].by_name["deleted"]] = _Outcome(kept, base["deleted"], lost)
    conflicts = [c for outcome in joined.values() if (c := outcome.conflict)]
    ours = {f.name: outcome.ours for f, outcome in joined.items()}
    moved = {f.name: outcome.base for f, outcome in joined.items()}
    # ours is not theirs in any field that conflicts
    settled = all(equal(f, ours[f.name], theirs[f.name]) for f in fields)
    return Merged(ours, moved, tuple(conflicts), settled)


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
    if equal(field, ours, base) or equal(field, ours, theirs):
        return _Outcome(theirs, theirs)
    if field.name in triple.reverted:
        return _Outcome(ours, base, Conflict(field.name, base, theirs, ours, Reason.REVERTED))
    if equal(field, theirs, base):
        return _Outcome(ours, theirs)
    joined = _join_json(base, theirs, ours) if field.type == "json" else CLASH
    if isinstance(joined, str):
        return _Outcome(theirs if equal(field, joined, theirs) else joined, theirs)
    return _Outcome(ours, base, Conflict(field.name, base, theirs, ours, Reason.BOTH_CHANGED))


def _join_json(base: Stored, theirs: Stored, ours: Stored) -> str | Mark:
    try:
        joined = join(*(normal(parse(text)) for text in (base, theirs, ours)))
        return joined if isinstance(joined, Mark) else dump(joined)
    except (BadJson, RecursionError):
        return CLASH
