"""Every case of the merge, by name: what the three sides hold, and what comes of it.

`base` is what both sides last agreed on, `theirs` what the server holds now, `ours` the working
copy. Each gives only the fields that matter; the others are as in `BLANK`. `merged` is what the
working copy holds afterwards, `outcome` what a plan then says of the record, and `fields` what it
would send, or what is in conflict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from dssync.core.fields import KindName, Stored, Values
from dssync.core.merge import Reason

Outcome = Literal["nothing to send", "update", "delete", "undelete", "conflict"]

NOTHING: Outcome = "nothing to send"
UPDATE: Outcome = "update"
DELETE: Outcome = "delete"
UNDELETE: Outcome = "undelete"
CONFLICT: Outcome = "conflict"

BLANK: Mapping[KindName, Values] = {
    "dataset": {"name": "Support", "description": None, "metadata": None, "deleted": 0},
    "item": {
        "dataset": "support",
        "input": None,
        "expected_output": None,
        "source_output": None,
        "metadata": None,
        "trace_id": None,
        "event_id": None,
        "trace_timestamp": None,
        "client_item_id": None,
        "deleted": 0,
    },
}
"""A record of each kind before anything of a case is filled in."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the table; `reason` says why its fields are in conflict."""

    kind: KindName
    name: str
    why: str
    base: Values
    theirs: Values
    ours: Values
    merged: Values
    outcome: Outcome
    fields: tuple[str, ...]
    reason: Reason = Reason.BOTH_CHANGED


def _dataset(
    field: str,
    name: str,
    why: str,
    *,
    base: Stored,
    theirs: Stored,
    ours: Stored,
    merged: Stored,
    outcome: Outcome,
    kind: KindName = "dataset",
) -> Case:
    """Write a case of one field."""
    return Case(
        kind,
        name,
        why,
        {field: base},
        {field: theirs},
        {field: ours},
        {field: merged},
        outcome,
        () if outcome == NOTHING else (field,),
    )


_item = partial(_dataset, kind="item")


