"""Two people with a mirror each of one server: what they can both have, they both get."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dssync.core.fields import KindName
from dssync.core.merge import Conflict, Reason
from tests.sync.world import World

FIELDS: dict[KindName, tuple[str, str]] = {
    "dataset": ("name", "description"),
    "item": ("input", "expected_output"),
}
WIRE = {"expected_output": "output"}
KINDS: list[KindName] = ["dataset", "item"]


@pytest.fixture
def colleague(world: World, tmp_path: Path) -> Iterator[World]:
    second = world.another_mirror(tmp_path / "second.db")
    yield second
    second.mirror.close()


@pytest.fixture
def pair(world: World, colleague: World, first: str) -> tuple[World, World]:
    """Return the one who pushes first, and the one who pushes after."""
    return (world, colleague) if first == "world" else (colleague, world)


def make(world: World, kind: KindName) -> str:
    """Return a record of the server, with "old" in both fields."""
    dataset = world.sandbox.state.insert("dataset", name="old", description="old")
    if kind == "dataset":
        return dataset
    return world.sandbox.state.insert("item", dataset=dataset, input="old", output="old")


def written(kind: KindName, text: str) -> str:
    return text if kind == "dataset" else f'"{text}"'


def there(world: World, kind: KindName, key: str) -> list[str]:
    raw = world.raw(kind, key)
    return [raw[WIRE.get(name, name)].strip('"') for name in FIELDS[kind]]


def check_settled(world: World, kind: KindName, key: str, values: list[str]) -> None:
    assert world.pull().exit_code == 0
    assert world.nothing_planned()
    assert not world.sql("SELECT key FROM datasets_pending UNION SELECT key FROM items_pending")
    assert [world.ours(kind, key, f) for f in FIELDS[kind]] == [written(kind, v) for v in values]


@pytest.mark.parametrize("first", ["world", "colleague"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pulled", [False, True], ids=["unseen", "pulled"])
def test_different_fields_merge_silently_and_the_same_field_is_one_conflict(
    pair: tuple[World, World], kind: KindName, pulled: bool
) -> None:
    early, late = pair
    key = make(early, kind)
    for each in pair:
        each.pull()

    one, other = FIELDS[kind]
    early.set(kind, key, **{one: written(kind, "early")})
    late.set(kind, key, **{other: written(kind, "late")})
    for each in pair:
        receipt = each.push()
        assert (receipt.exit_code, [e.outcome for e in receipt.entries]) == (0, ["applied"])
    assert there(early, kind, key) == ["early", "late"]
    for each in pair:
        check_settled(each, kind, key, ["early", "late"])

    early.set(kind, key, **{one: written(kind, "first")})
    late.set(kind, key, **{one: written(kind, "second")})
    assert early.push().exit_code == 0
    if pulled:
        assert late.pull().exit_code == 0
    receipt = late.push()
    assert (receipt.exit_code, [e.outcome for e in receipt.entries]) == (4, ["conflicted"])
    assert there(early, kind, key) == ["first", "late"]
    late.pull()
    [conflicted] = late.plan().conflicts
    base, theirs, ours = (written(kind, value) for value in ("early", "first", "second"))
    assert conflicted.conflicts == (Conflict(one, base, theirs, ours, Reason.BOTH_CHANGED),)

    check_settled(early, kind, key, ["first", "late"])
    assert late.mirror.revert(kind, key, [one])
    check_settled(late, kind, key, ["first", "late"])
