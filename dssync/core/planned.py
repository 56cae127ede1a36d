"""Edits that are made when their plan is applied, and not before."""

from dataclasses import dataclass, field, replace

from dssync.core.differ import Describe, difference, nothing_to_say
from dssync.core.fields import KINDS, Stored, Values
from dssync.core.merge import Conflict, Reason
from dssync.core.plan import Change, Conflicted
from dssync.core.records import Triple
from dssync.core.values import equal


@dataclass(frozen=True, slots=True)
class PlannedEdit:
    """What ours becomes, field by field.

    `expected` is what the server must hold for the edit to be right; where it holds anything else
    than that or than what the edit wants, the record conflicts.
    """

    values: Values
    expected: Values = field(default_factory=dict)


def believe(triple: Triple, edit: PlannedEdit) -> Triple:
    """Take for the server's what ours holds and the edit expects there.

    So stands a record that a run sent and did not read again, because it was stopped: until
    somebody reads it, the mirror calls what was sent an edit of here.
    """
    base, theirs = triple.base, triple.theirs
    if base is None or theirs is None:
        return triple
    fields = KINDS[triple.kind].by_name
    sent = {n: v for n, v in edit.expected.items() if equal(fields[n], triple.ours[n], v)}
    return replace(triple, base={**base, **sent}, theirs={**theirs, **sent})


def judge(
    triple: Triple, edit: PlannedEdit, describe: Describe = nothing_to_say
) -> Change | Conflicted | None:
    """Say what a push would do to a record once the edit is made; None where it changes nothing."""
    imagined = replace(triple, ours={**triple.ours, **edit.values})
    moved = tuple(_moved(triple, edit))
    if moved:
        return Conflicted(
            triple.remote, triple.kind, triple.key, triple.id, moved, *describe(triple)
        )
    return difference(imagined, describe)


def _moved(triple: Triple, edit: PlannedEdit) -> list[Conflict]:
    """Return the fields that somebody changed; none when the server holds what is wanted."""
    theirs, fields = triple.theirs, KINDS[triple.kind].by_name
    if theirs is None or all(equal(fields[n], theirs[n], v) for n, v in edit.values.items()):
        return []

    def wanted(name: str) -> Stored:
        return edit.values.get(name, edit.expected[name])

    return [
        Conflict(name, expected, theirs[name], wanted(name), Reason.SINCE)
        for name, expected in edit.expected.items()
        if not equal(fields[name], theirs[name], expected)
        and not equal(fields[name], theirs[name], wanted(name))
    ]
