"""`set`, `delete` and `revert` of every record that an SQL expression holds for."""

from pathlib import Path

import pytest

from tests.cli.reviewing import BOT, key_of, sql
from tests.cli.shell import Shell

TRAIN = "metadata ->> 'split' = 'train'"


def trained() -> int:
    return int(sql(f"SELECT count(*) FROM items WHERE {TRAIN} AND deleted IS NOT 1")[0][0])


def content() -> list[list[tuple[object, ...]]]:
    tables = ("items", "datasets", "items_pending", "datasets_pending")
    return [sql(f"SELECT * FROM {table} ORDER BY 1") for table in tables]


def test_every_item_that_an_expression_holds_for_is_set(offline: Shell) -> None:
    count = trained()
    assert count > 5
    result = offline("set", "/metadata/split", "test", "--where", TRAIN, "-y").well()
    assert trained() == 0
    assert 'metadata/split: "train" -> "test"' in result.err
    assert f"  … and {count - 5} more" in result.err
    assert f"{count} items to set /metadata/split." in result.err
    assert f"pending: {count} updates" in result.err
    assert all(len(line) <= 80 for line in result.err.splitlines())


def test_an_expression_may_name_a_remote_and_look_into_lists(offline: Shell) -> None:
    inside = "EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = 'split' AND value = 'train')"
    for where in (TRAIN, inside):
        found = offline("-r", "project-1", "delete", "--where", where, "-n", "--json").well()
        assert len(found.document["result"]["changes"]) == trained()


def test_minus_n_only_shows(offline: Shell) -> None:
    before = content()
    result = offline("set", "/metadata/split", "test", "--where", TRAIN, "-n").well()
    assert content() == before
    assert f"{trained()} items" in result.err
    document = offline("delete", "--where", TRAIN, "-n", "--json").well().document["result"]
    assert (document["done"], len(document["changes"])) == (False, trained())


@pytest.mark.parametrize(
    "words",
    [("set", "/metadata/split", "test"), ("set", "input", "--null"), ("delete",)],
    ids=["set", "null", "delete"],
)
def test_nobody_to_ask_and_no_consent_changes_nothing(
    offline: Shell, words: tuple[str, ...]
) -> None:
    before = content()
    result = offline(*words, "--where", TRAIN)
    assert (result.code, content()) == (2, before)
    assert "add -y to consent" in result.err


def test_one_question_and_no_is_no(offline: Shell) -> None:
    before, count = content(), trained()
    refused = offline("delete", "--where", TRAIN, stdin="n\n", terminal=True)
    assert (refused.code, content()) == (6, before)
    assert refused.err.count("[y/N]") == 1
    offline("delete", "--where", TRAIN, stdin="y\n", terminal=True).well()
    assert trained() == 0
    assert len(sql("SELECT 1 FROM items WHERE deleted = 1")) == count


def test_a_dataset_alone_means_all_its_items(offline: Shell) -> None:
    offline("set", "trace_id", "--null", "--dataset", BOT, "-y").well()
    mine = "SELECT 1 FROM items WHERE dataset = ? AND trace_id IS NOT NULL"
    assert sql(mine, key_of(BOT)) == []
    assert sql("SELECT 1 FROM items WHERE trace_id IS NOT NULL") != []


def test_an_expression_can_name_the_dataset(offline: Shell) -> None:
    offline("delete", "--where", f"dataset_name = '{BOT}'", "-y").well()
    assert {row[0] for row in sql("SELECT dataset FROM items WHERE deleted = 1")} == {key_of(BOT)}


def test_datasets_are_edited_that_way_too(offline: Shell) -> None:
    words = ("set", "description", "New", "--kind", "dataset", "--where", f"name = '{BOT}'", "-y")
    assert "pending: 1 update" in offline(*words).well().err
    assert "nothing to change" in offline(*words).well().err


def test_remove_leaves_those_alone_that_have_nothing_there(offline: Shell) -> None:
    item = sql("SELECT key FROM items LIMIT 1")[0][0]
    offline("set", item, "/metadata/mark", "1").well()
    result = offline("set", "/metadata/mark", "--remove", "--where", "1", "-y").well()
    assert "1 item to set /metadata/mark." in result.err


