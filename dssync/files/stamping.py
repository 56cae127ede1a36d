"""Write mistakes into a page, where a person mends them, and take them out again."""

from collections.abc import Sequence
from dataclasses import dataclass

from dssync.files.page import Mistake

SIGN = "#! "


@dataclass(frozen=True, slots=True)
class Stamped:
    """A page with mistakes written into it; `marks` are the lines that were written."""

    text: str
    marks: frozenset[str]

    def without(self, saved: str) -> str:
        """Return what a person saved, without the marks."""
        lines = saved.split("\n")
        return "\n".join(line for line in lines if line.strip() not in self.marks)


def stamp(text: str, mistakes: Sequence[Mistake]) -> Stamped:
    """Say at the top what is wrong, and on which line it stands now; mark each line, too."""
    lines = text.split("\n")
    in_order = sorted(mistakes, key=lambda mistake: mistake.line)
    above = len(in_order) + 2
    head = [
        f"{SIGN}{_count(len(in_order))}; nothing was changed yet. Mend and save this, or empty",
        f"{SIGN}the file to give up.",
    ]
    marks: dict[int, list[str]] = {}
    for mistake in in_order:
        line, reason = min(mistake.line, len(lines)), _one_line(mistake.reason)
        pushed = sum(other.line <= mistake.line for other in in_order)
        head.append(f"{SIGN}line {above + pushed + line}: {reason}")
        indent = len(lines[line - 1]) - len(lines[line - 1].lstrip(" "))
        marks.setdefault(line, []).append(f"{' ' * indent}{SIGN}{reason}")
    body = [
        line
        for number, original in enumerate(lines, 1)
        for line in (*marks.get(number, ()), original)
    ]
    written = [*head, *(mark for found in marks.values() for mark in found)]
    return Stamped("\n".join([*head, *body]), frozenset(line.strip() for line in written))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _count(number: int) -> str:
    return "1 mistake" if number == 1 else f"{number} mistakes"
