"""What a migration meets in the wild; each case is described in docs/migrate.md."""

from typing import Any

import httpx
import pytest

from dssync.core.brakes import Limit
from dssync.errors import Brake, StalePlan, UnknownRecord, UsageError
from dssync.sandbox import Fault
from tests.sync.migrations import Road, rows
from tests.sync.restoring import fill, ids
from tests.sync.world import PROD, World


@pytest.fixture
def road(filled: World) -> Road:
    return Road(filled)


def named(road: Road, name: str, project: int = 1) -> str:
    """Return the id of the dataset with a name."""
    [id] = [r["id"] for r in road.world.sandbox.state.rows("dataset", project) if r["name"] == name]
    return str(id)


def inside(road: Road, dataset: str, project: int) -> list[Any]:
    state = road.world.sandbox.state
    return [row["input"] for row in state.rows("item", project) if row["dataset"] == dataset]


def test_duplicate_dataset_names_stay_two_datasets(road: Road) -> None:
    state = road.world.sandbox.state
    for n in range(2):
        twin = state.insert("dataset", name="twin", metadata={"n": n})
        state.insert("item", dataset=twin, input=f"of {n}")
    assert road.writes() == 3 + 12 + 4
    assert rows(road.world, 5) == rows(road.world, 1)
    twins = [row for row in state.rows("dataset", 5) if row["name"] == "twin"]
    assert {row["metadata"]["n"]: inside(road, row["id"], 5) for row in twins} == {
        0: ["of 0"],
        1: ["of 1"],
    }
    assert road.writes() == 0


def test_equal_items_are_as_many_there(road: Road) -> None:
    state = road.world.sandbox.state
    home = state.insert("dataset", name="equals")
    for _ in range(5):
        state.insert("item", dataset=home, input="the same")
    road.writes()
    assert inside(road, named(road, "equals", 5), 5) == ["the same"] * 5
    state.update("item", state.rows("item")[0]["id"], output="one of them changed")
    assert road.writes() == 1
    assert rows(road.world, 5) == rows(road.world, 1)


def test_an_empty_dataset_is_a_dataset(road: Road) -> None:
    road.world.sandbox.state.insert("dataset", name="nothing in it")
    road.writes()
    assert inside(road, named(road, "nothing in it", 5), 5) == []
    assert road.writes() == 0


def test_items_whose_parent_was_deleted_are_left_and_named(road: Road) -> None:
    road.world.sandbox.state.delete("dataset", named(road, "set 0"))
    road.pull()
    receipt = road.go()
    assert (receipt.exit_code, receipt.count("skipped")) == (0, 4)
    skipped = [entry for entry in receipt.entries if entry.outcome == "skipped"]
    assert {entry.remote for entry in skipped} == {"prod"}
    assert {e.reason for e in skipped} == {
        "its dataset is deleted in prod, so there is no place for it"
    }
    assert len(road.world.sandbox.state.rows("item", 5)) == 8


def test_items_whose_parent_was_deleted_later_keep_their_copies(road: Road) -> None:
    road.writes()
    road.world.sandbox.state.delete("dataset", named(road, "set 0"))
    assert road.writes() == 0
    assert road.go().entries == ()
    assert len(road.world.sandbox.state.rows("item", 5)) == 12
    assert road.look().done.gone == {"dataset": 1}


def test_a_name_of_400_characters_is_copied_and_a_longer_one_is_refused_before(road: Road) -> None:
    state = road.world.sandbox.state
    home = state.insert("dataset", name="é" * 400)
    state.insert("item", dataset=home, input=1)
    receipt = road.go(prefix="copy of ")
    assert receipt.exit_code == 3
    [failed] = [entry for entry in receipt.entries if entry.outcome == "failed"]
    assert "it has 408 characters, 400 are allowed" in failed.reason
    [skipped] = [entry for entry in receipt.entries if entry.outcome == "skipped"]
    assert skipped.reason == "its dataset is not copied, so there is no place for it"
    assert not [entry for entry in road.world.asked("POST") if b"\\u00e9" in entry.body]
    assert road.writes() == 2
    assert named(road, "é" * 400, 5)


class Meddling:
    """Lets somebody act once, just before the first request that writes."""

    def __init__(self, road: Road, act: Any) -> None:
        self.act = act
        road.world.meddle(before=self)

    def __call__(self, request: httpx.Request) -> None:
        if request.method == "POST" and self.act:
            act, self.act = self.act, None
            act()


def test_a_record_that_appears_during_the_run_goes_with_the_next(road: Road) -> None:
    state, home = road.world.sandbox.state, named(road, "set 0")
    Meddling(road, lambda: state.insert("item", dataset=home, input="late"))
    assert road.writes() == 15
    assert road.writes() == 1
    assert rows(road.world, 5) == rows(road.world, 1)


def test_a_record_that_vanishes_during_the_run_is_copied_as_it_was(road: Road) -> None:
    state, id = road.world.sandbox.state, ids(road.world, "item")[0]
    Meddling(road, lambda: state.delete("item", id))
    assert road.writes() == 15
    assert road.writes() == 0
    assert road.look().done.gone == {"item": 1}


