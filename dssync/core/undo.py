"""What takes back what a run did to one record, or why it cannot be taken back.

| the record now                             | outcome                                         |
|--------------------------------------------|-------------------------------------------------|
| holds what was there before the run        | nothing is left to undo                         |
| somebody edited it here since              | refused, with the edit                          |
| a field that the run changed is another    | refused, with what the run sent and what is now |
| it would be deleted, and was changed since | refused, in whatever field                      |
| a made dataset that holds other items      | left as it is, or they would disappear with it  |
| anything else                              | its fields get back what they held before       |

The inverse of a create is a deletion, of a deletion an undeletion, and the other way round.
"""

from collections.abc import Mapping
from dataclasses import replace

from dssync.core.differ import difference
from dssync.core.fields import KINDS, Stored, Values
from dssync.core.merge import Conflict, Reason
from dssync.core.plan import Action, Conflicted
from dssync.core.planned import PlannedEdit, believe, judge
from dssync.core.receipt import Entry
from dssync.core.records import Triple

BACK = "nothing is left to undo: the server holds what it held before the run"


def undo(entry: Entry, now: Triple, left: Values | None = None) -> PlannedEdit | Conflicted | str:
    """Return the edit that takes an applied change back, or why there is none.

    `now` is how the record stands, `left` what the run left on the server, if that is still kept.
    """
    edit = PlannedEdit(inverse(entry), _expected(entry, now, left))
    triple = believe(now, edit)
    edited = _edited_since(entry, triple)
    if edited:
        return edited
    judged = judge(triple, edit)
    if judged is None:
        return BACK
    return _named(judged, entry) if isinstance(judged, Conflicted) else edit


def outliving(items: int) -> str:
    """Say why a dataset is not deleted: items lie in it that the undo does not delete."""
    there = "1 item lies" if items == 1 else f"{items:,} items lie"
    return f"{there} in it that would outlive it; delete or move what is in it first"


_INVERSE: Mapping[str, Action] = {"create": "delete", "delete": "undelete", "undelete": "delete"}


def inverse_action(entry: Entry) -> Action:
    """Name what takes an entry's action back."""
    return _INVERSE.get(entry.action, "update")


def inverse(entry: Entry) -> Values:
    """Return what the fields of a change held before it; a create was not there before."""
    if entry.action == "create":
        return {"deleted": 1}
    return {
        delta.field: int(bool(delta.before)) if delta.field == "deleted" else delta.before
        for delta in entry.deltas
    }


def _expected(entry: Entry, now: Triple, left: Values | None) -> Values:
    """Return what must still be there.

    A change of other fields survives an undo of this one, unless the undo deletes the record.
    """
    sent: dict[str, Stored] = {delta.field: delta.after for delta in entry.deltas}
    if entry.action == "create":
        return {**(left or dict.fromkeys(KINDS[entry.kind].names)), **sent, "deleted": 0}
    if inverse(entry).get("deleted"):
        return {**(left or now.theirs or {}), **sent}
    return {"deleted": left["deleted"] if left else 0, **sent}


def _edited_since(entry: Entry, triple: Triple) -> Conflicted | None:
    """Return what was edited here, or waits here to be resolved."""
    found = difference(triple)
    if isinstance(found, Conflicted):
        return _named(found, entry)
    if found is None:
        return None
    conflicts = tuple(
        Conflict(delta.field, delta.before, delta.before, delta.after, Reason.EDITED)
        for delta in found.deltas
    )
    return _named(Conflicted(triple.remote, triple.kind, triple.key, triple.id, conflicts), entry)


def _named(conflicted: Conflicted, entry: Entry) -> Conflicted:
    return replace(conflicted, label=entry.label, where=entry.where, names=entry.names)
