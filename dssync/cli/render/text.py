"""Text that is safe for a terminal, and lines made of it.

Whatever came from a server, a file or a person may hold characters that move the cursor, recolour
the screen or turn the order of letters round. `plain` makes them visible instead; everything that
is printed passes through it.
"""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Tone = Literal["", "head", "add", "remove", "change", "conflict", "dim", "error"]
"""What a line is; a terminal with colours shows it."""

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff"  # halves of surrogate pairs, which no stream can write
    "\U000e0000-\U000e007f]"
)
"""Control characters, line separators, and what is invisible or changes the writing direction."""

PILED = 8
"""So many marks are drawn over one letter; more would climb into the lines above and below."""

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILE = re.compile(f"(?<=[{_MARKS}]{{{PILED}}})[{_MARKS}]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as people read it; what is unsafe in it is escaped when it is printed."""

    text: str = ""
    tone: Tone = ""


Lines = Iterable[Line]


def plain(text: str) -> str:
    r"""Return one line of text in which every unsafe character is written out, as JSON does.

    >>> plain("a\x1b[31m\tb")
    'a\\u001b[31m\\tb'
    """
    return _PILE.sub(_written_out, UNSAFE.sub(_written_out, text))


def _written_out(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def plain_json(text: str) -> str:
    """Escape JSON text so that it is safe to print and still means the same.

    Line breaks that indent it stay.
    """
    return "\n".join(map(plain, text.split("\n")))


def quoted(text: str) -> str:
    """Write text in quotes, as JSON would, safe to print."""
    return plain_json(json.dumps(text, ensure_ascii=False))


def wrapped(text: str, width: int, first: str, following: str) -> Iterator[str]:
    """Break text that is too long for `width` columns, with what stands before each line.

    Words stay whole where they fit; white space inside the text is kept.
    """
    yield from textwrap.wrap(
        text,
        max(width, len(following) + 20),
        initial_indent=first,
        subsequent_indent=following,
        drop_whitespace=False,
        replace_whitespace=False,
        break_on_hyphens=False,
    ) or [first]


def sentence(
    text: str, width: int, first: str = "", following: str = "  ", tone: Tone = ""
) -> Iterator[Line]:
    """Draw a sentence, broken between its words where it is too long for `width` columns.

    A word stays whole, however long: it may be a path or a key that somebody copies.
    """
    lines = textwrap.wrap(
        plain(text),
        max(width, len(following) + 20),
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines or [first]:
        yield Line(line, tone)


def shortened(text: str, most: int) -> str:
    """Cut text to `most` characters, with an ellipsis where something is missing."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: `1 item`, `60 items`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
