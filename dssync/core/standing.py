"""Whether a change that somebody reviewed is still the one that would be sent."""

from dataclasses import dataclass
from enum import Enum

from dssync.core.differ import difference
from dssync.core.fields import KINDS, Stored
from dssync.core.plan import Change, Conflicted
from dssync.core.records import Triple
from dssync.core.values import equal


class Standing(Enum):
    """What became of a reviewed change."""

    STANDS = "stands"
    HELD = "the server already holds it"


@dataclass(frozen=True, slots=True)
class Sides:
    """The three values of one field."""

    field: str
    base: Stored
    theirs: Stored
    ours: Stored


@dataclass(frozen=True, slots=True)
class Moved:
    """A reviewed change that drops out, because its record is no longer what was reviewed.

    `sides` are empty where the mirror no longer has the record; `conflicted` tells that the two
    sides cannot be joined now.
    """

    change: Change
    reason: str
    sides: tuple[Sides, ...] = ()
    conflicted: bool = False


def stand(planned: Change, triple: Triple | None) -> Standing | Moved:
    """Compare a reviewed change with its record's three values, theirs as just read.

    | the record now                                   | outcome                              |
    |--------------------------------------------------|--------------------------------------|
    | would send the same for the same                 | stands                               |
    | theirs is what the change would have made        | held: nothing is left to send        |
    | is in conflict                                   | moved, with the conflict's reasons   |
    | was changed on the server, in a planned field    | moved                                |
    | would send nothing, other values or other fields | moved                                |
    | is not in the mirror                             | moved                                |
    """
    if triple is None:
        return Moved(planned, "it was dropped here after the plan was made")
    now = difference(triple)
    if isinstance(now, Change) and now.digest == planned.digest:
        return Standing.STANDS
    if _held(planned, triple):
        return Standing.HELD
    sides = tuple(_sides(planned, now, triple))
    if isinstance(now, Conflicted):
        reasons = "; ".join(f"{c.field}: {c.reason.value}" for c in now.conflicts)
        return Moved(planned, reasons, sides, conflicted=True)
    return Moved(planned, _who_moved(planned, now, triple), sides)


def _held(planned: Change, triple: Triple) -> bool:
    fields = KINDS[planned.kind].by_name
    theirs = triple.theirs
    return theirs is not None and all(
        equal(fields[d.field], theirs[d.field], d.after) for d in planned.deltas
    )


def _who_moved(planned: Change, now: Change | None, triple: Triple) -> str:
    fields = KINDS[planned.kind].by_name
    theirs = triple.theirs or {}
    if any(not equal(fields[d.field], theirs.get(d.field), d.before) for d in planned.deltas):
        return "somebody else changed it on the server after the plan was made"
    if now is None:
        return "it was taken back here after the plan was made"
    return "it was edited here after the plan was made"


def _sides(planned: Change, now: Change | Conflicted | None, triple: Triple) -> list[Sides]:
    """Return the fields that were planned, and those that would be sent or decided now."""
    named = {delta.field for delta in planned.deltas}
    if isinstance(now, Change):
        named |= {delta.field for delta in now.deltas}
    elif now is not None:
        named |= {conflict.field for conflict in now.conflicts}
    base, theirs = triple.base or {}, triple.theirs or {}
    return [
        Sides(name, base.get(name), theirs.get(name), triple.ours[name])
        for name in KINDS[planned.kind].names
        if name in named
    ]
