"""For arbitrary values: what is written is read back, and edits are those of the other editors."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dssync import Mirror
from dssync.core.fields import ITEM
from dssync.core.plan import Plan
from dssync.core.values import equal, normal
from dssync.errors import UsageError
from dssync.library.frozen import thaw
from dssync.sync import make_plan
from tests.cli.shell import Shell
from tests.files import hostile
from tests.files.desk import SUPPORT, Desk
from tests.mirror.conftest import Home
from tests.mirror.served import I1

fields = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(hostile.JSON_FIELDS, hostile.json_values),
        **{name: st.none() | hostile.texts for name in hostile.TEXT_FIELDS},
    },
)


@pytest.fixture
def other(twin: Home) -> Iterator[Mirror]:
    """The same records in a mirror that is edited another way."""
    with Mirror.open(twin.mirror.path) as opened:
        yield opened


def clean(*homes: Home) -> None:
    """Take back what the example before edited."""
    for home in homes:
        for kind, key in home.mirror.touched_keys():
            home.mirror.revert(kind, key)


def attempt(mirror: Mirror, given: dict[str, Any]) -> bool:
    """Write fields through the layer; tell whether they were taken."""
    found = mirror.item(I1)
    try:
        with mirror.editing():
            found.update(**given)
    except UsageError:
        return False
    return True


@given(given=fields)
def test_what_is_written_is_read_back(home: Home, mirror: Mirror, given: dict[str, Any]) -> None:
    clean(home)
    before = home.dump()
    if not attempt(mirror, given):
        assert home.dump() == before
        return
    found = mirror.item(I1)
    for name, value in given.items():
        read = thaw(getattr(found, name))
        kept = home.row("item", I1)[name]
        if name in hostile.JSON_FIELDS:
            assert same(read, value)
            assert equal(ITEM.by_name[name], kept, json.dumps(value))
        else:
            assert equal(ITEM.by_name[name], read, value)


def same(left: Any, right: Any) -> bool:
    """Tell whether the server would show both alike, types of numbers included."""
    return json.dumps(normal(left)) == json.dumps(normal(right))


@given(given=fields)
def test_a_refused_value_is_refused_by_set_as_well_and_a_taken_one_gives_its_plan(
    home: Home, mirror: Mirror, twin: Home, shell: Shell, given: dict[str, Any]
) -> None:
    clean(home, twin)
    for name, value in given.items():
        taken = attempt(mirror, {name: value})
        text = value if name in hostile.TEXT_FIELDS else json.dumps(value)
        given_value = ("--null",) if value is None else ("-",)
        place = ("--mirror", str(twin.mirror.path))
        done = shell(*place, "set", I1, name, *given_value, stdin=f"{text}\n")
        assert (done.code == 0) is taken, done.err
    assert plan_of(home) == plan_of(twin)


@settings(max_examples=settings().max_examples // 2)
@given(given=fields)
def test_an_import_of_the_same_gives_the_same_plan(
    home: Home, mirror: Mirror, twin: Home, tmp_path: Path, given: dict[str, Any]
) -> None:
    clean(home, twin)
    desk = Desk(twin, tmp_path / "out")
    desk.export("jsonl", overwrite=True)
    desk.change_row(SUPPORT, I1, **given)
    try:
        desk.bring_in()
    except UsageError:
        assert not attempt(mirror, given)
        return
    assert attempt(mirror, given)
    assert plan_of(home) == plan_of(twin)


def plan_of(home: Home) -> tuple[str, list[tuple[str, str]]]:
    plan: Plan = make_plan(home.mirror)
    return plan.digest, [(change.action, change.key) for change in plan.changes]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(monkeypatch)
