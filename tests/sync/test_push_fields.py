"""Every field that people can edit goes to the server, and nothing else does."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from dssync.core.fields import KINDS, KindName, Stored
from dssync.core.plan import Change, Delta
from tests.sync.world import World


@dataclass(frozen=True)
class Edit:
    """One field: its column and what is written there, its name and value on the server."""

    kind: KindName
    column: str
    before: Stored
    after: Stored
    wire: str
    body: str
    stored: str


OTHER = "00000000-0000-7000-8000-000000000002"
WHEN = "2026-01-02T03:04:05Z"
EDITS = (
    Edit("dataset", "name", "one", " two ", "name", '" two "', '"two"'),
    Edit("dataset", "description", None, "", "description", '""', '""'),
    Edit("dataset", "metadata", '{"a":1}', '{"bb": [1.0], "a": null}', "metadata",
         '{"bb": [1.0], "a": null}', '{"a":null,"bb":[1.0]}'),
    Edit("item", "dataset", "home", OTHER, "dataset", f'"{OTHER}"', f'"{OTHER}"'),
    Edit("item", "input", '"question"', '{"q": 1}', "input", '{"q": 1}', '{"q":1}'),
    Edit("item", "expected_output", "1", "1.0", "output", "1.0", "1.0"),
    Edit("item", "metadata", '["x"]', None, "metadata", "null", "null"),
    Edit("item", "trace_id", "trace", "é\u2028x", "ref_trace_id",
         '"é\u2028x"', '"é\u2028x"'),
    Edit("item", "event_id", None, "event", "ref_source_id", '"event"', '"event"'),
    Edit("item", "trace_timestamp", WHEN, "2026-01-02 04:00:00.5+01:00", "ref_timestamp",
         '"2026-01-02 04:00:00.5+01:00"', '"2026-01-02T03:00:00.500000Z"'),
)  # fmt: skip


@pytest.fixture
def records(world: World) -> dict[Edit, str]:
    """Give each edit a record of its own, pulled; return their ids, which are their keys."""
    state = world.sandbox.state
    home = state.insert("dataset", name="home")
    state.insert("dataset", name="other", id=OTHER)
    values: dict[KindName, dict[str, Any]] = {
        "dataset": {"name": "one", "metadata": {"a": 1}},
        "item": {
            "dataset": home,
            "input": "question",
            "output": 1,
            "metadata": ["x"],
            "ref_trace_id": "trace",
            "ref_timestamp": WHEN,
        },
    }
    ids = {edit: state.insert(edit.kind, **values[edit.kind]) for edit in EDITS}
    world.pull()
    world.sandbox.log.clear()
    return ids


def edit_all(world: World, records: dict[Edit, str]) -> None:
    for edit, key in records.items():
        world.set(edit.kind, key, **{edit.column: edit.after})


def delete_all(world: World, records: dict[Edit, str]) -> None:
    for edit, key in records.items():
        world.sql(f"DELETE FROM {KINDS[edit.kind].table} WHERE key = ?", key)


def undelete_all(world: World, records: dict[Edit, str]) -> None:
    for edit, key in records.items():
        world.sql(f"UPDATE {KINDS[edit.kind].table} SET deleted = 0 WHERE key = ?", key)


def planned(world: World) -> dict[str, Change]:
    plan = world.plan()
    assert not plan.conflicts
    return {change.key: change for change in plan.changes}


def check_nothing_left(world: World) -> None:
    for _ in range(2):
        assert world.nothing_planned()
        assert world.pull().exit_code == 0
    assert world.nothing_planned()
    assert not world.sql("SELECT key FROM datasets_pending UNION SELECT key FROM items_pending")


def test_the_table_of_edits_names_every_field_of_the_classic_contract() -> None:
    named = {(edit.kind, edit.column) for edit in EDITS}
    classic = {(kind.name, f.name) for kind in KINDS.values() for f, _ in kind.on("classic")}
    assert named == classic - {("dataset", "deleted"), ("item", "deleted")}


def test_the_plan_shows_every_edited_field_with_before_and_after(
    world: World, records: dict[Edit, str]
) -> None:
    edit_all(world, records)
    changes = planned(world)
    assert len(changes) == len(EDITS)
    home = world.sql("SELECT key FROM datasets WHERE name = 'home'")[0][0]
    for edit, key in records.items():
        before: Stored = home if edit.before == "home" else edit.before
        assert changes[key].action == "update"
        assert changes[key].deltas == (Delta(edit.column, before, edit.after),)


def test_preparing_a_push_only_reads(world: World, records: dict[Edit, str]) -> None:
    edit_all(world, records)
    before = world.dump()
    prepared = world.prepare()
    assert prepared.plan == world.plan()
    assert set(world.sandbox.log.by_method()) == {"GET"}
    assert world.dump() == before


def test_every_edited_field_arrives_alone(world: World, records: dict[Edit, str]) -> None:
    edit_all(world, records)
    untouched = {key: world.raw(edit.kind, key) for edit, key in records.items()}
    receipt = world.push()
    assert (receipt.exit_code, receipt.count("applied")) == (0, len(EDITS))
    assert world.sandbox.log.by_method()["PATCH"] == len(EDITS)
    bodies = world.bodies()
    for edit, key in records.items():
        assert bodies[key] == f'{{"{edit.wire}":{edit.body}}}'
        expected = untouched[key] | {edit.wire: edit.stored}
        expected["updated_at"] = world.raw(edit.kind, key)["updated_at"]
        assert world.raw(edit.kind, key) == expected
    check_nothing_left(world)


def test_every_record_is_deleted_and_comes_back(world: World, records: dict[Edit, str]) -> None:
    delete_all(world, records)
    assert {c.action for c in planned(world).values()} == {"delete"}
    assert {c.deltas for c in planned(world).values()} == {(Delta("deleted", 0, 1),)}
    assert world.push().exit_code == 0
    assert world.bodies() == dict.fromkeys(records.values(), '{"deleted":true}')
    assert {world.raw(edit.kind, key)["deleted"] for edit, key in records.items()} == {"true"}
    check_nothing_left(world)

    world.sandbox.log.clear()
    undelete_all(world, records)
    assert {c.action for c in planned(world).values()} == {"undelete"}
    assert {c.deltas for c in planned(world).values()} == {(Delta("deleted", 1, 0),)}
    assert world.push().exit_code == 0
    assert world.bodies() == dict.fromkeys(records.values(), '{"deleted":false}')
    assert {world.raw(edit.kind, key)["deleted"] for edit, key in records.items()} == {"false"}
    check_nothing_left(world)
    assert not world.sql("SELECT key FROM items WHERE absent_since IS NOT NULL")


def test_a_deletion_and_an_undeletion_carry_the_records_other_edits(
    world: World, records: dict[Edit, str]
) -> None:
    edit_all(world, records)
    delete_all(world, records)
    assert {len(change.deltas) for change in planned(world).values()} == {2}
    receipt = world.push()
    assert (receipt.exit_code, receipt.count("applied")) == (0, len(EDITS))
    for edit, key in records.items():
        assert world.bodies()[key] == f'{{"{edit.wire}":{edit.body},"deleted":true}}'
        raw = world.raw(edit.kind, key)
        assert (raw[edit.wire], raw["deleted"]) == (edit.stored, "true")
    check_nothing_left(world)

    undelete_all(world, records)
    for edit, key in records.items():
        world.set(edit.kind, key, metadata='"again"')
    assert world.push().exit_code == 0
    for edit, key in records.items():
        assert json.loads(world.raw(edit.kind, key)["metadata"]) == "again"
    check_nothing_left(world)


def test_a_push_of_datasets_costs_one_patch_each_and_reads_by_the_hundred(world: World) -> None:
    requests = {}
    for count in (3, 103, 203):
        world.sandbox.log.clear()
        ids = [world.sandbox.state.insert("dataset", name=f"n{n}") for n in range(count)]
        world.pull()
        for id in ids:
            world.set("dataset", id, description="new")
        with world.watched() as seen:
            assert world.push().exit_code == 0
        hundreds = -(-count // 100)
        requests[count] = len(seen) - count - 2 * hundreds
        for id in ids:
            world.sandbox.state.remove("dataset", id)
    assert set(requests.values()) == {4}


def test_pushing_nothing_asks_the_server_nothing(world: World, records: dict[Edit, str]) -> None:
    with world.watched() as seen:
        receipt = world.push()
    assert (receipt.exit_code, receipt.planned, seen) == (0, 0, [])