# fmt: off
CASES: tuple[Case, ...] = (
    # one field
    Case("dataset", "nobody changed anything", "the three sides are equal",
        base={}, theirs={}, ours={},
        merged={}, outcome=NOTHING, fields=()),
    _dataset("description", "changed there", "only the server moved, so the working copy follows",
        base=None, theirs="new", ours=None, merged="new", outcome=NOTHING),
    _dataset("description", "changed here",
        "only the working copy moved, so the server will be sent it",
        base="old", theirs="old", ours="new", merged="new", outcome=UPDATE),
    _dataset("description", "changed alike", "both sides hold the same, so nothing is left to do",
        base="old", theirs="new", ours="new", merged="new", outcome=NOTHING),
    _dataset("description", "changed differently", "somebody has to choose",
        base="old", theirs="theirs", ours="ours", merged="ours", outcome=CONFLICT),
    _dataset("description", "null here, empty there",
        "null and an empty text are different values",
        base="old", theirs="", ours=None, merged=None, outcome=CONFLICT),
    _dataset("description", "emptied here", "an empty text replaces a null",
        base=None, theirs=None, ours="", merged="", outcome=UPDATE),
    _dataset("description", "padded here",
        "the server trims text, so the outer spaces are no edit",
        base="old", theirs="old", ours="  old ", merged="old", outcome=NOTHING),
    _dataset("description", "padded here, changed there",
        "a working copy that only gained spaces follows the server",
        base="old", theirs="new", ours=" old", merged="new", outcome=NOTHING),
    _dataset("description", "padded like theirs", "trimmed, both sides made the same change",
        base="old", theirs="new", ours=" new ", merged="new", outcome=NOTHING),
    Case("dataset", "different fields", "each side changed its own field, so both changes stand",
        base={"name": "Support", "description": "old"},
        theirs={"name": "Triage", "description": "old"},
        ours={"name": "Support", "description": "new"},
        merged={"name": "Triage", "description": "new"}, outcome=UPDATE, fields=("description",)),
    Case("dataset", "one field of two in conflict",
        "the field that can be joined is joined, the record still waits",
        base={"name": "Support", "description": "old"},
        theirs={"name": "Triage", "description": "theirs"},
        ours={"name": "Support", "description": "ours"},
        merged={"name": "Triage", "description": "ours"}, outcome=CONFLICT,
        fields=("description",)),
    Case("dataset", "two fields changed here", "one update carries both",
        base={"name": "Support", "description": "old"},
        theirs={"name": "Support", "description": "old"},
        ours={"name": "Triage", "description": "new"},
        merged={"name": "Triage", "description": "new"}, outcome=UPDATE,
        fields=("name", "description")),
    # JSON objects, key by key
    _dataset("metadata", "different keys", "each side changed its own key",
        base='{"a":1,"b":1}', theirs='{"a":2,"b":1}', ours='{"a":1,"b":3}',
        merged='{"a":2,"b":3}', outcome=UPDATE),
    _dataset("metadata", "the same key, alike",
        "both sides agree on the key, and ours adds another",
        base='{"a":1}', theirs='{"a":2}', ours='{"a":2,"b":1}', merged='{"a":2,"b":1}',
        outcome=UPDATE),
    _dataset("metadata", "the same key, differently",
        "one key that cannot be joined keeps the whole field back",
        base='{"a":1,"b":1}', theirs='{"a":2,"b":5}', ours='{"a":3,"b":1}',
        merged='{"a":3,"b":1}', outcome=CONFLICT),
    _dataset("metadata", "nested keys", "objects inside objects are joined in the same way",
        base='{"x":{"a":1,"b":1}}', theirs='{"x":{"a":2,"b":1}}',
        ours='{"x":{"a":1,"b":3}}', merged='{"x":{"a":2,"b":3}}', outcome=UPDATE),
    _dataset("metadata", "a nested key, differently",
        "a conflict deep inside is a conflict of the field",
        base='{"x":{"a":1},"b":1}', theirs='{"x":{"a":2},"b":1}',
        ours='{"x":{"a":3},"b":2}', merged='{"x":{"a":3},"b":2}', outcome=CONFLICT),
    _dataset("metadata", "keys added on each side", "both keys stay",
        base="{}", theirs='{"a":1}', ours='{"b":1}', merged='{"a":1,"b":1}', outcome=UPDATE),
    _dataset("metadata", "a key added alike", "it is there once",
        base="{}", theirs='{"a":1}', ours='{"a":1}', merged='{"a":1}', outcome=NOTHING),
    _dataset("metadata", "a key added differently",
        "an absent key is a base like any other value",
        base="{}", theirs='{"a":1}', ours='{"a":2}', merged='{"a":2}', outcome=CONFLICT),
    _dataset("metadata", "objects added under one key",
        "they are joined as if the key had held an empty object",
        base="{}", theirs='{"x":{"a":1}}', ours='{"x":{"b":1}}',
        merged='{"x":{"a":1,"b":1}}', outcome=UPDATE),
    _dataset("metadata", "a key removed there, another edited here", "both changes stand",
        base='{"a":1,"b":1}', theirs='{"b":1}', ours='{"a":1,"b":2}', merged='{"b":2}',
        outcome=UPDATE),
    _dataset("metadata", "a key removed here, another edited there", "both changes stand",
        base='{"a":1,"b":1}', theirs='{"a":1,"b":2}', ours='{"b":1}', merged='{"b":2}',
        outcome=UPDATE),
    _dataset("metadata", "a key removed on both sides", "it is gone, and nothing is left to send",
        base='{"a":1,"b":1}', theirs='{"b":1}', ours='{"b":1}', merged='{"b":1}',
        outcome=NOTHING),
    _dataset("metadata", "a key removed there, edited here",
        "nobody but a person knows which was meant",
        base='{"a":1,"b":1}', theirs='{"b":1}', ours='{"a":2,"b":1}',
        merged='{"a":2,"b":1}', outcome=CONFLICT),
    _dataset("metadata", "a key edited there, removed here",
        "nobody but a person knows which was meant",
        base='{"a":1,"b":1}', theirs='{"a":2,"b":1}', ours='{"b":1}', merged='{"b":1}',
        outcome=CONFLICT),
    _dataset("metadata", "a key set to null there, removed here",
        "an absent key is not a null key",
        base='{"a":1}', theirs='{"a":null}', ours="{}", merged="{}", outcome=CONFLICT),
    _dataset("metadata", "objects where there was nothing",
        "two objects in place of a null are joined",
        base=None, theirs='{"a":1}', ours='{"b":1}', merged='{"a":1,"b":1}', outcome=UPDATE),
    # JSON values that are one piece
    _dataset("metadata", "lists, differently", "a list is one value, whatever its elements",
        base="[1,2]", theirs="[1,2,3]", ours="[0,1,2]", merged="[0,1,2]", outcome=CONFLICT),
    _dataset("metadata", "a list here, another key there",
        "the object is joined, the list inside it taken whole",
        base='{"l":[1],"a":1}', theirs='{"l":[1],"a":2}', ours='{"l":[1,2],"a":1}',
        merged='{"a":2,"l":[1,2]}', outcome=UPDATE),
    _dataset("metadata", "a list inside an object, differently", "elements are never joined",
        base='{"l":[1]}', theirs='{"l":[1,2]}', ours='{"l":[1,3]}', merged='{"l":[1,3]}',
        outcome=CONFLICT),
    _dataset("metadata", "made a list here, edited there",
        "a value that changed its type is one value",
        base='{"a":1}', theirs='{"a":2}', ours="[1]", merged="[1]", outcome=CONFLICT),
    _dataset("metadata", "made text there, edited here",
        "a value that changed its type is one value",
        base='{"a":1}', theirs='"a"', ours='{"a":2}', merged='{"a":2}', outcome=CONFLICT),
    _dataset("metadata", "a list made two objects",
        "there are no keys the two objects have in common with a list",
        base="[1]", theirs='{"a":1}', ours='{"b":1}', merged='{"b":1}', outcome=CONFLICT),
    _dataset("metadata", "a scalar, differently", "there is nothing inside to join",
        base="1", theirs="2", ours="3", merged="3", outcome=CONFLICT),
    _dataset("metadata", "broken JSON here", "what cannot be read cannot be joined",
        base='{"a":1}', theirs='{"a":2}', ours='{"a"', merged='{"a"', outcome=CONFLICT),
    # JSON that is written differently
    _dataset("metadata", "the JSON null", "JSON null and an empty column are the same",
        base=None, theirs="null", ours=None, merged="null", outcome=NOTHING),
    _dataset("metadata", "keys in another order", "the server keeps its own order",
        base='{"a":1,"bb":2}', theirs='{"a":1,"bb":2}', ours='{"bb":2,"a":1}',
        merged='{"a":1,"bb":2}', outcome=NOTHING),
    _dataset("metadata", "a key twice", "the last one counts, here as on the server",
        base='{"a":2}', theirs='{"a":2}', ours='{"a":1,"a":2}', merged='{"a":2}',
        outcome=NOTHING),
    _dataset("metadata", "1 made 1.0", "the server keeps them apart, so this is an edit",
        base="1", theirs="1", ours="1.0", merged="1.0", outcome=UPDATE),
    _dataset("metadata", "1 made true", "another type is another value",
        base='{"a":1}', theirs='{"a":1}', ours='{"a":true}', merged='{"a":true}', outcome=UPDATE),
    _dataset("metadata", "1 made 1.0 there, 2 here", "both sides changed it",
        base='{"a":1}', theirs='{"a":1.0}', ours='{"a":2}', merged='{"a":2}', outcome=CONFLICT),
    _dataset("metadata", "1e2 and 100.0", "two ways to write one number",
        base="100.0", theirs="100.0", ours="1e2", merged="100.0", outcome=NOTHING),
    _dataset("metadata", "a large float", "the server writes floats from 1e16 up as integers",
        base="1", theirs="10000000000000000", ours="1e16", merged="10000000000000000",
        outcome=NOTHING),
    _dataset("metadata", "minus zero", "the server has none",
        base="0.0", theirs="0.0", ours="-0.0", merged="0.0", outcome=NOTHING),
    # deleting
    _dataset("deleted", "deleted is null",
        "only true hides a record, so null and false are the same",
        base=None, theirs=0, ours=None, merged=0, outcome=NOTHING),
    _dataset("deleted", "deleted here", "the deletion will be sent",
        base=0, theirs=0, ours=1, merged=1, outcome=DELETE),
    _dataset("deleted", "deleted there", "the working copy follows",
        base=0, theirs=1, ours=0, merged=1, outcome=NOTHING),
    _dataset("deleted", "deleted on both sides", "nothing is left to do",
        base=0, theirs=1, ours=1, merged=1, outcome=NOTHING),
    _dataset("deleted", "undeleted here", "the record will be brought back",
        base=1, theirs=1, ours=0, merged=0, outcome=UNDELETE),
    _dataset("deleted", "undeleted there", "the working copy follows",
        base=1, theirs=0, ours=1, merged=0, outcome=NOTHING),
    Case("dataset", "deleted and edited here", "the deletion carries the other edits",
        base={"description": "old"}, theirs={"description": "old"},
        ours={"description": "new", "deleted": 1},
        merged={"description": "new", "deleted": 1}, outcome=DELETE,
        fields=("description", "deleted")),
    Case("dataset", "undeleted and edited here", "one request does both",
        base={"description": "old", "deleted": 1},
        theirs={"description": "old", "deleted": 1}, ours={"description": "new"},
        merged={"description": "new", "deleted": 0}, outcome=UNDELETE,
        fields=("description", "deleted")),
    Case("dataset", "deleted here, edited there",
        "the deletion stands and takes their edit along",
        base={"description": "old"}, theirs={"description": "new"},
        ours={"description": "old", "deleted": 1},
        merged={"description": "new", "deleted": 1}, outcome=DELETE, fields=("deleted",)),
    Case("dataset", "edited here, deleted there", "work would be lost with the record",
        base={"description": "old"}, theirs={"description": "old", "deleted": 1},
        ours={"description": "new"},
        merged={"description": "new", "deleted": 0}, outcome=CONFLICT,
        fields=("deleted",), reason=Reason.DELETED_THERE),
    Case("dataset", "edited alike, deleted there", "nothing of ours is lost with the record",
        base={"description": "old"}, theirs={"description": "new", "deleted": 1},
        ours={"description": "new"},
        merged={"description": "new", "deleted": 1}, outcome=NOTHING, fields=()),
    Case("dataset", "deleted on both sides, edited here",
        "nothing stands against the edit, so it goes out",
        base={"description": "old"}, theirs={"description": "old", "deleted": 1},
        ours={"description": "new", "deleted": 1},
        merged={"description": "new", "deleted": 1},
        outcome=UPDATE, fields=("description",)),
    Case("dataset", "edited while deleted, undeleted there", "both changes stand",
        base={"description": "old", "deleted": 1},
        theirs={"description": "old", "deleted": 0}, ours={"description": "new", "deleted": 1},
        merged={"description": "new", "deleted": 0}, outcome=UPDATE, fields=("description",)),
    # items
    _item("dataset", "moved here", "a dataset is a field like any other",
        base="support", theirs="support", ours="billing", merged="billing", outcome=UPDATE),
    _item("dataset", "moved there", "the working copy follows",
        base="support", theirs="billing", ours="support", merged="billing", outcome=NOTHING),
    _item("dataset", "moved to two datasets", "somebody has to choose",
        base="support", theirs="billing", ours="sales", merged="sales", outcome=CONFLICT),
    Case("item", "question here, answer there", "each side changed its own field",
        base={"input": '"q"', "expected_output": '"a"'},
        theirs={"input": '"q"', "expected_output": '"b"'},
        ours={"input": '"r"', "expected_output": '"a"'},
        merged={"input": '"r"', "expected_output": '"b"'}, outcome=UPDATE, fields=("input",)),
    _item("input", "spaces inside a JSON text", "JSON text is not trimmed, so this is an edit",
        base='"q"', theirs='"q"', ours='" q "', merged='" q "', outcome=UPDATE),
    _item("trace_timestamp", "one moment, written twice", "two zones, one time",
        base="2026-11-23T18:13:50Z", theirs="2026-11-23T18:13:50Z",
        ours="2026-11-23T19:13:50+01:00", merged="2026-11-23T18:13:50Z", outcome=NOTHING),
    _item("trace_timestamp", "a time without a zone", "it means UTC",
        base="2026-11-23T18:13:50Z", theirs="2026-11-23T18:13:50Z",
        ours="2026-11-23T18:13:50", merged="2026-11-23T18:13:50Z", outcome=NOTHING),
    _item("trace_timestamp", "two moments", "somebody has to choose",
        base=None, theirs="2026-11-23T18:13:50Z", ours="2026-11-23T18:13:51Z",
        merged="2026-11-23T18:13:51Z", outcome=CONFLICT),
    _item("trace_id", "a padded trace id", "the server trims it",
        base="t1", theirs="t1", ours="t1\n", merged="t1", outcome=NOTHING),
    _item("deleted", "an item deleted here", "the deletion will be sent",
        base=0, theirs=0, ours=1, merged=1, outcome=DELETE),
    Case("item", "an item edited here, deleted there", "work would be lost with the record",
        base={"input": '"q"'}, theirs={"input": '"q"', "deleted": 1}, ours={"input": '"r"'},
        merged={"input": '"r"', "deleted": 0}, outcome=CONFLICT, fields=("deleted",),
        reason=Reason.DELETED_THERE),
)
# fmt: on
