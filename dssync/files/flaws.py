"""What is wrong with files that were to be imported: every mistake with its place, all at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from dssync.errors import UsageError

MOST = 50
"""So many mistakes are listed; then reading stops."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One mistake. `line` counts from 1; `column` is a number of characters, or a sheet's letter.

    `unit` is what the file's program calls a line.
    """

    file: str
    reason: str
    line: int | None = None
    column: str = ""
    field: str = ""
    unit: str = "line"

    def __str__(self) -> str:
        """Say it in one line: file, line, column, field, reason."""
        place = self.place
        return f"{self.file}, {place}: {self.reason}" if place else f"{self.file}: {self.reason}"

    @property
    def place(self) -> str:
        """Say where in the file it is."""
        line = f"{self.unit} {self.line}" if self.line is not None else ""
        column = f"column {self.column}" if self.column else ""
        where = ", ".join(part for part in (line, column) if part)
        return f"{where} ({self.field})".strip() if self.field else where


@dataclass(slots=True)
class Flaws:
    """The mistakes found so far."""

    found: list[Flaw] = field(default_factory=list)

    def add(self, *flaws: Flaw) -> None:
        """Note mistakes. Raises UsageError when there are enough to begin mending."""
        self.found += flaws
        if len(self.found) >= MOST:
            raise refusal(self.found[:MOST], more=True)

    def __bool__(self) -> bool:
        return bool(self.found)


def refusal(flaws: Sequence[Flaw], *, more: bool = False) -> UsageError:
    """Return the error that lists mistakes; one alone is a sentence."""
    if len(flaws) == 1:
        return UsageError(f"{flaws[0]}; nothing was imported")
    count = f"the first {len(flaws)} mistakes" if more else f"{len(flaws)} mistakes"
    return UsageError("\n".join([f"nothing was imported, because of {count}:", *_listed(flaws)]))


def _listed(flaws: Sequence[Flaw]) -> Iterator[str]:
    """Name each file once, and under it what is wrong, so that lines stay short."""
    in_order = sorted(flaws, key=lambda flaw: (flaw.file, flaw.line or 0))
    for file, found in groupby(in_order, lambda flaw: flaw.file):
        yield f"  {file}"
        for flaw in found:
            yield f"    {flaw.place}: {flaw.reason}" if flaw.place else f"    {flaw.reason}"
