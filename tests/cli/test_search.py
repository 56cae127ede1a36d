"""`dssync search` finds what stands in the mirror now, and shows where."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.shell import Result, Shell


def sql(folder: Path, statement: str, *arguments: object) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as mirror:
        return mirror.execute(statement, arguments).fetchall()


@pytest.fixture
def searched(offline: Shell, folder: Path) -> Shell:
    """A mirror with two odd words in it, and an index from before they came."""
    offline("search", "zebra").well()
    (first,), (second,) = sql(folder, "SELECT key FROM items ORDER BY key LIMIT 2")
    sql(folder, """UPDATE items SET input = '{"say": "Zebra Crème"}' WHERE key = ?""", first)
    sql(folder, """UPDATE items SET expected_output = '"zebra crossing"' WHERE key = ?""", second)
    return offline


def rows(result: Result) -> list[list[str]]:
    return [line.split("\t") for line in result.well().out.splitlines()]


def test_an_edit_by_sql_is_found_at_once(searched: Shell) -> None:
    assert len(rows(searched("search", "zebra"))) == 2
    ((kind, _, remote, _, field, shown),) = rows(searched("search", "zebra", "creme"))
    assert (kind, remote, field) == ("item", "project-1", "input")
    assert shown == '{"say": "[Zebra] [Crème]"}'


def test_a_reverted_edit_is_found_no_longer(searched: Shell) -> None:
    assert rows(searched("search", "zebra"))
    searched("revert", "--all").well()
    assert rows(searched("search", "zebra")) == []


def test_deleted_records_are_found_on_demand(searched: Shell, folder: Path) -> None:
    sql(folder, "UPDATE items SET deleted = 1 WHERE input LIKE '%Zebra%'")
    assert len(rows(searched("search", "zebra"))) == 1
    assert len(rows(searched("search", "zebra", "--deleted"))) == 2


def test_a_search_is_narrowed(searched: Shell, folder: Path) -> None:
    ((name, key),) = sql(
        folder,
        "SELECT dataset, key FROM dataset_items WHERE input LIKE '%Zebra%'",
    )
    assert key in {row[1] for row in rows(searched("search", "zebra", "--dataset", name))}
    assert rows(searched("search", "zebra", "--kind", "dataset")) == []
    assert len(rows(searched("search", "zebra", "--limit", "1"))) == 1
    assert "these are 1, more with --limit" in searched("search", "zebra", "--limit", "1").last
    assert len(rows(searched("search", "zebra", "-r", "project-1"))) == 2
    assert searched("search", "zebra", "-r", "elsewhere").code == 2


@pytest.mark.parametrize("words", [('"',), ("*",), ("{}",)])
def test_a_search_for_no_word_is_refused_in_a_sentence(searched: Shell, words: list[str]) -> None:
    refused = searched("search", *words)
    assert refused.code == 2
    assert "there is no word to search for" in refused.err


@pytest.mark.parametrize("words", ["NEAR(", "a OR", "name:x", "-a", "^a", "a'b", "a + b"])
def test_no_words_are_a_syntax_error(searched: Shell, words: str) -> None:
    searched("search", "--", words).well()


def test_what_was_found_as_a_document(searched: Shell) -> None:
    result = searched("search", "zebra", "--json").well().document["result"]
    assert result["total"] == 2
    assert result["hits"][0].keys() == {"kind", "key", "remote", "dataset", "field", "snippet"}


def test_what_was_found_on_a_terminal(searched: Shell, folder: Path) -> None:
    sql(folder, "UPDATE datasets SET name = ? WHERE rowid = 1", "zebra \x1b[31m" + "x" * 300)
    shown = searched("search", "zebra", "--no-color", terminal=True).well().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b[31m" not in shown
    assert "[zebra] crossing" in shown


def test_a_broken_index_is_made_anew(searched: Shell, folder: Path) -> None:
    index = folder / "mirror.db-search"
    for content in (b"no database at all" * 1000, b"", index.read_bytes()[:20_000]):
        index.write_bytes(content)
        assert len(rows(searched("search", "zebra"))) == 2
    index.unlink()
    assert len(rows(searched("search", "zebra"))) == 2


def test_an_older_mirror_put_in_place_is_indexed_anew(
    configured: Shell, folder: Path, sample_mirror: Path
) -> None:
    configured("pull").well()
    sql(folder, "UPDATE datasets SET name = 'zebra' WHERE rowid = 1")
    configured("push", "-y").well()
    configured("pull").well()
    assert len(rows(configured("search", "zebra"))) == 1
    for name in ("mirror.db", "mirror.db-wal"):
        (folder / name).unlink(missing_ok=True)
    (folder / "mirror.db").write_bytes(sample_mirror.read_bytes())
    assert rows(configured("search", "zebra")) == []


def test_what_a_pull_brought_is_found(pulled: Shell, folder: Path) -> None:
    pulled("search", "zebra").well()
    sql(folder, "UPDATE datasets SET description = 'zebra' WHERE rowid = 1")
    pulled("push", "-y").well()
    pulled("pull").well()
    assert sql(folder, "SELECT * FROM datasets_pending") == []
    assert len(rows(pulled("search", "zebra"))) == 1
