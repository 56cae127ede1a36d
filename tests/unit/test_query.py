"""What is typed is read as words, and never as an operator; hits are marked where they stand."""

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.core.query import Term, hits, indexed, read_query, readable, snippet
from dssync.errors import UsageError
from dssync.mirror.search import expression

QUERIES = {
    "refund": (Term(("refund",)),),
    "Refund NOW": (Term(("refund",)), Term(("now",))),
    '"exact phrase" more': (Term(("exact", "phrase")), Term(("more",))),
    '"an open quote': (Term(("an", "open", "quote")),),
    "ref*": (Term(("ref",), prefix=True),),
    '"big ref"*': (Term(("big", "ref"), prefix=True),),
    "café": (Term(("cafe",)),),
    unicodedata.normalize("NFD", "Café"): (Term(("cafe",)),),
    "京都": (Term(("京", "都")),),
    "0.25": (Term(("0", "25")),),
    "snake_case": (Term(("snake", "case")),),
    "a AND NOT b": (Term(("a",)), Term(("and",)), Term(("not",)), Term(("b",))),
    '{"split": "test"}': (Term(("split",)), Term(("test",))),
}


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_is_words_phrases_and_beginnings(text: str) -> None:
    assert read_query(text) == QUERIES[text]


@pytest.mark.parametrize("text", ["", "  ", '""', "*", '{"', "-- ;", "._."])
def test_a_query_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no word to search for"):
        read_query(text)


@given(st.text())
def test_no_query_is_a_syntax_error_and_every_text_finds_itself(text: str) -> None:
    try:
        terms = read_query(text.replace('"', " ").replace("*", " "))
    except UsageError:
        return
    with sqlite3.connect(":memory:") as sql:
        sql.execute("CREATE VIRTUAL TABLE t USING fts5 (a, tokenize='unicode61')")
        sql.execute("INSERT INTO t VALUES (?)", (indexed(text),))
        sql.execute("SELECT * FROM t WHERE t MATCH ?", (expression(terms),)).fetchall()
    sql.close()
    assert hits(unicodedata.normalize("NFC", text), terms)


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("I want a refund now", "REFUND", "I want a [refund] now"),
        ("two\nlines", "lines", "two [lines]"),
        ("Crème brûlée", "creme", "[Crème] brûlée"),
        ("東京都に住む", "京都", "東[京都]に住む"),
        ("refunding", "refund", "refunding"),
        ("refunding", "refund*", "[refunding]"),
        ("exact words, exact phrase", '"exact phrase"', "exact words, [exact phrase]"),
    ],
)
def test_a_snippet_marks_its_hits(text: str, query: str, shown: str) -> None:
    assert snippet(text, read_query(query), 60)[0] == shown


def test_a_snippet_of_a_long_text_is_its_middle() -> None:
    shown, _ = snippet("a " * 500 + "needle" + " b" * 500, read_query("needle"), 40)
    assert "[needle]" in shown
    assert shown[0] == shown[-1] == "…"
    assert len(shown) <= 44


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (None, ""),
        ('"plain"', "plain"),
        ('"two\\nlines"', "two\nlines"),
        ('{"a":"caf\\u00e9"}', "a: café"),
        ('{"a":[1,"b"]}', '{"a":[1,"b"]}'),
    ],
)
def test_escapes_do_not_stand_in_the_way(stored: str | None, text: str) -> None:
    assert readable(stored) == text
