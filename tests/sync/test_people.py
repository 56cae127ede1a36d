"""Who made records: a profile that damage changed is named, harms no reader, and is read again."""

import pytest

from dssync.mirror import people
from dssync.sandbox import generate
from dssync.sync.verifier import verify
from tests.sync.world import World


@pytest.mark.parametrize("profile", ["no JSON", "[]", '{"id": 1, "email": "eve@example.com"}'])
def test_a_damaged_profile_is_named_and_mended_by_a_pull(world: World, profile: str) -> None:
    generate(world.sandbox.state, datasets=1, items=3, seed=1)
    world.pull()
    before = world.sql("SELECT * FROM people")
    world.sql("UPDATE people SET profile = ? WHERE rowid = 1", profile)
    found = verify(world.mirror)
    assert [damage.remedy for damage in found.damages] == ["pull"]
    assert str(before[0][0]) in found.damages[0].what
    assert world.pull().exit_code == 0
    assert world.sql("SELECT * FROM people") == before
    assert verify(world.mirror).damages == ()


@pytest.mark.parametrize(
    ("profile", "known"),
    [
        (None, None),
        ("no JSON", None),
        ("[]", None),
        ('{"id": 1, "uuid": "u", "email": "ann@example.com"}', "ann@example.com"),
        ('{"id": 1, "uuid": "u"}', "u"),
        ('{"id": 1}', "1"),
    ],
)
def test_how_people_are_known(profile: str | None, known: str | None) -> None:
    assert people.known_as(profile) == known
