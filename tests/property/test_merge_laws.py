"""Laws of the three-way merge, for any values of a record's three sides."""

from dataclasses import replace

from hypothesis import assume, given, reject
from hypothesis import strategies as st

from dssync.core.differ import difference
from dssync.core.fields import KINDS, Field, Values
from dssync.core.join import ABSENT, CLASH, Mark, join, same
from dssync.core.merge import Reason, merge
from dssync.core.plan import Change, Conflicted
from dssync.core.pushed import look_after, settle
from dssync.core.records import Triple
from dssync.core.values import Json, differing, dump, equal, normal, parse
from tests.property.sides import JSON, OBJECTS, TRIPLES, edited, values

DELETED = Reason.DELETED_THERE
BLANK: Values = {"name": "a", "description": None, "metadata": None, "deleted": 0}


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
    one, other = merge(found), merge(replace(found, theirs=ours, ours=theirs))
    clashing = {c.field: (c.theirs, c.ours) for c in one.conflicts if c.reason is not DELETED}
    swapped = {c.field: (c.ours, c.theirs) for c in other.conflicts if c.reason is not DELETED}
    assert swapped == clashing
    # a deletion is told to whoever edited, so there the two sides differ
    told = {c.field for c in (*one.conflicts, *other.conflicts) if c.reason is DELETED}
    assert set(differing(fields, one.ours, other.ours)) <= clashing.keys() | told
    if not theirs["deleted"] and not ours["deleted"]:
        assert told == set()


@given(TRIPLES)
def test_merging_again_changes_nothing(found: Triple) -> None:
    *_, fields = sides(found)
    once = merge(found)
    again = merge(replace(found, ours=once.ours, base=once.base))
    assert again.ours == once.ours
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


def check_keys(base: Json, theirs: Json, ours: Json, joined: Json) -> None:
    """Hold the keys of a join against what each side dropped and added, level by level."""
    if isinstance(theirs, dict) and isinstance(ours, dict) and isinstance(joined, dict):
        before = base if isinstance(base, dict) else {}
        added = (theirs.keys() | ours.keys()) - before.keys()
        assert joined.keys() == theirs.keys() & ours.keys() | added
        for key in theirs.keys() & ours.keys():
            check_keys(before.get(key), theirs[key], ours[key], joined[key])


@given(OBJECTS, st.data())
def test_no_key_is_dropped_that_neither_side_dropped(
    base: dict[str, Json], data: st.DataObject
) -> None:
    theirs, ours = data.draw(edited(base)), data.draw(edited(base))
    joined = join(base, theirs, ours)
    if isinstance(joined, Mark):
        reject()
    check_keys(base, theirs, ours, joined)


@given(TRIPLES)
def test_no_key_of_a_record_is_dropped_that_neither_side_dropped(found: Triple) -> None:
    base, theirs, ours, fields = sides(found)
    result = merge(found)
    conflicts = {c.field for c in result.conflicts}
    for field in fields:
        if field.type == "json" and field.name not in conflicts:
            four = (side[field.name] for side in (base, theirs, ours, result.ours))
            check_keys(*(normal(parse(text)) for text in four))


@given(OBJECTS, st.data())
def test_joining_is_the_same_from_either_side(base: dict[str, Json], data: st.DataObject) -> None:
    theirs, ours = data.draw(edited(base)), data.draw(edited(base))
    assert same(join(base, theirs, ours), join(base, ours, theirs))


@given(OBJECTS, st.data())
def test_a_clash_lies_at_a_value_both_sides_changed(
    base: dict[str, Json], data: st.DataObject
) -> None:
    theirs, ours = data.draw(edited(base)), data.draw(edited(base))
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        reject()
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


def pushed(before: Values, sent: Values) -> Triple:
    """Return a dataset that was pushed and not seen since."""
    ours = {**BLANK, **sent}
    return Triple("dataset", "k", "id", "main", ours, {**BLANK, **before}, ours, pushed_run=7)


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


@given(TRIPLES, st.data())
def test_a_push_that_was_taken_back_is_a_conflict_of_what_was_sent(
    found: Triple, data: st.DataObject
) -> None:
    base, theirs, _, fields = sides(found)
    sent = differing(fields, base, theirs)
    other = data.draw(values(found.kind))
    seen = {name: base[name] if name in sent else other[name] for name in base}
    judged = settle(waiting(replace(found, ours=theirs)), seen)
    reverted = {c.field for c in merge(judged).conflicts if c.reason is Reason.REVERTED}
    assert reverted == judged.reverted == set(sent)
    assert judged.base is not None
    assert differing(fields, judged.base, base) == ()
    assert bool(sent) == isinstance(difference(judged), Conflicted)


@given(OBJECTS, OBJECTS, JSON)
def test_one_key_that_was_taken_back_is_enough(
    before: dict[str, Json], sent: dict[str, Json], fresh: Json
) -> None:
    assume(not same(normal(before), normal(sent)))
    texts = [{"metadata": dump(value)} for value in (before, sent)]
    found = pushed(*texts)
    # what the neighbour added tells their save from a mere revert
    assert settle(found, {**BLANK, "metadata": dump({**before, "new": fresh})}).reverted
    assert not settle(found, {**BLANK, "metadata": dump({**sent, "new": fresh})}).reverted


@given(TRIPLES, st.data())
def test_anything_else_is_the_table_with_what_was_sent_as_base(
    found: Triple, data: st.DataObject
) -> None:
    base, sent, _, fields = sides(found)
    seen = data.draw(values(found.kind))
    judged = settle(waiting(found), seen)
    kept = {f.name for f in fields if f.name not in judged.reverted}
    assert judged.reverted <= set(differing(fields, base, sent))
    one = merge(judged)
    other = merge(replace(found, theirs=seen, base=sent))
    fields_kept = [f for f in fields if f.name in kept - {"deleted"}]
    assert differing(fields_kept, one.ours, other.ours) == ()
    assert [c for c in one.conflicts if c.field in kept and c.reason is not DELETED] == [
        c for c in other.conflicts if c.field in kept and c.reason is not DELETED
    ]


@given(TRIPLES, st.data())
def test_looking_twice_comes_to_the_same_as_looking_once(
    found: Triple, data: st.DataObject
) -> None:
    *_, fields = sides(found)
    seen = data.draw(values(found.kind))
    once = merge(settle(waiting(found), seen))
    kept, result = look_after(waiting(found), seen)
    assert result == once
    base = kept.base if kept.pushed_run else result.base
    twice = merge(settle(replace(kept, ours=result.ours, base=base), seen))
    assert differing(fields, twice.ours, once.ours) == ()
    assert [(c.field, c.reason) for c in twice.conflicts] == [
        (c.field, c.reason) for c in once.conflicts
    ]


@given(TRIPLES, st.data())
def test_what_arrived_can_still_be_taken_back_after_others_changed_the_rest(
    found: Triple, data: st.DataObject
) -> None:
    base, theirs, _, fields = sides(found)
    sent = differing(fields, base, theirs)
    other = data.draw(values(found.kind))
    seen = {name: theirs[name] if name in sent else other[name] for name in base}
    kept, result = look_after(waiting(replace(found, ours=theirs)), seen)
    assert result.conflicts == ()
    later = {name: base[name] if name in sent else seen[name] for name in base}
    assert settle(replace(kept, ours=result.ours), later).reverted == set(sent)


@given(TRIPLES, st.data())
def test_without_a_push_a_read_renews_theirs_and_nothing_else(
    found: Triple, data: st.DataObject
) -> None:
    seen = data.draw(values(found.kind))
    assert settle(found, seen) == replace(found, theirs=seen)
