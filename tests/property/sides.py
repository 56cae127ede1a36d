"""Strategies for a record's three sides: few plain values that often meet, and hostile ones."""

from hypothesis import strategies as st

from dssync.core.fields import KINDS, KindName, Stored, Values
from dssync.core.records import Triple
from dssync.core.values import Json, dump

HOSTILE_NUMBERS: list[Json] = [1e16, 10**16, -0.0, 0.1, 5e-324, 2**64 - 1, -(2**63), 1e300]
HOSTILE_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
HOSTILE_KEYS = ["", "__proto__", "a/b", "é", "e\u0301", "\u2028", "\x1b[2J", "null", "0"]

# Few different values, so that sides agree, differ and nest in each other often.
SCALARS: st.SearchStrategy[Json] = (
    st.sampled_from([None, True, 0, 1, 1.0, "", "a"])
    | st.sampled_from(HOSTILE_NUMBERS)
    | HOSTILE_TEXT
)
KEYS = st.sampled_from("abc") | st.sampled_from(HOSTILE_KEYS)
JSON: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=4,
)
OBJECTS: st.SearchStrategy[dict[str, Json]] = st.dictionaries(KEYS, JSON, max_size=4)
BY_TYPE: dict[str, st.SearchStrategy[Stored]] = {
    "text": st.sampled_from([None, "", "a", " a ", "b"]) | HOSTILE_TEXT,
    "json": st.none() | (JSON | OBJECTS).map(dump),
    "time": st.sampled_from([None, "2026-11-23T18:00:00Z", "2026-11-23T19:00:00+01:00"]),
    "flag": st.sampled_from([None, 0, 1]),
    "reference": st.sampled_from(["d1", "d2"]),
}


@st.composite
def edited(draw: st.DrawFn, value: Json) -> Json:
    """Edit a JSON value in a place or two, objects inside objects too."""
    if not isinstance(value, dict) or draw(st.integers(0, 9)) == 0:
        return draw(JSON)
    changed = dict(value)
    for key in draw(st.lists(st.sampled_from(sorted(value)) | KEYS if value else KEYS, max_size=2)):
        how = draw(st.sampled_from(["drop", "set", "inside"]))
        if how == "drop":
            changed.pop(key, None)
        elif how == "inside" and key in changed:
            changed[key] = draw(edited(changed[key]))
        else:
            changed[key] = draw(JSON)
    return changed


JSONS = {kind: [f.name for f in KINDS[kind].fields if f.type == "json"] for kind in KINDS}


def values(kind: KindName) -> st.SearchStrategy[dict[str, Stored]]:
    return st.fixed_dictionaries({f.name: BY_TYPE[f.type] for f in KINDS[kind].fields})


def triple(kind: KindName, base: Values, theirs: Values, ours: Values) -> Triple:
    return Triple(kind, "k", "id", "main", ours=ours, base=base, theirs=theirs)


@st.composite
def triples(draw: st.DrawFn) -> Triple:
    """Make a record whose sides are edits of one another, key by key or with nothing in common."""
    kind: KindName = draw(st.sampled_from(tuple(KINDS)))
    fields = KINDS[kind].by_name
    base = draw(values(kind))
    objects = {name: draw(OBJECTS) for name in draw(st.sets(st.sampled_from(JSONS[kind])))}
    base |= {name: dump(value) for name, value in objects.items()}
    sides = []
    for _ in range(2):
        side = dict(base)
        for name in draw(st.sets(st.sampled_from(KINDS[kind].names), max_size=3)):
            side[name] = draw(BY_TYPE[fields[name].type])
        for name, value in objects.items():
            side[name] = dump(draw(edited(value)))
        sides.append(side)
    return triple(kind, base, *sides)


TRIPLES = triples()