def test_a_copy_that_vanishes_before_it_is_compared_is_told(road: Road) -> None:
    state = road.world.sandbox.state
    road.pull()

    def lose(request: httpx.Request) -> None:
        """Delete a copy as soon as all of them were looked after."""
        if "/5/" in str(request.url) and len(state.rows("item", 5)) == 12:
            state.delete("item", state.rows("item", 5)[-1]["id"])

    road.world.meddle(before=lose)
    _, receipt = road.migrator().migrate(road.world.session)
    assert receipt.exit_code == 9
    [wrong] = [e for e in receipt.entries if "not verified" in e.reason]
    assert "deleted" in wrong.reason
    [kept] = road.world.sql("SELECT exit_code FROM runs WHERE id = ?", receipt.run)
    assert kept == (9,)
    assert [e for e in receipt.entries if "not complete: 1 item of it" in e.reason]


REFUSED = {"type": "validation_error", "code": "x", "detail": "No, not this one.", "attr": "input"}


def test_five_refused_records_are_named_and_the_rest_is_verified(road: Road) -> None:
    fault = Fault("status", 400, method="POST", path="dataset_items", nth=4, times=5, body=REFUSED)
    road.world.sandbox.faults.add(fault)
    receipt = road.go()
    assert receipt.exit_code == 3
    assert (receipt.count("failed"), receipt.count("applied")) == (5, 10)
    failed = [entry for entry in receipt.entries if entry.outcome == "failed"]
    assert {e.reason for e in failed} == {"the server answered 400: input: No, not this one."}
    applied = [entry for entry in receipt.entries if entry.outcome == "applied"]
    assert all(entry.reason.startswith("verified") for entry in applied)
    incomplete = [e for e in applied if "not complete" in e.reason]
    assert incomplete
    assert {e.kind for e in incomplete} == {"dataset"}
    assert road.writes() == 5
    assert rows(road.world, 5) == rows(road.world, 1)


def test_missing_originals_are_deleted_on_demand_under_the_brake(road: Road) -> None:
    state = road.world.sandbox.state
    fill(road.world, 1, 20)
    road.writes()
    for id in ids(road.world, "item")[:12]:
        state.delete("item", id)
    assert road.writes() == 0
    with pytest.raises(Brake, match="12 of 32 items"):
        road.go(missing=True)
    assert road.writes(missing=True, limit=Limit(count=12)) == 12
    assert rows(road.world, 5) == rows(road.world, 1)


def test_a_changed_copy_is_not_deleted_with_its_original(road: Road) -> None:
    state = road.world.sandbox.state
    road.writes()
    copy = state.rows("item", 5)[0]["id"]
    state.update("item", copy, output="worked on")
    [(key,)] = road.world.sql("SELECT source_key FROM links WHERE key IN"
                              " (SELECT key FROM aliases WHERE id = ?)", copy)  # fmt: skip
    state.delete("item", key)
    receipt = road.go(missing=True)
    assert receipt.exit_code == 4
    [entry] = receipt.entries
    assert "not deleted along with its original" in entry.reason
    assert state.get("item", copy)["output"] == "worked on"


def test_only_what_is_chosen_is_copied(road: Road) -> None:
    road.writes(only=("set *",), besides=("set 1",))
    assert rows(road.world, 5).keys() == {"set 0", "set 2"}
    road.writes()
    assert rows(road.world, 5) == rows(road.world, 1)
    with pytest.raises(UnknownRecord, match="prod has no dataset 'sett \\*'"):
        road.look(only=("sett *",))
    with pytest.raises(UnknownRecord, match="prod has no dataset 'sett 1' to leave out"):
        road.look(besides=("sett 1",))
    with pytest.raises(UsageError, match="one name was given for 2 datasets"):
        road.look(only=("set [01]",), called="x")


def test_a_copy_in_the_same_project_gets_another_name(filled: World) -> None:
    road = Road(filled, PROD, PROD)
    assert road.writes(only=("set 0",), called="copied") == 5
    assert road.writes(prefix="all/") == 2 + 8
    # a copy that has a name keeps it: one record has one copy in a remote
    assert rows(filled, 1).keys() == {"set 0", "set 1", "set 2", "copied", "all/set 1", "all/set 2"}
    assert road.writes(prefix="all/") == 0
    assert inside(road, named(road, "copied"), 1) == inside(road, named(road, "set 0"), 1)
    filled.sandbox.state.update("dataset", named(road, "set 1"), name="renamed")
    assert road.writes(prefix="all/") == 1
    assert named(road, "all/renamed")
    assert road.look(prefix="all/").toll.traces == 0


def test_a_plan_that_was_not_approved_is_not_sent(road: Road) -> None:
    found = road.look()
    fill(road.world, 1, 1)
    road.pull()
    with road.world.watched() as seen, pytest.raises(StalePlan, match="not the one"):
        road.migrator().migrate(road.world.session, found.plan.digest)
    assert seen == []
    assert road.world.nothing_planned()
