"""Settle conflicts: what a person decided -> what ours becomes, and which fields agree again.

A decision is made for a field. In a JSON object only the keys that conflict take the chosen side;
what could be joined stays joined. A field that was decided moves its base to theirs: `ours` and
an edited value are then ordinary changes, `theirs` is no change at all, and what theirs becomes
later is judged anew.

| reason                     | ours                       | theirs                         |
|----------------------------|----------------------------|--------------------------------|
| changed on both sides      | our value is pending       | their value, nothing pending   |
| edited here, deleted there | an undelete with our edits | deleted, our edits are dropped |
| reverted after push        | our value is sent again    | their value, nothing pending   |
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dssync.core.fields import KINDS, Field, Stored, Values
from dssync.core.join import ABSENT, CLASH, join
from dssync.core.join import Mark as Joint
from dssync.core.merge import Conflict, Reason, merge
from dssync.core.plan import Conflicted, Delta
from dssync.core.pointer import MISSING, Mark
from dssync.core.records import Triple
from dssync.core.values import BadJson, Json, differing, dump, normal, parse

Side = Literal["ours", "theirs"]

Part = Json | Mark
"""A value, or MISSING where a key is not there."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A decision for neither side: the value to keep."""

    value: Stored


Choice = Side | Edited
"""What a person decided for one field."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A record in conflict, and what else was edited in it and waits for the decision."""

    conflicted: Conflicted
    edits: tuple[Delta, ...] = ()


@dataclass(frozen=True, slots=True)
class Clash:
    """One place inside a value that cannot be joined."""

    base: Part
    theirs: Part
    ours: Part


Woven = Json | Clash | Mapping[str, "Woven"]
"""A joined value with a clash wherever the sides could not be joined."""


def decided(triple: Triple, choices: Mapping[str, Choice]) -> tuple[Values, frozenset[str]]:
    """Return ours after these decisions, and the fields whose base moves to theirs.

    Taking theirs of a record that is deleted there drops every edit of it. Raises LookupError for
    a field that is not in conflict.
    """
    conflicts = {conflict.field: conflict for conflict in merge(triple).conflicts}
    theirs = triple.theirs or {}
    if choices.get("deleted") == "theirs" and "deleted" in conflicts and theirs["deleted"]:
        return dict(theirs), frozenset(theirs)
    fields = KINDS[triple.kind].by_name
    kept = {name: _kept(fields[name], conflicts[name], c) for name, c in choices.items()}
    return {**triple.ours, **kept}, frozenset(kept)


def _kept(field: Field, conflict: Conflict, choice: Choice) -> Stored:
    return choice.value if isinstance(choice, Edited) else preferred(field, conflict, choice)


def preferred(field: Field, conflict: Conflict, side: Side) -> Stored:
    """Return a field's value with every clash decided for one side; all else stays joined."""
    whole = conflict.ours if side == "ours" else conflict.theirs
    if conflict.reason is Reason.REVERTED and side == "theirs":
        return whole
    woven = weave(field, conflict)
    if isinstance(woven, Clash):
        return whole
    value = _taken(woven, side)
    return None if value is None or isinstance(value, Mark) else dump(value)


def weave(field: Field, conflict: Conflict) -> Woven:
    """Join a field's three values as far as they can be; one clash where nothing can be."""
    if field.type != "json":
        return Clash(*map(_scalar, (conflict.base, conflict.theirs, conflict.ours)))
    try:
        base, theirs, ours = (
            normal(parse(text)) for text in (conflict.base, conflict.theirs, conflict.ours)
        )
        woven = _weave(base, theirs, ours)
    except (BadJson, RecursionError):
        return Clash(*map(_scalar, (conflict.base, conflict.theirs, conflict.ours)))
    return None if isinstance(woven, Joint) else woven


def _scalar(stored: Stored) -> Part:
    return stored


def _weave(base: Json | Joint, theirs: Json | Joint, ours: Json | Joint) -> Woven | Joint:
    joined = join(base, theirs, ours)
    if joined is not CLASH:
        return joined
    before = {} if base is ABSENT or base is None else base
    if not (isinstance(before, dict) and isinstance(theirs, dict) and isinstance(ours, dict)):
        return Clash(_part(base), _part(theirs), _part(ours))
    woven: dict[str, Woven] = {}
    for key in [*theirs, *(k for k in ours if k not in theirs)]:
        part = _weave(*(side.get(key, ABSENT) for side in (before, theirs, ours)))
        if not isinstance(part, Joint):
            woven[key] = part
    return woven


def _part(value: Json | Joint) -> Part:
    return MISSING if isinstance(value, Joint) else value


def _taken(woven: Woven, side: Side) -> Part:
    if isinstance(woven, Clash):
        return woven.ours if side == "ours" else woven.theirs
    if not isinstance(woven, dict):
        return woven  # type: ignore[return-value]
    parts = {key: _taken(value, side) for key, value in woven.items()}
    return {key: value for key, value in parts.items() if not isinstance(value, Mark)}


def clashes(woven: Woven, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Clash]]:
    """Yield every clash inside a value, with the keys that lead to it."""
    if isinstance(woven, Clash):
        yield path, woven
    elif isinstance(woven, dict):
        for key, value in woven.items():
            yield from clashes(value, (*path, key))


def other_edits(triple: Triple) -> tuple[Delta, ...]:
    """Return what was edited besides the fields in conflict: the server's value, and ours."""
    merged, theirs = merge(triple), triple.theirs or {}
    clear = {conflict.field for conflict in merged.conflicts}
    names = differing(KINDS[triple.kind].fields, merged.ours, theirs)
    return tuple(Delta(n, theirs[n], merged.ours[n]) for n in names if n not in clear)
