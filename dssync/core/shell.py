"""A command line as bash reads it: its words, and how a completed one is written."""

import re
from dataclasses import dataclass
from typing import Literal

Quote = Literal["", "'", '"']

_PIECE = re.compile(
    r"""(?P<space>\s+)
    | '(?P<single>[^']*)(?P<single_end>')?
    | "(?P<double>(?:\\.|[^"\\])*)(?P<rest>\\?)(?P<double_end>")?
    | \\(?P<escaped>.?)
    | (?P<bare>[^\s'"\\]+)""",
    re.VERBOSE | re.DOTALL,
)

_SPECIAL = re.compile(r"[^\w@%+=:,./-]")
"""What bash may take for more than itself outside quotes; a backslash before anything else is
nothing to it either."""

_SPECIAL_IN_DOUBLE = re.compile(r'[\\"$`]')


@dataclass(frozen=True, slots=True)
class Word:
    """A word without its quotes, where it starts, and the quote that is still open at its end."""

    text: str
    start: int
    quote: Quote = ""


def words(line: str) -> list[Word]:
    r"""Split the beginning of a command line; the last word is the one that is being typed.

    >>> [word.text for word in words('show "Support tri')]
    ['show', 'Support tri']
    >>> words(r"show a\ b ")[-1]
    Word(text='', start=10, quote='')
    """
    found = [Word("", 0)]
    for piece in _PIECE.finditer(line):
        if piece["space"]:
            found.append(Word("", piece.end()))
        else:
            last, (text, quote) = found[-1], _meaning(piece)
            found[-1] = Word(last.text + text, last.start, quote)
    return found


def _meaning(piece: re.Match[str]) -> tuple[str, Quote]:
    if piece["single"] is not None:
        return piece["single"], "" if piece["single_end"] else "'"
    if piece["double"] is not None:
        return re.sub(r'\\([\\"$`])', r"\1", piece["double"]), "" if piece["double_end"] else '"'
    return piece["bare"] or piece["escaped"] or "", ""


def written(text: str, quote: Quote) -> str | None:
    """Write text so that bash reads it back after this open quote; None where that cannot be."""
    if quote == "'":
        return None if "'" in text else text
    if quote == '"':  # a ! would be history there, and cannot be escaped
        return None if "!" in text else _SPECIAL_IN_DOUBLE.sub(r"\\\g<0>", text)
    return _SPECIAL.sub(r"\\\g<0>", text)


def rest(line: str, replaced: str, whole: str) -> str | None:
    """Write what takes the place of `replaced`, the line's end, so that its last word is `whole`.

    A shell may cut words at other places than blanks, so `replaced` can be the end of a word.
    Returns None where the word cannot become that.
    """
    kept = line.removesuffix(replaced)
    start = words(line)[-1].start
    if len(kept) + len(replaced) != len(line) or len(kept) < start:
        return None
    stays = words(kept[start:])[-1]
    if not whole.startswith(stays.text):
        return None
    return written(whole[len(stays.text) :], stays.quote)
