"""Judge a pushed record by what later reads see of it.

The answer to a write is only an echo, and whoever saves a whole row as it was before takes back
what arrived meanwhile. So what was sent is looked for twice: right after the push, and by the next
run that reads the record. Until then `pushed_run` is set, theirs is what was sent or seen, and the
base is what the server held before. A sent field is one in which those two differ.

| a later read sees           | so                                 | and                      |
|-----------------------------|------------------------------------|--------------------------|
| what was sent               | it arrived                         | the base follows         |
| what was there before       | a neighbour's write took it back   | conflict "reverted"      |
| one key of an object as     | a neighbour's write took that key  | conflict "reverted"      |
| it was before               | back                               |                          |
| anything else               | it arrived, and somebody changed   | merged, with what was    |
|                             | it since                           | sent as the base         |
"""

from dataclasses import replace

from dssync.core.fields import KINDS, Field, Stored, Values
from dssync.core.join import Mark, join, taken_back
from dssync.core.merge import Merged, Reason, merge
from dssync.core.records import Triple
from dssync.core.values import BadJson, dump, equal, normal, parse


def settle(triple: Triple, seen: Values) -> Triple:
    """Judge what a push sent by what a later read saw; `seen` becomes theirs.

    What was found reverted before stays so until somebody decides. Without a push to be judged,
    a read renews theirs and nothing else.
    """
    base, theirs = triple.sides()
    if triple.pushed_run is None:
        return replace(triple, theirs=seen)
    fields = KINDS[triple.kind].fields
    reverted = triple.reverted | {
        f.name for f in fields if _reverted(f, base[f.name], theirs[f.name], seen[f.name])
    }
    bases = {name: base[name] if name in reverted else theirs[name] for name in theirs}
    return replace(triple, base=bases, theirs=seen, pushed_run=None, reverted=reverted)


def look_after(sent: Triple, seen: Values) -> tuple[Triple, Merged]:
    """Judge a push by the read right after it; return the record to keep, and its merge.

    The record waits to be seen once more, unless it is in a conflict that waiting would hide.
    """
    judged = settle(sent, seen)
    merged = merge(judged)
    if any(conflict.reason is not Reason.REVERTED for conflict in merged.conflicts):
        return judged, merged
    return replace(judged, base=_expected(sent, judged), pushed_run=sent.pushed_run), merged


def _expected(sent: Triple, judged: Triple) -> Values:
    """Return what the server would hold by now if nothing had been sent.

    What others changed meanwhile is theirs, and not to be taken for a part of the push.
    """
    before, believed = sent.sides()
    _, seen = judged.sides()
    return {
        f.name: before[f.name]
        if f.name in judged.reverted
        else _without(f, before[f.name], believed[f.name], seen[f.name])
        for f in KINDS[sent.kind].fields
    }


def _reverted(field: Field, before: Stored, sent: Stored, seen: Stored) -> bool:
    if equal(field, sent, seen):
        return False
    if equal(field, before, seen):
        return True
    if field.type != "json":
        return False
    try:
        return taken_back(*(normal(parse(text)) for text in (before, sent, seen)))
    except (BadJson, RecursionError):
        return False


def _without(field: Field, before: Stored, sent: Stored, seen: Stored) -> Stored:
    """Return `seen` with what was sent taken out of it; where that cannot be told, `seen`."""
    if equal(field, sent, seen):
        return before
    if field.type != "json":
        return seen
    try:
        joined = join(*(normal(parse(text)) for text in (sent, before, seen)))
    except (BadJson, RecursionError):
        return seen
    return seen if isinstance(joined, Mark) else dump(joined)
