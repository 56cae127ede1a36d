"""Show how one text became another: word by word on one line, or line by line."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff

CONTEXT = 6
"""How many unchanged words, with the spaces between them, stay around a changed one."""

MOST_WORDS = 2_000
"""Longer texts are shown whole, before and after: comparing them by words takes too long."""

ALIKE = 0.4
"""Texts that share less than this are shown whole, before and after."""

GAP = "…"
"""Stands for unchanged text that is left out."""

_WORD = re.compile(r"\s+|\w+|[^\w\s]")

Signed = tuple[str, str]
"""A sign (`-` before, `+` after, a space for both, `@` for a gap) and a line of text."""


def compared_words(before: str, after: str) -> str | None:
    """Mark what went as [-…-] and what came as {+…+}; None where that would not be readable.

    >>> compared_words("Be brief and kind.", "Be brief and clear.")
    'Be brief and [-kind-]{+clear+}.'
    """
    pieces = _compare(before, after)
    if pieces is None:
        return None
    return "".join(
        _cut(piece.before, first=at == 0, last=at == len(pieces) - 1)
        if piece.same
        else piece.marked
        for at, piece in enumerate(pieces)
    )


def word_hunks(before: str, after: str) -> list[tuple[str, str]] | None:
    """Return both sides of each place that changed, with some words around; None as above.

    >>> word_hunks("Be brief and kind.", "Be brief and clear.")
    [('Be brief and kind.', 'Be brief and clear.')]
    """
    pieces = _compare(before, after)
    if pieces is None:
        return None
    hunks: list[tuple[str, str]] = []
    old = new = ""
    for at, piece in enumerate(pieces):
        first, last = at == 0, at == len(pieces) - 1
        kept = _cut(piece.before, first=first, last=last) if piece.same else piece.before
        if not piece.same or kept == piece.before:
            old, new = old + piece.before, new + piece.after
            continue
        head, _, tail = kept.partition(GAP)
        if not first:
            hunks.append((old + head + GAP, new + head + GAP))
        old = new = "" if last else GAP + tail
    return [*hunks, (old, new)] if old != new else hunks


def _compare(before: str, after: str) -> "list[Piece] | None":
    """Cut both texts into stretches; None where they are too long, or too different, for that."""
    left, right = _WORD.findall(before), _WORD.findall(after)
    if max(len(left), len(right)) > MOST_WORDS:
        return None
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < ALIKE:
        return None
    return _joined(
        Piece("".join(left[i1:i2]), "".join(right[j1:j2]))
        for _, i1, i2, j1, j2 in matcher.get_opcodes()
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of both texts, the same in both or not."""

    before: str
    after: str

    @property
    def same(self) -> bool:
        """Tell whether nothing changed here."""
        return self.before == self.after

    @property
    def marked(self) -> str:
        """Write what went and what came."""
        gone = f"[-{self.before}-]" if self.before else ""
        come = f"{{+{self.after}+}}" if self.after else ""
        return gone + come


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Join changes that only white space keeps apart: they read better as one."""
    done: list[Piece] = []
    for piece in pieces:
        if len(done) > 1 and done[-1].same and done[-1].before.isspace() and not piece.same:
            space, change = done.pop(), done.pop()
            piece = Piece(
                change.before + space.before + piece.before,
                change.after + space.after + piece.after,
            )
        done.append(piece)
    return done


def _cut(text: str, *, first: bool, last: bool) -> str:
    """Leave out the middle of a long unchanged stretch; its outer end, if it has one, goes too."""
    words = _WORD.findall(text)
    head = 0 if first else 2 * CONTEXT
    tail = 0 if last else 2 * CONTEXT
    if len(words) <= head + tail + 2:
        return text
    return f"{''.join(words[:head])}{GAP}{''.join(words[len(words) - tail :])}"


def compared_lines(before: str, after: str) -> Iterator[Signed]:
    """Yield the lines that went and came, each with two unchanged ones around it."""
    left, right = before.split("\n"), after.split("\n")
    for line in list(unified_diff(left, right, n=2, lineterm=""))[2:]:
        yield ("@", "…") if line.startswith("@@") else (line[0], line[1:])
