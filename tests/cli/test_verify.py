"""`verify` names what is damaged, and proves the newest snapshot against the server."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dssync.sandbox import Fault, Sandbox
from tests.cli.golden import check_screen
from tests.cli.shell import Shell
from tests.cli.test_doctor_seal import GATE, sql


def keys(folder: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(folder / "mirror.db")) as mirror:
        return [key for (key,) in mirror.execute(f"SELECT key FROM {table} ORDER BY rowid")]


def test_a_whole_mirror(pulled: Shell) -> None:
    shown = pulled("verify").well()
    assert "every one is as it was" in shown.out
    remote = pulled("verify", "--remote", "-r", "prod").well()
    assert "no difference" in remote.out


def test_screens(pulled: Shell, sandbox: Sandbox, folder: Path) -> None:
    first, second, third = keys(folder, "items")[:3]
    sandbox.state.update("item", first, input="changed there")
    pulled("pull").well()
    check_screen("snapshots.txt", pulled("snapshots", "--no-color", terminal=True).well().out)
    sql(folder, GATE.format(f"UPDATE items SET input = '1' WHERE key = '{second}'"))
    sql(folder, GATE.format("UPDATE items_history SET input = '1'"))
    sql(folder, GATE.format("UPDATE snapshots SET items = 7 WHERE run = 1"))
    sandbox.state.delete("item", third)
    sandbox.state.insert("dataset", id="0199d001-0000-7000-8000-000000000001", name="new")
    shown = pulled("verify", "--remote", "--no-color", terminal=True)
    assert shown.code == 9
    assert all(len(line) <= 80 or " " not in line.strip() for line in shown.out.splitlines())
    check_screen("verify.txt", shown.out)
    document = pulled("verify", "--remote", "--json").document["result"]
    assert [d["key"] for d in document["damages"]] == [second, first, None]
    assert [d["snapshots"] for d in document["damages"]] == [[1, 2], [1], [1]]
    found = {d["id"]: d["found"] for d in document["remotes"][0]["differences"]}
    assert sorted(found.values()) == ["gone", "new"]


def test_a_sample_says_what_it_is_worth(pulled: Shell, sandbox: Sandbox, folder: Path) -> None:
    shown = pulled("verify", "--remote", "--sample", "50%", "--seed", "7").well()
    assert "seed 7: a change in 1 record (1.5 %) would have been found with 50 %" in " ".join(
        shown.out.split()
    )
    for key in keys(folder, "items"):
        sandbox.state.update("item", key, input="changed there")
    assert pulled("verify", "--remote", "--sample", "50%", "--seed", "7").code == 9


def test_only_reads(pulled: Shell, sandbox: Sandbox, folder: Path) -> None:
    before = (folder / "mirror.db").read_bytes()
    sandbox.log.clear()
    pulled("verify", "--remote").well()
    pulled("verify", "--remote", "--sample", "3").well()
    assert set(sandbox.log.by_method()) == {"GET"}
    assert (folder / "mirror.db").read_bytes() == before


def test_a_server_in_trouble_is_no_damage(pulled: Shell, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("status", 503, path="dataset_items", times=None))
    assert pulled("verify", "--remote").code == 5


@pytest.mark.parametrize("words", [("--sample", "5%"), ("--seed", "1")])
def test_a_sample_needs_a_server(pulled: Shell, words: tuple[str, ...]) -> None:
    assert pulled("verify", *words).code == 2


def test_snapshots_into_a_pipe(pulled: Shell) -> None:
    [line] = pulled("snapshots").well().out.splitlines()
    assert line.split("\t")[:2] == ["1", "prod"]
    [found] = pulled("snapshots", "--json").document["result"]["snapshots"]
    assert (found["run"], found["newest"], found["unread"]) == (1, True, [])
