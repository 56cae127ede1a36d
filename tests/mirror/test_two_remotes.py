"""Several remotes in one mirror: each record belongs to one, whatever its id."""

from dataclasses import replace

import pytest

from dssync.errors import ContractMismatch, UnknownRecord, WrongTarget
from dssync.mirror import KnownRemote, aliases
from dssync.mirror.incoming import Inbox
from tests.mirror.conftest import MAIN, NOW, OTHER, Home
from tests.mirror.served import D1, I1, dataset, item


@pytest.fixture
def twins(home: Home) -> Home:
    """A mirror of two servers that use the same ids."""
    home.meet(OTHER)
    home.scan("dataset", dataset(D1, "Support elsewhere"), remote="other")
    home.scan("item", item(I1, D1, input="elsewhere"), remote="other")
    return home


def test_a_known_id_of_another_remote_gets_a_key_of_its_own(twins: Home) -> None:
    row = twins.row("dataset", f"other/{D1}")
    assert (row["id"], row["remote"], row["name"]) == (D1, "other", "Support elsewhere")
    assert twins.row("dataset", D1)["name"] == "Support"
    assert twins.row("item", f"other/{I1}")["dataset"] == f"other/{D1}"
    assert twins.row("item", I1)["dataset"] == D1
    assert twins.rows("SELECT * FROM aliases ORDER BY kind") == [
        {"remote": "other", "kind": "dataset", "id": D1, "key": f"other/{D1}"},
        {"remote": "other", "kind": "item", "id": I1, "key": f"other/{I1}"},
    ]


def test_later_scans_find_each_record_by_its_remote(twins: Home) -> None:
    before = twins.dump()
    twins.scan("dataset", dataset(D1, "Support elsewhere"), remote="other")
    twins.scan("dataset", dataset(D1))
    twins.scan("item", item(I1, D1, input="elsewhere"), remote="other")
    assert twins.dump() == before
    twins.scan("dataset", dataset(D1, "Moved"), remote="other")
    assert twins.row("dataset", f"other/{D1}")["name"] == "Moved"
    assert twins.row("dataset", D1)["name"] == "Support"


def test_a_scan_misses_only_records_of_its_own_remote(twins: Home) -> None:
    inbox = Inbox("other", "dataset", twins.run(), NOW)
    with twins.mirror.database.read() as tx:
        assert inbox.unseen(tx) == [f"other/{D1}"]


def test_finding_by_a_shared_id_needs_the_remote(twins: Home) -> None:
    with pytest.raises(UnknownRecord, match="fits 2 records"):
        twins.mirror.find(D1)
    assert twins.mirror.find(D1, ["other"]).key == f"other/{D1}"
    assert twins.mirror.find(D1, ["main"]).key == D1


def test_listing_may_be_of_one_remote(twins: Home) -> None:
    assert [record.key for record in twins.mirror.datasets(["other"])] == [f"other/{D1}"]
    assert len(list(twins.mirror.datasets(["main", "other"]))) == 3
    twins.sql.execute("UPDATE datasets SET description = 'x'")
    assert twins.mirror.touched_keys(["other"]) == [("dataset", f"other/{D1}")]


def test_a_placeholder_too_belongs_to_its_remote(twins: Home) -> None:
    twins.scan("item", item("far", "hidden"))
    twins.scan("item", item("far", "hidden"), remote="other")
    assert twins.row("item", "far")["dataset"] == "hidden"
    assert twins.row("item", "other/far")["dataset"] == "other/hidden"
    assert twins.row("dataset", "other/hidden")["remote"] == "other"


def test_an_alias_may_move_to_another_record(home: Home) -> None:
    with home.mirror.database.unit(1) as tx:
        aliases.remember(tx, "main", "dataset", {"again": D1, "same": "same"})
        aliases.remember(tx, "main", "dataset", {"again": "other key"})
        assert aliases.aliases(tx, "main", "dataset", ["again", "same", "no"]) == {
            "again": "other key"
        }
        assert aliases.aliases(tx, "main", "item", ["again"]) == {}


REFUSED: tuple[tuple[str, KnownRemote, type[Exception], str], ...] = (
    ("another host", replace(MAIN, host="https://x.example"), WrongTarget, "host https://us"),
    ("another project", replace(MAIN, project="2"), WrongTarget, "environment 1, but it now has"),
    ("another scope", replace(MAIN, scope="project"), WrongTarget, "now has project 1"),
    ("another team", replace(MAIN, team=2), WrongTarget, "team 1, but it now has 2"),
    (
        "another contract",
        replace(MAIN, contract="versioned"),
        ContractMismatch,
        "spoke the classic contract and now speaks versioned",
    ),
    (
        "the same team under another name",
        replace(MAIN, name="again", scope="project", project="9"),
        WrongTarget,
        "again is the project that the mirror already holds as main",
    ),
    (
        "the same path under another name",
        replace(MAIN, name="again", team=None),
        WrongTarget,
        "already holds as main",
    ),
)


@pytest.mark.parametrize(
    ("remote", "error", "sentence"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_a_remote_that_is_not_what_it_was_is_refused(
    home: Home, remote: KnownRemote, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        home.meet(remote)
    assert home.mirror.remotes() == (MAIN,)


def test_a_team_that_was_unknown_is_learnt_and_kept(home: Home) -> None:
    quiet = replace(OTHER, team=None)
    home.meet(quiet)
    assert home.mirror.remotes() == (MAIN, quiet)
    home.meet(OTHER)
    home.meet(quiet)
    assert home.mirror.remotes() == (MAIN, OTHER)


def test_the_same_numbers_on_another_host_are_another_project(home: Home) -> None:
    elsewhere = replace(MAIN, name="elsewhere", host="https://eu.posthog.com")
    home.meet(elsewhere, MAIN)
    assert home.mirror.remotes() == (elsewhere, MAIN)
