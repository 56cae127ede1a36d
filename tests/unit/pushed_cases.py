"""Every case of a pushed record as a later read finds it, by name."""

from dataclasses import dataclass

from dssync.core.fields import Values
from dssync.core.merge import Reason
from tests.unit.merge_cases import CONFLICT, NOTHING, UPDATE, Outcome


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a pushed dataset, by what a later read saw.

    `base` is what the server held before the push, `sent` what was sent, `seen` what the read saw,
    `ours` the working copy at that moment. The rest is as in `Case`.
    """

    name: str
    why: str
    base: Values
    sent: Values
    seen: Values
    ours: Values
    merged: Values
    outcome: Outcome
    fields: tuple[str, ...]
    reason: Reason = Reason.REVERTED


# fmt: off
PUSHED: tuple[Pushed, ...] = (
    Pushed("arrived", "what was sent is there",
        base={"description": "old"}, sent={"description": "new"}, seen={"description": "new"},
        ours={"description": "new"}, merged={"description": "new"}, outcome=NOTHING, fields=()),
    Pushed("arrived as the server stores it", "the look goes by value, not by spelling",
        base={"metadata": "1"}, sent={"metadata": "1e16"}, seen={"metadata": "10000000000000000"},
        ours={"metadata": "1e16"}, merged={"metadata": "10000000000000000"},
        outcome=NOTHING, fields=()),
    Pushed("found back at its old value", "a neighbour saved the whole row as it was before",
        base={"description": "old"}, sent={"description": "new"}, seen={"description": "old"},
        ours={"description": "new"}, merged={"description": "new"}, outcome=CONFLICT,
        fields=("description",)),
    Pushed("changed since by somebody else",
        "what was sent had arrived, and was then followed by another edit",
        base={"description": "old"}, sent={"description": "new"}, seen={"description": "third"},
        ours={"description": "new"}, merged={"description": "third"}, outcome=NOTHING, fields=()),
    Pushed("edited here again, arrived", "the new edit goes out with the next push",
        base={"description": "old"}, sent={"description": "new"}, seen={"description": "new"},
        ours={"description": "again"}, merged={"description": "again"}, outcome=UPDATE,
        fields=("description",)),
    Pushed("taken back here, arrived", "the old value goes out with the next push",
        base={"description": "old"}, sent={"description": "new"}, seen={"description": "new"},
        ours={"description": "old"}, merged={"description": "old"}, outcome=UPDATE,
        fields=("description",)),
    Pushed("edited here again, changed since", "both sides changed what was sent",
        base={"description": "old"}, sent={"description": "new"}, seen={"description": "third"},
        ours={"description": "again"}, merged={"description": "again"}, outcome=CONFLICT,
        fields=("description",), reason=Reason.BOTH_CHANGED),
    Pushed("edited here again, found back", "the neighbour must still be heard of",
        base={"description": "old"}, sent={"description": "new"}, seen={"description": "old"},
        ours={"description": "again"}, merged={"description": "again"}, outcome=CONFLICT,
        fields=("description",)),
    Pushed("taken back here, found back", "both sides hold the old value",
        base={"description": "old"}, sent={"description": "new"}, seen={"description": "old"},
        ours={"description": "old"}, merged={"description": "old"}, outcome=NOTHING, fields=()),
    Pushed("one of two fields found back", "the other one has arrived",
        base={"name": "Support", "description": "old"},
        sent={"name": "Triage", "description": "new"},
        seen={"name": "Triage", "description": "old"},
        ours={"name": "Triage", "description": "new"},
        merged={"name": "Triage", "description": "new"}, outcome=CONFLICT,
        fields=("description",)),
    Pushed("another field changed there", "it is taken like any other change",
        base={"name": "Support", "description": "old"},
        sent={"name": "Support", "description": "new"},
        seen={"name": "Triage", "description": "new"},
        ours={"name": "Support", "description": "new"},
        merged={"name": "Triage", "description": "new"}, outcome=NOTHING, fields=()),
    Pushed("the deletion arrived", "nothing is left to do",
        base={}, sent={"deleted": 1}, seen={"deleted": 1},
        ours={"deleted": 1}, merged={"deleted": 1}, outcome=NOTHING, fields=()),
    Pushed("the deletion found undone", "a neighbour's change brought the record back",
        base={}, sent={"deleted": 1}, seen={"deleted": 0},
        ours={"deleted": 1}, merged={"deleted": 1}, outcome=CONFLICT, fields=("deleted",)),
    Pushed("sent, then deleted there", "the change had arrived before",
        base={"description": "old"}, sent={"description": "new"},
        seen={"description": "new", "deleted": 1},
        ours={"description": "new"}, merged={"description": "new", "deleted": 1},
        outcome=NOTHING, fields=()),
)
# fmt: on
