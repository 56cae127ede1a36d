"""Find what was edited: one touched record in, one change or one conflict out."""

from collections.abc import Callable

from dssync.core.fields import KINDS, Names, Values
from dssync.core.merge import merge
from dssync.core.plan import Action, Change, Conflicted, Delta
from dssync.core.records import Triple
from dssync.core.values import differing

Described = tuple[str, str, Names]

Describe = Callable[[Triple], Described]
"""Give a record's label and, for an item, the names of its dataset and of all it refers to."""


def nothing_to_say(triple: Triple) -> Described:
    """Describe a record by its key alone."""
    return triple.key, "", ()


def difference(triple: Triple, describe: Describe = nothing_to_say) -> Change | Conflicted | None:
    """Compare one touched record with what both sides last agreed on."""
    if triple.base is None or triple.theirs is None:
        return _create(triple, describe)
    merged = merge(triple)
    if merged.conflicts:
        return Conflicted(
            triple.remote, triple.kind, triple.key, triple.id, merged.conflicts, *describe(triple)
        )
    return _update(triple, merged.ours, triple.theirs, describe)


def _create(triple: Triple, describe: Describe) -> Change | None:
    if triple.ours["deleted"]:
        return None  # made and deleted here: the server never hears of it
    deltas = tuple(
        Delta(field.name, None, triple.ours[field.name])
        for field in KINDS[triple.kind].fields
        if triple.ours[field.name] is not None and field.type != "flag"
    )
    return _change(triple, "create", deltas, describe)


def _update(triple: Triple, ours: Values, theirs: Values, describe: Describe) -> Change | None:
    fields = KINDS[triple.kind].fields
    edited = differing(fields, ours, theirs)
    if not edited:
        return None
    deltas = tuple(Delta(name, theirs[name], ours[name]) for name in edited)
    return _change(triple, _action(edited, ours), deltas, describe)


def _action(edited: tuple[str, ...], ours: Values) -> Action:
    if "deleted" not in edited:
        return "update"
    return "delete" if ours["deleted"] else "undelete"


def _change(
    triple: Triple, action: Action, deltas: tuple[Delta, ...], describe: Describe
) -> Change:
    who = (triple.remote, triple.kind, triple.key, triple.id)
    return Change(*who, action, deltas, *describe(triple))
