"""`dssync bundle` as a person meets it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.golden import check_screen
from tests.cli.shell import Shell


def sql(folder: Path, script: str) -> None:
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as mirror:
        mirror.executescript(script)


def test_it_says_what_it_wrote_and_how_to_unpack_it(offline: Shell, folder: Path) -> None:
    done = offline("bundle", "nightly.tar.zst").well()
    assert done.out == ""
    size = (folder / "nightly.tar.zst").stat().st_size
    check_screen("bundle.txt", done.err.replace(f"{size:,} bytes", "12,345 bytes"))
    assert max(map(len, done.err.splitlines())) <= 80


def test_for_programs(offline: Shell, folder: Path) -> None:
    result = offline("bundle", "nightly.tar.zst", "--json").well().document["result"]
    assert (result["file"], result["folder"]) == ("nightly.tar.zst", None)
    assert result["bytes"] == (folder / "nightly.tar.zst").stat().st_size
    manifest = result["manifest"]
    assert (manifest["format"], manifest["remote"]["name"]) == (1, "project-1")
    assert (manifest["snapshot"]["datasets"], manifest["snapshot"]["items"]) == (6, 60)
    offline("bundle", "--extract", "nightly.tar.zst", "out").well()
    assert json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8")) == manifest


def test_it_unpacks(offline: Shell, folder: Path) -> None:
    offline("bundle", "nightly.tar.zst").well()
    done = offline("bundle", "--extract", "nightly.tar.zst", "out").well()
    assert done.err.splitlines()[-1] == "  proved, and unpacked into out"
    assert len((folder / "out" / "items.jsonl").read_text(encoding="utf-8").splitlines()) == 60
    again = offline("bundle", "--extract", "nightly.tar.zst", "out")
    assert (again.code, again.err.splitlines()[0]) == (2, "dssync: out is no empty folder")


def test_nothing_is_replaced_unasked(offline: Shell, folder: Path) -> None:
    (folder / "precious").write_text("mine")
    refused = offline("bundle", "precious")
    assert refused.code == 2
    assert refused.err == (
        "dssync: precious exists\nhint: name another file, or add --force to replace it\n"
    )
    assert (folder / "precious").read_text() == "mine"
    offline("bundle", "precious", "--force").well()


def test_a_snapshot_by_number_and_by_time(offline: Shell) -> None:
    offline("bundle", "a", "--at", "1").well()
    offline("bundle", "b", "--at", "2100-01-01").well()
    for at, said in (
        ("7", "there is no snapshot 7 of project-1"),
        ("2000-01-01", "no snapshot of project-1 is as old as 2000-01-01"),
        ("soon", "'soon' is neither a snapshot's number nor a time"),
    ):
        missing = offline("bundle", "c", "--at", at)
        assert missing.code == 2
        assert said in missing.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a", "b"), "a bundle is one FILE"),
        (("--extract", "a"), "--extract takes FILE and DIR"),
        (("--extract", "a", "b", "--at", "1"), "--extract takes FILE and DIR"),
        (("a", "-r", "x"), "the mirror holds no remote x"),
        (("nowhere/a",), "nowhere is no folder"),
    ],
)
def test_what_makes_no_sense(offline: Shell, words: tuple[str, ...], said: str) -> None:
    refused = offline("bundle", *words)
    assert refused.code == 2
    assert said in refused.err


def test_a_damaged_bundle_ends_with_9(offline: Shell, folder: Path) -> None:
    offline("bundle", "nightly.tar.zst").well()
    content = bytearray((folder / "nightly.tar.zst").read_bytes())
    content[2_000] ^= 1
    (folder / "nightly.tar.zst").write_bytes(content)
    damaged = offline("bundle", "--extract", "nightly.tar.zst", "out")
    assert damaged.code == 9
    check_screen("bundle_damaged.txt", damaged.err)
    assert not (folder / "out").exists()
    failed = offline("bundle", "--extract", "nightly.tar.zst", "out", "--json").document["error"]
    assert (failed["code"], failed["exit_code"]) == ("bundle_damaged", 9)


def test_no_bundle_is_made_of_a_damaged_record(offline: Shell, folder: Path) -> None:
    sql(
        folder,
        "UPDATE gate SET run = 1; UPDATE items SET input = '1' WHERE rowid = 3;"
        " UPDATE gate SET run = NULL",
    )
    refused = offline("bundle", "nightly.tar.zst")
    assert refused.code == 9
    assert refused.err.startswith("dssync: snapshot 1 of project-1 is damaged: item ")
    assert "\nhint: `dssync verify` says what helps; " in refused.err
    assert not (folder / "nightly.tar.zst").exists()


def test_edits_are_not_in_it(offline: Shell, folder: Path) -> None:
    offline("bundle", "before").well()
    offline("set", "Support bot: golden answers", "description", "edited").well()
    offline("bundle", "after").well()
    assert (folder / "before").read_bytes() == (folder / "after").read_bytes()


def test_it_is_proved_without_a_mirror(offline: Shell, folder: Path) -> None:
    offline("bundle", "nightly.tar.zst").well()
    (folder / "mirror.db").rename(folder / "elsewhere.db")
    said = offline("verify", "nightly.tar.zst").well().err
    assert said.splitlines()[-1] == "  proved: every byte, line and record"
    content = bytearray((folder / "nightly.tar.zst").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "nightly.tar.zst").write_bytes(content)
    assert offline("verify", "nightly.tar.zst").code == 9
    assert offline("verify", "nightly.tar.zst", "--remote").code == 2


def test_it_is_restored(offline: Shell, folder: Path) -> None:
    offline("bundle", "nightly.tar.zst").well()
    offline("restore", "nightly.tar.zst").well()
    assert offline("diff", "--json").well().document["result"]["changes"] == []
    sql(folder, "UPDATE datasets SET description = 'other'; UPDATE items SET input = '1'")
    assert offline("restore", "nightly.tar.zst").code == 2
    offline("restore", "nightly.tar.zst", "--discard").well()
    assert offline("diff", "--json").well().document["result"]["changes"] == []
    # another project of the same name is not what was bundled
    script = "UPDATE gate SET run = 0; UPDATE remotes SET project = 77; UPDATE gate SET run = NULL"
    sql(folder, script)
    refused = offline("restore", "nightly.tar.zst")
    assert (refused.code, "has not met" in refused.err) == (2, True)
