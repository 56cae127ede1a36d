"""Laws of the three-way merge, for any values of a record's three sides."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from dssync.core.differ import difference
from dssync.core.fields import KINDS, Field, KindName, Stored, Values
from dssync.core.join import ABSENT, CLASH, join, same
from dssync.core.merge import Reason, merge
from dssync.core.plan import Change, Conflicted
from dssync.core.pushed import settle
from dssync.core.records import Triple
from dssync.core.values import Json, differing, dump, equal

# Few different values, so that sides agree, differ and nest in each other often.
SCALARS: st.SearchStrategy[Json] = st.sampled_from([None, True, 0, 1, 1.0, "", "a"])
JSON: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: (
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2)
    ),
    max_leaves=6,
)
OBJECTS: st.SearchStrategy[dict[str, Json]] = st.dictionaries(st.sampled_from("abc"), JSON)
TEXTS = st.sampled_from([None, "", "a", " a ", "b"])
BY_TYPE: dict[str, st.SearchStrategy[Stored]] = {
    "text": TEXTS,
    "json": st.none() | (JSON | OBJECTS).map(dump),
    "time": st.sampled_from([None, "2026-11-23T18:00:00Z", "2026-11-23T19:00:00+01:00"]),
    "flag": st.sampled_from([None, 0, 1]),
    "reference": st.sampled_from(["d1", "d2"]),
}


def values(kind: KindName) -> st.SearchStrategy[dict[str, Stored]]:
    return st.fixed_dictionaries({f.name: BY_TYPE[f.type] for f in KINDS[kind].fields})


def triple(kind: KindName, base: Values, theirs: Values, ours: Values) -> Triple:
    return Triple(kind, "k", "id", "main", ours=ours, base=base, theirs=theirs)


def triples_of(kind: KindName) -> st.SearchStrategy[Triple]:
    """Make records whose sides are edits of one another, or have nothing in common."""

    def edited(base: dict[str, Stored]) -> st.SearchStrategy[dict[str, Stored]]:
        return values(kind).flatmap(
            lambda other: st.sets(st.sampled_from(KINDS[kind].names), max_size=3).map(
                lambda names: {**base, **{name: other[name] for name in names}}
            )
        )

    return values(kind).flatmap(
        lambda base: st.builds(triple, st.just(kind), st.just(base), edited(base), edited(base))
    )


TRIPLES = triples_of("dataset") | triples_of("item")


def sides(found: Triple) -> tuple[Values, Values, Values, tuple[Field, ...]]:
    assert found.base is not None
    assert found.theirs is not None
    return found.base, found.theirs, found.ours, KINDS[found.kind].fields


@given(TRIPLES)
def test_untouched_here_it_becomes_theirs(found: Triple) -> None:
    base, theirs, _, fields = sides(found)
    result = merge(replace(found, ours=base))
    assert differing(fields, result.ours, theirs) == ()
    assert result.conflicts == ()
    assert result.settled


@given(TRIPLES)
def test_untouched_there_it_stays_ours(found: Triple) -> None:
    base, _, ours, fields = sides(found)
    still = replace(found, theirs=base)
    result = merge(still)
    assert differing(fields, result.ours, ours) == ()
    assert differing(fields, result.base, base) == ()
    assert result.conflicts == ()
    change = difference(still)
    edited = differing(fields, ours, base)
    assert (tuple(change.after) if isinstance(change, Change) else ()) == edited


@given(TRIPLES)
def test_the_same_on_both_sides_is_agreed(found: Triple) -> None:
    _, theirs, _, fields = sides(found)
    result = merge(replace(found, ours=theirs))
    assert differing(fields, result.ours, theirs) == ()
    assert differing(fields, result.base, theirs) == ()
    assert result.conflicts == ()
    assert result.settled


@given(TRIPLES)
def test_swapping_the_sides_swaps_the_sides(found: Triple) -> None:
    _, theirs, ours, fields = sides(found)
    assume(not theirs["deleted"] and not ours["deleted"])
    one, other = merge(found), merge(replace(found, theirs=ours, ours=theirs))
    assert [c.field for c in one.conflicts] == [c.field for c in other.conflicts]
    clashing = {c.field: (c.theirs, c.ours) for c in one.conflicts}
    assert {c.field: (c.ours, c.theirs) for c in other.conflicts} == clashing
    assert set(differing(fields, one.ours, other.ours)) <= clashing.keys()


@given(TRIPLES)
def test_merging_again_changes_nothing(found: Triple) -> None:
    *_, fields = sides(found)
    once = merge(found)
    again = merge(replace(found, ours=once.ours, base=once.base))
    assert differing(fields, again.ours, once.ours) == ()
    assert differing(fields, again.base, once.base) == ()
    assert again.settled == once.settled
    assert [(c.field, c.reason) for c in again.conflicts] == [
        (c.field, c.reason) for c in once.conflicts
    ]


@given(TRIPLES)
def test_a_conflict_keeps_ours_and_shows_the_three_values(found: Triple) -> None:
    base, theirs, ours, _ = sides(found)
    result = merge(found)
    for clash in result.conflicts:
        name = clash.field
        assert result.ours[name] == ours[name]
        assert result.base[name] == base[name]
        assert (clash.base, clash.ours) == (base[name], ours[name])
        assert clash.theirs == theirs[name]


@given(TRIPLES)
def test_a_value_comes_from_a_side_unless_it_was_joined(found: Triple) -> None:
    _, theirs, ours, fields = sides(found)
    result = merge(found)
    for field in fields:
        name = field.name
        mine = any(equal(field, result.ours[name], side[name]) for side in (theirs, ours))
        assert mine or field.type == "json"


@given(TRIPLES)
def test_an_edit_is_sent_or_in_conflict_or_there_already(found: Triple) -> None:
    base, theirs, ours, fields = sides(found)
    said = difference(found)
    for name in differing(fields, ours, base):
        there = equal(KINDS[found.kind].by_name[name], ours[name], theirs[name])
        if isinstance(said, Conflicted):
            continue
        joined = merge(found).ours[name]
        sent = isinstance(said, Change) and name in said.after
        already = equal(KINDS[found.kind].by_name[name], joined, theirs[name])
        assert sent or there or already
    assert (said is None) == merge(found).settled


@given(TRIPLES)
def test_nothing_edited_here_is_deleted_with_their_record(found: Triple) -> None:
    base, theirs, ours, fields = sides(found)
    result = merge(found)
    left = set(differing(fields, result.ours, theirs)) - {"deleted"}
    gone_there = theirs["deleted"] and not base["deleted"] and not ours["deleted"]
    told = [c for c in result.conflicts if c.reason is Reason.DELETED_THERE]
    assert bool(told) == bool(gone_there and left)


@given(OBJECTS, OBJECTS, OBJECTS)
def test_no_key_is_dropped_that_neither_side_dropped(
    base: dict[str, Json], theirs: dict[str, Json], ours: dict[str, Json]
) -> None:
    joined = join(base, theirs, ours)
    assume(joined is not CLASH)
    assert isinstance(joined, dict)
    kept_by_both = theirs.keys() & ours.keys()
    added = (theirs.keys() | ours.keys()) - base.keys()
    assert joined.keys() == kept_by_both | added


@given(OBJECTS, OBJECTS, OBJECTS)
def test_joining_is_the_same_from_either_side(
    base: dict[str, Json], theirs: dict[str, Json], ours: dict[str, Json]
) -> None:
    assert same(join(base, theirs, ours), join(base, ours, theirs))


@given(OBJECTS, OBJECTS, OBJECTS)
def test_a_clash_lies_at_a_value_both_sides_changed(
    base: dict[str, Json], theirs: dict[str, Json], ours: dict[str, Json]
) -> None:
    clashes = [
        key
        for key in {*base, *theirs, *ours}
        if join(*(side.get(key, ABSENT) for side in (base, theirs, ours))) is CLASH
    ]
    assert (join(base, theirs, ours) is CLASH) == bool(clashes)
    for key in clashes:
        b, t, o = (side.get(key, ABSENT) for side in (base, theirs, ours))
        assert not same(b, t)
        assert not same(b, o)
        assert not same(t, o)


def waiting(found: Triple) -> Triple:
    return replace(found, pushed_run=7)


@given(TRIPLES)
def test_before_the_look_only_later_edits_are_changes(found: Triple) -> None:
    _, theirs, ours, fields = sides(found)
    said = difference(waiting(found))
    later = differing(fields, ours, theirs)
    assert not isinstance(said, Conflicted)
    assert (tuple(said.after) if said else ()) == later


@given(TRIPLES)
def test_a_push_that_arrived_leaves_nothing(found: Triple) -> None:
    _, theirs, _, fields = sides(found)
    judged = settle(waiting(replace(found, ours=theirs)), theirs)
    result = merge(judged)
    assert judged.pushed_run is None
    assert result.settled
    assert differing(fields, result.ours, theirs) == ()


@given(TRIPLES)
def test_a_push_that_was_taken_back_is_a_conflict_of_what_was_sent(found: Triple) -> None:
    base, theirs, _, fields = sides(found)
    judged = settle(waiting(replace(found, ours=theirs)), base)
    sent = differing(fields, base, theirs)
    reverted = {c.field for c in merge(judged).conflicts if c.reason is Reason.REVERTED}
    assert reverted == judged.reverted == set(sent)
    assert judged.base is not None
    assert differing(fields, judged.base, base) == ()
    assert bool(difference(judged)) == bool(sent)


@given(TRIPLES, st.data())
def test_anything_else_is_the_table_with_what_was_sent_as_base(
    found: Triple, data: st.DataObject
) -> None:
    base, sent, _, fields = sides(found)
    drawn = data.draw(values(found.kind))
    pushed = differing(fields, base, sent)
    back = [f.name for f in fields if f.name in pushed and equal(f, drawn[f.name], base[f.name])]
    seen = {**drawn, **{name: sent[name] for name in back}}
    judged = settle(waiting(found), seen)
    believed = {**base, **{name: sent[name] for name in pushed}}
    assert judged.reverted == frozenset()
    assert merge(judged) == merge(replace(found, theirs=seen, base=believed))


@given(TRIPLES, st.data())
def test_without_a_push_a_read_renews_theirs_and_nothing_else(
    found: Triple, data: st.DataObject
) -> None:
    seen = data.draw(values(found.kind))
    assert settle(found, seen) == replace(found, theirs=seen)