def test_one_record_without_such_a_place_and_nothing_is_changed(offline: Shell) -> None:
    item = sql("SELECT key FROM items ORDER BY key DESC LIMIT 1")[0][0]
    offline("set", item, "metadata", "plain").well()
    before = content()
    result = offline("set", "/metadata/split", "x", "--where", "1", "-y")
    assert (result.code, content()) == (2, before)
    assert f"item {item}: metadata is text" in result.err


def test_one_refused_value_and_nothing_is_changed(offline: Shell) -> None:
    before = content()
    result = offline("set", "trace_id", "x" * 256, "--where", TRAIN, "-y")
    assert (result.code, content()) == (2, before)


def test_revert_by_expression_says_what_was_dropped(offline: Shell) -> None:
    before = content()
    offline("set", "/metadata/split", "test", "--dataset", BOT, "-y").well()
    offline("new", "item", BOT, "--input", "made here").well()
    offline("set", BOT, "description", "Mine").well()
    shown = offline("revert", "--where", "metadata ->> 'split' = 'test'", "-n").well()
    assert '"test" -> "' in shown.err
    offline("revert", "--where", "1", "-y").well()
    assert (
        "pending: 1 update" in offline("status").well().out + offline("set", BOT, "name", BOT).err
    )
    dropped = offline("revert", BOT, "description").well().err
    assert "description:" in dropped
    assert "+ " in dropped
    assert content() == before


def test_revert_of_everything_says_what_was_dropped(offline: Shell) -> None:
    before = content()
    made = offline("new", "dataset", "Made here").well().out.strip()
    offline("new", "item", made, "--input", "made here").well()
    offline("delete", BOT).well()
    result = offline("revert", "--all").well()
    assert "deleted: true -> false" in result.err
    assert "(made here)" in result.err
    assert "pending: nothing" in result.err
    assert content() == before


REFUSED = [
    ("1; DROP TABLE items", "syntax error"),
    ("1) UNION SELECT key FROM datasets WHERE (1", "syntax error"),
    ("1 --", ""),
    ("1 /*", "incomplete input"),
    ("", "syntax error"),
    ("colour = 'red'", "no such column: colour"),
    ("load_extension('x')", "only read"),
    ("(SELECT 1 FROM pragma_database_list)", "only read"),
    ("metadata ->> '$[' = 1", "JSON path"),
    ("1, 2", "row value"),
    ("\x00", ""),
    ("key IN (DELETE FROM items RETURNING key)", "syntax error"),
    ("1) THEN 1 END; ATTACH 'stolen.db' AS s; SELECT (1", "semicolon"),
]


@pytest.mark.parametrize(("expression", "reason"), REFUSED, ids=[e for e, _ in REFUSED])
def test_an_expression_only_reads_the_mirror(
    offline: Shell, folder: Path, expression: str, reason: str
) -> None:
    before = content()
    files = sorted(folder.iterdir())
    result = offline("delete", "--where", expression, "-n")
    assert content() == before
    assert sorted(folder.iterdir()) == files
    if expression != "1 --":
        assert result.code == 2
        assert "--where cannot be used: " in result.err
        assert reason in result.err
        assert len(result.err.splitlines()) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("set", BOT, "description", "x", "--where", "1"),
        ("set", "description"),
        ("set", BOT, "description", "x", "-y"),
        ("set", "name", "x", "--where", "1"),
        ("delete",),
        ("delete", BOT, "--where", "1"),
        ("delete", BOT, "-n"),
        ("revert", BOT, "--where", "1"),
        ("revert", "--all", "-n"),
        ("delete", "--dataset", BOT, "--kind", "dataset", "-y"),
    ],
    ids=" ".join,
)
def test_what_is_meant_must_be_clear(offline: Shell, words: tuple[str, ...]) -> None:
    before = content()
    assert (offline(*words).code, content()) == (2, before)
