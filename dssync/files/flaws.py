"""What is wrong with files that were to be imported: every mistake with its place, all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
        parts = [self.file]
        if self.line is not None:
            parts.append(f"{self.unit} {self.line}")
        if self.column:
            parts.append(f"column {self.column}")
        where = ", ".join(parts)
        return f"{where} ({self.field}): {self.reason}" if self.field else f"{where}: {self.reason}"


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
    in_order = sorted(flaws, key=lambda flaw: (flaw.file, flaw.line or 0))
    listed = "\n".join(f"  {flaw}" for flaw in in_order)
    count = f"the first {len(flaws)} mistakes" if more else f"{len(flaws)} mistakes"
    return UsageError(f"nothing was imported, because of {count}:\n{listed}")
