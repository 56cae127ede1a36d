"""What happened: the runs in a table, or one run whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.ages import moment
from dssync.cli.render.receipt import receipt_json, whole_lines
from dssync.cli.render.screen import Screen
from dssync.cli.render.table import Table
from dssync.cli.render.text import Line
from dssync.cli.render.view import Document
from dssync.core.receipt import OUTCOMES

if TYPE_CHECKING:
    from dssync.core.receipt import KeptRun
    from dssync.sync.log import LoggedRun

COLUMNS = ("run", "started", "command", "remotes", "exit", "outcome")

UNFINISHED = "did not finish"
"""Of a run without an end; one that is under way has none either."""


@dataclass(frozen=True, slots=True)
class RunsView:
    """Shows runs in the order given."""

    runs: "Sequence[KeptRun]"

    def json(self) -> Document:
        """Return the runs for programs."""
        return {"runs": [run_json(run) for run in self.runs]}

    def draw(self, screen: Screen) -> None:
        """Print the table."""
        if self.runs:
            screen.table(Table(COLUMNS, map(_cells, self.runs)))
        else:
            screen.tell([Line("no run to show")])


def run_json(run: "KeptRun") -> Document:
    """Return a run for programs, without its rows."""
    return {
        "run": run.number,
        "command": run.command,
        "undoes": run.undoes,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "finished": run.ended_at is not None,
        "exit_code": run.exit_code,
        "version": run.version,
        "remotes": list(run.remotes),
        "scanned": _scanned(run),
        "counts": {outcome.replace(" ", "_"): run.counts.get(outcome, 0) for outcome in OUTCOMES},
        "problems": len(run.troubles),
    }


def _scanned(run: "KeptRun") -> Mapping[str, int]:
    return {
        word: sum(getattr(scan, word) for scan in run.scans)
        for word in ("listed", "new", "changed", "absent")
    }


def _cells(run: "KeptRun") -> tuple[str, ...]:
    return (
        str(run.number),
        moment(run.started_at),
        command(run),
        ", ".join(run.remotes),
        "" if run.exit_code is None else str(run.exit_code),
        ", ".join(_outcome(run)),
    )


def command(run: "KeptRun") -> str:
    """Name a run's command, and the run that it took back."""
    return run.command if run.undoes is None else f"{run.command} {run.undoes}"


def _outcome(run: "KeptRun") -> Iterator[str]:
    """Say in a few words what a run did."""
    if run.ended_at is None:
        yield UNFINISHED
    scanned = _scanned(run)
    for word, known in (("new", "new"), ("changed", "changed"), ("absent", "gone")):
        if scanned[word]:
            yield f"{scanned[word]:,} {known}"
    for outcome in OUTCOMES:
        if run.counts.get(outcome):
            yield f"{run.counts[outcome]:,} {outcome}"
    if run.troubles:
        yield "1 problem" if len(run.troubles) == 1 else f"{len(run.troubles)} problems"
    if run.scans and not any(scanned[word] for word in ("new", "changed", "absent")):
        yield "no change" if all(s.outcome != "partial" for s in run.scans) else "partial"
    if not (run.scans or run.counts):
        yield from run.notes


@dataclass(frozen=True, slots=True)
class RunView:
    """Shows one run whole."""

    logged: "LoggedRun"

    def json(self) -> Document:
        """Return the run and its receipt for programs."""
        return {
            "run": run_json(self.logged.run),
            "undone_by": list(self.logged.undone_by),
            "receipt": receipt_json(self.logged.receipt),
        }

    def draw(self, screen: Screen) -> None:
        """Print the run."""
        screen.data(_run_lines(self.logged, screen.width))


def _run_lines(logged: "LoggedRun", width: int) -> Iterator[Line]:
    run = logged.run
    yield Line(f"run {run.number}: {command(run)}", "head")
    for name, text in _facts(logged):
        if text:
            yield Line(f"  {name:<9}{text}", "dim")
    yield from whole_lines(logged.receipt, width)


def _facts(logged: "LoggedRun") -> Iterator[tuple[str, str]]:
    run = logged.run
    yield "started", moment(run.started_at)
    yield "ended", moment(run.ended_at) if run.ended_at else UNFINISHED
    yield "exit", "" if run.exit_code is None else str(run.exit_code)
    yield "remotes", ", ".join(run.remotes)
    yield "version", run.version
    by = ", ".join(f"run {number}" for number in logged.undone_by)
    yield "undone", f"by {by}" if by else ""
