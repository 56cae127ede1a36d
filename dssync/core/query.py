"""A search as typed, and where it hits a text; pure, so every rule can be looked at by itself.

Words are compared without case and accents. Characters of scripts that put no space between words
count as a word each, so that any part of a sentence can be found.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dssync.core.values import BadJson, Json, parse
from dssync.errors import UsageError

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_TERM = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand next to each other; with `prefix`, the last one only begins so."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, folded, and where it stands there."""

    folded: str
    start: int
    end: int


def read_query(text: str) -> tuple[Term, ...]:
    """Read words, "exact phrases" and the beginnings of words*. Raises UsageError for none."""
    terms = []
    for quoted, star, bare in _TERM.findall(text):
        words = tuple(word.folded for word in words_of(quoted or bare))
        if words:
            terms.append(Term(words, bool(star) or bare.endswith("*")))
    if not terms:
        raise UsageError("there is no word to search for", hint="dssync search refund")
    return tuple(terms)


def words_of(text: str) -> Iterator[Word]:
    """Yield the words of a text."""
    for found in _WORD.finditer(unicodedata.normalize("NFC", text)):
        yield Word(fold(found[0]), found.start(), found.end())


def fold(text: str) -> str:
    """Return text without case and accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def indexed(text: str) -> str:
    """Return the words of a text as the index takes them."""
    return fold(text) if text.isascii() else " ".join(word.folded for word in words_of(text))


def readable(stored: str | int | None) -> str:
    """Return JSON as text to search in: without its escapes, a bare text without its quotes."""
    text = "" if stored is None else str(stored)
    if text[:1] != '"' and "\\" not in text:
        return text
    try:
        return " ".join(_texts(parse(text)))
    except (BadJson, RecursionError):
        return text


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield f"{key}:"
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)
    elif value is not None:
        yield str(value)


def hits(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Return where the terms stand in a text that is NFC, first to last, none inside another."""
    words = list(words_of(text))
    found = []
    for at in range(len(words)):
        lengths = [len(term.words) for term in terms if _stands(words, at, term)]
        if lengths:
            found.append((words[at].start, words[at + max(lengths) - 1].end))
    return [span for n, span in enumerate(found) if n == 0 or span[0] >= found[n - 1][1]]


def _stands(words: Sequence[Word], at: int, term: Term) -> bool:
    here = [word.folded for word in words[at : at + len(term.words)]]
    if len(here) < len(term.words) or tuple(here[:-1]) != term.words[:-1]:
        return False
    last = term.words[-1]
    return here[-1].startswith(last) if term.prefix else here[-1] == last


def snippet(text: str, terms: Sequence[Term], width: int) -> tuple[str, int]:
    """Return the part of a text around its first hit, hits in [brackets], and how many there are.

    >>> snippet("I want a refund now", read_query("REFUND"), 60)
    ('I want a [refund] now', 1)
    """
    text = unicodedata.normalize("NFC", text)
    spans = hits(text, terms)
    first = spans[0][0] if spans else 0
    start = max(0, min(first - width // 3, len(text) - width))
    end = min(len(text), start + width)
    pieces, at = ["…"] if start else [], start
    for left, right in spans:
        if left >= start and right <= end:
            pieces += [text[at:left], "[", text[left:right], "]"]
            at = right
    pieces += [text[at:end], "…" if end < len(text) else ""]
    return " ".join("".join(pieces).split()), len(spans)
