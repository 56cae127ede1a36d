"""What a flipped byte makes of the mirror's own notes is told in a sentence, by every command."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.shell import Shell

NAME = "Tool calls: calendar and weather"
TIMES = (
    ("forget", "--keep-last", "1", "-n"),
    ("restore", "2100-01-01", "-n"),
    ("show", NAME, "--at", "2100-01-01"),
    ("diff", "--at", "2100-01-01"),
    ("bundle", "b.tar.zst", "--at", "2100-01-01"),
)
DAMAGE: dict[str, tuple[tuple[str, ...], ...]] = {
    "UPDATE snapshots SET taken_at = replace(taken_at, ':', '!')": TIMES,
    "UPDATE snapshots SET run = '1x'": (("verify",), ("forget", "--prune", "-y")),
    "UPDATE snapshots SET seal = 5": (("verify",), ("restore", "1", "-n")),
    "INSERT OR REPLACE INTO meta VALUES ('pruned project-1', 's')": (
        ("verify",),
        ("show", NAME, "--at", "1"),
        ("restore", "1", "-n"),
        ("bundle", "b.tar.zst"),
        ("forget", "--prune", "-y"),
    ),
    "UPDATE runs SET notes = '[*prod'": (("log",), ("log", "1")),
    "UPDATE runs SET troubles = '[*prod'": (("log",), ("log", "1")),
}
CASES = [(script, words) for script, commands in DAMAGE.items() for words in commands]


@pytest.mark.parametrize(("script", "words"), CASES, ids=[f"{s} {w[0]}" for s, w in CASES])
def test_it_is_a_sentence(
    offline: Shell, folder: Path, script: str, words: tuple[str, ...]
) -> None:
    damage(folder, script)
    assert offline(*words).code == 9


@pytest.mark.parametrize(
    "column", ["taken_at", "datasets", "items", "unread", "total", "seal", "run"]
)
def test_the_list_of_snapshots_shows_any_row(offline: Shell, folder: Path, column: str) -> None:
    for value in ("5", "'?'", "x'ff'"):
        damage(folder, f"UPDATE snapshots SET {column} = {value}")
        offline("snapshots").well()
        offline("snapshots", "--json").well()
        assert offline("verify").code == 9


def damage(folder: Path, script: str) -> None:
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as mirror:
        mirror.execute(script)
