import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.cli.render.names import title
from dssync.cli.render.text import UNSAFE, plain, plain_json, quoted, sentence, shortened, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, Kyōto, 👩‍🚀", "plain text, Kyōto, 👩‍🚀"),
        ("a\x1b[31mred\x1b[0m", r"a\u001b[31mred\u001b[0m"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\x00\x07\x7f\x9b31m", r"\u0000\u0007\u007f\u009b31m"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("\u2066hidden\u2069", r"\u2066hidden\u2069"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("half \ud800", r"half \ud800"),
        ("\U000e0041", r"\udb40\udc41"),
        ("e" + "\u0301" * 10, "e" + "\u0301" * 8 + r"\u0301\u0301"),
        ("[bold]markup[/bold] {+x+}", "[bold]markup[/bold] {+x+}"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(st.characters()))
def test_plain_leaves_nothing_unsafe_and_is_done_once(text: str) -> None:
    once = plain(text)
    assert not UNSAFE.search(once)
    assert plain(once) == once


@given(st.recursive(st.text() | st.none(), lambda inner: st.dictionaries(st.text(), inner)))
def test_plain_json_means_the_same(value: object) -> None:
    for indent in (None, 2):
        shown = plain_json(json.dumps(value, ensure_ascii=False, indent=indent))
        assert not UNSAFE.search(shown.replace("\n", ""))
        assert json.loads(shown) == value


@given(st.text())
def test_quoted_text_reads_back(text: str) -> None:
    assert json.loads(quoted(text)) == text


def test_wrapped_text_keeps_its_words_and_fits() -> None:
    text = " ".join(f"word{n}" for n in range(60))
    lines = list(wrapped(text, 40, "first: ", "  "))
    assert all(len(line.rstrip()) <= 40 for line in lines)
    assert "".join(lines).replace("first: ", "").split() == text.split()


def test_a_sentence_fits_and_keeps_its_words_whole() -> None:
    path = "/tmp/" + "x" * 50
    lines = list(
        sentence(f"the  page is kept in {path}, \x1b and so on", 40, "  ", "    ", "error")
    )
    assert [line.text for line in lines] == [
        "  the  page is kept in",
        f"    {path},",
        r"    \u001b and so on",
    ]
    assert {line.tone for line in lines} == {"error"}
    assert [line.text for line in sentence("", 40, "  ")] == ["  "]


def test_shortened() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"


@pytest.mark.parametrize(
    ("label", "key", "shown"),
    [
        ("Triage", "3f2a91bc-0000", 'dataset "Triage" (3f2a91bc…)'),
        ("Triage", "new-0123456789abcdef", 'dataset "Triage" (new-01234567…)'),
        ("Triage", "staging/3f2a91bc-0000", 'dataset "Triage" (staging/3f2a91bc…)'),
        ("Triage", "short", 'dataset "Triage" (short)'),
        ('a "b"\x1b', "3f2a91bc-0000", r'dataset "a \"b\"\u001b" (3f2a91bc…)'),
        ("3f2a91bc-0000", "3f2a91bc-0000", "dataset 3f2a91bc-0000"),
        ("", "3f2a91bc-0000", "dataset 3f2a91bc-0000"),
    ],
)
def test_title(label: str, key: str, shown: str) -> None:
    assert title("dataset", label, key) == shown
