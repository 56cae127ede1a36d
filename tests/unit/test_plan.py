"""A plan sorts what must go first, and its digest says what would be sent."""

import random
from dataclasses import replace

from dssync.core.fields import KindName
from dssync.core.merge import Conflict, Reason
from dssync.core.plan import Action, Change, Conflicted, Delta, Plan


def change(
    action: Action, kind: KindName, key: str = "k", *, remote: str = "main", where: str = ""
) -> Change:
    return Change(remote, kind, key, f"id-{key}", action, (Delta("deleted", 0, 1),), where=where)


IN_ORDER = (
    change("delete", "dataset", remote="a"),
    change("create", "dataset", "1"),
    change("create", "dataset", "2"),
    change("undelete", "dataset"),
    change("update", "dataset"),
    change("create", "item", "9", where="Billing"),
    change("create", "item", "1", where="Support"),
    change("undelete", "item"),
    change("update", "item"),
    change("delete", "item"),
    change("delete", "dataset"),
)


def test_parents_first_and_deletions_last_whatever_the_order_found() -> None:
    for seed in range(20):
        mixed = random.Random(seed).sample(IN_ORDER, len(IN_ORDER))
        plan = Plan.of(mixed)
        assert plan.changes == IN_ORDER
        assert plan.digest == Plan.of(IN_ORDER).digest


def test_the_digest_holds_everything_that_is_sent() -> None:
    one = Change("main", "item", "k", "id", "update", (Delta("metadata", "1", "2"),))
    others = [
        replace(one, remote="other"),
        replace(one, kind="dataset"),
        replace(one, key="j"),
        replace(one, id=None),
        replace(one, action="delete"),
        replace(one, deltas=(Delta("metadata", "0", "2"),)),
        replace(one, deltas=(Delta("metadata", "1", "3"),)),
        replace(one, deltas=(Delta("metadata", "1", None),)),
        replace(one, deltas=(Delta("deleted", "1", "2"),)),
        replace(one, deltas=(*one.deltas, Delta("deleted", "1", "2"))),
        replace(one, deltas=()),
    ]
    digests = {Plan.of([each]).digest for each in (one, *others)}
    assert len(digests) == 1 + len(others)
    assert Plan.of([one, others[0]]).digest not in digests


def test_the_digest_is_the_same_in_every_version_and_process() -> None:
    one = Change("main", "item", "k", "id", "update", (Delta("input", '"é"', None),))
    assert Plan.of([one]).digest == "9d0d20cc4366a1cd"
    named = replace(one, label="a question", where="Support")
    conflict = Conflicted("main", "item", "x", "x", ())
    assert Plan.of([named], [conflict]).digest == Plan.of([one]).digest


def test_a_plan_with_nothing_but_conflicts_would_send_nothing() -> None:
    clash = Conflict("name", "a", "b", "c", Reason.BOTH_CHANGED)
    later = Conflicted("main", "item", "2", "2", (clash,))
    conflicts = [later, replace(later, key="1"), replace(later, kind="dataset", key="3")]
    plan = Plan.of([], conflicts)
    assert not plan
    assert [c.key for c in plan.conflicts] == ["3", "1", "2"]
    assert Plan.of([change("create", "item")])


def test_counts_and_deletions() -> None:
    plan = Plan.of(IN_ORDER)
    assert plan.counts() == {"create": 4, "update": 2, "delete": 3, "undelete": 2}
    assert Plan.of(IN_ORDER[1:3]).counts() == {"create": 2}
    assert plan.deletions() == {
        ("a", "dataset"): 1,
        ("main", "dataset"): 1,
        ("main", "item"): 1,
    }


def test_a_change_knows_what_to_send() -> None:
    deltas = (Delta("name", "a", "b"), Delta("description", "x", None))
    assert replace(change("update", "dataset"), deltas=deltas).after == {
        "name": "b",
        "description": None,
    }


def test_the_digest_does_not_depend_on_how_values_are_spelled() -> None:
    one = Change("main", "item", "k", "id", "update", (Delta("metadata", '{"b":1,"a":1e2}', "1"),))
    alike = [
        replace(one, deltas=(Delta("metadata", before, after),))
        for before, after in (('{ "a": 100.0, "b": 1 }', " 1"), ('{"b":1,"a":100.00}', "1\n"))
    ]
    assert {Plan.of([each]).digest for each in (one, *alike)} == {Plan.of([one]).digest}
    floats = replace(one, deltas=(Delta("metadata", '{"b":1,"a":1e2}', "1.0"),))
    assert Plan.of([floats]).digest != Plan.of([one]).digest
    null = replace(one, deltas=(Delta("metadata", "null", "1"),))
    nothing = replace(one, deltas=(Delta("metadata", None, "1"),))
    assert Plan.of([null]).digest == Plan.of([nothing]).digest


def test_the_digest_does_not_depend_on_the_names_of_datasets() -> None:
    def named(first: str, second: str) -> Plan:
        return Plan.of([change("update", "item", "1", where=first),
                        change("update", "item", "2", where=second)])  # fmt: skip

    assert named("A", "B").digest == named("B", "A").digest
    assert named("A", "B").changes != named("B", "A").changes
