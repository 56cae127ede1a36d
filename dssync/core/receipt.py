"""What a run did, record by record, and the exit code that follows from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from dssync.core.fields import KindName, Names, Spot
from dssync.core.plan import ORDER, Action, Delta
from dssync.errors import DssyncError

Outcome = Literal["applied", "skipped", "conflicted", "failed", "in doubt", "unreadable"]
"""What came of a record in a run.

| outcome    | meaning                                                                     |
|------------|-----------------------------------------------------------------------------|
| applied    | it was sent, and the server took it                                         |
| skipped    | no request of it left, for the reason in its row: it is there already, or   |
|            | is no longer what was reviewed, or the run ended before its turn            |
| conflicted | both sides changed it, and it stays here until somebody decides             |
| failed     | it was sent, and the server did not take it                                 |
| in doubt   | it was sent, and nobody knows yet whether the server took it                |
| unreadable | the server could not show it; no plan asked for it                          |
"""

OUTCOMES: tuple[Outcome, ...] = (
    "applied",
    "skipped",
    "conflicted",
    "failed",
    "in doubt",
    "unreadable",
)
ScanOutcome = Literal["complete", "complete with holes", "partial"]

PRECEDENCE = (130, 143, 11, 10, 9, 7, 6, 8, 5, 4, 3, 2, 1)
"""Of several exit codes the first in this order is the run's."""


class Exit(IntEnum):
    """Exit codes that no error class carries."""

    DONE = 0
    PARTIAL = 3
    CONFLICTS = 4
    DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One record's part of a run: what was planned, what came of it, and why.

    `status` is the last HTTP status and `updated_at` the server's time of the record, where there
    were any; `attempts` counts the requests that were sent for the write. The action `read` is that
    of a row that no plan asked for: a record that a pull could not read, or found in conflict.
    """

    remote: str
    kind: KindName
    key: str
    action: Action | Literal["read"]
    outcome: Outcome
    deltas: tuple[Delta, ...] = ()
    reason: str = ""
    status: int | None = None
    updated_at: str | None = None
    attempts: int = 0
    label: str = ""
    where: str = ""
    names: Names = field(default=(), compare=False)

    @property
    def spot(self) -> Spot:
        """Name the record."""
        return self.kind, self.key

    @property
    def planned(self) -> bool:
        """Tell whether a plan asked for it, so that it counts in the balance."""
        return self.action != "read" and self.outcome != "unreadable"

    @property
    def order(self) -> tuple[str, int, str, str]:
        """Sort as a plan does; what was only read comes last."""
        step = (self.action, self.kind)
        rank = ORDER.index(step) if step in ORDER else len(ORDER)
        return self.remote, rank, self.where, self.key


@dataclass(frozen=True, slots=True)
class ScanCount:
    """One scan in numbers. `listed` = new + changed + unchanged; `absent` were proved gone."""

    remote: str
    kind: KindName
    outcome: ScanOutcome
    listed: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    absent: int = 0
    pages: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a remote's part of a run stopped, or was not everything: a sentence and an exit code.

    `remote` is empty where it is the run's own, as when a copy could not be made.
    """

    remote: str
    message: str
    exit_code: int
    hint: str = ""
    code: str = ""

    @classmethod
    def of(cls, remote: str, error: DssyncError) -> "Trouble":
        """Note an error as the outcome of a remote."""
        return cls(remote, error.message, error.exit_code, error.hint, error.code)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a run did. `run` is None for a run that wrote nothing, such as `push -n`.

    `warnings` are sentences that people must read although nothing failed; the mirror keeps them
    among the notes.
    """

    command: str
    run: int | None
    planned: int = 0
    entries: tuple[Entry, ...] = ()
    scans: tuple[ScanCount, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    notes: tuple[str, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())

    def count(self, outcome: Outcome) -> int:
        """Count the records with this outcome."""
        return sum(entry.outcome == outcome for entry in self.entries)

    @property
    def balanced(self) -> bool:
        """Tell whether planned = applied + skipped + conflicted + failed + in doubt."""
        return self.planned == sum(entry.planned for entry in self.entries)

    @property
    def exit_code(self) -> int:
        """Compute the exit code; a record without an outcome is a failure."""
        return worst(self._codes())

    def _codes(self) -> Iterable[int]:
        yield from (trouble.exit_code for trouble in self.troubles)
        if any(entry.outcome == "conflicted" and entry.planned for entry in self.entries):
            yield Exit.CONFLICTS  # one that a pull found is news, and kept nothing back
        if self.count("failed") or self.count("in doubt") or self.count("unreadable"):
            yield Exit.PARTIAL
        if not self.balanced:
            yield Exit.PARTIAL


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run as the mirror keeps it, without its rows.

    `ended_at` and `exit_code` are None for a run that did not finish, or has not yet. `undoes` is
    the run it took back.
    """

    number: int
    command: str
    started_at: str
    ended_at: str | None
    exit_code: int | None
    version: str
    undoes: int | None
    remotes: tuple[str, ...]
    counts: Mapping[Outcome, int]
    scans: tuple[ScanCount, ...]
    troubles: tuple[Trouble, ...]
    notes: tuple[str, ...]

    def receipt(self, entries: Iterable[Entry]) -> Receipt:
        """Return the run's receipt, given its rows."""
        rows = tuple(entries)
        planned = sum(entry.planned for entry in rows)
        return Receipt(
            self.command, self.number, planned, rows, self.scans, self.troubles, self.notes
        )


def warning(sentence: str) -> str:
    """Mark a sentence as a warning, for those who read it among others."""
    return f"warning: {sentence}"


def worst(codes: Iterable[int]) -> int:
    """Return the exit code that stands for all of `codes`; 0 when there are none."""
    found = set(codes) - {0}
    return next((code for code in PRECEDENCE if code in found), 1 if found else 0)
