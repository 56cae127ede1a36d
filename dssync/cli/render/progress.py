"""What is going on: a bar for each list on a terminal, a few sentences elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dssync.cli.render.names import title
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line
from dssync.events import (
    ChangeSent,
    Event,
    Expected,
    Note,
    PageStored,
    Report,
    ScanEnded,
    ScanStarted,
    StepEnded,
    StepStarted,
    Waiting,
)

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, Task, TaskID

LONG_WAIT = 5.0
"""Shorter waits, in seconds, are nobody's business."""

LONG_WALK = 30.0
"""A list that takes longer than that, in seconds, is announced."""


@contextmanager
def progress(screen: Screen, *, everything: bool) -> Iterator[Report]:
    """Give what reports are made to, and clear the bars in the end.

    With `everything`, each event is a line.
    """
    if screen.quiet or everything or not screen.err.isatty():
        yield lambda event: screen.tell(map(Line, _sentences(event, everything=everything)))
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=screen.err, no_color=not screen.coloured(screen.err))
    with Progress(*_columns(), console=console, transient=True) as bars:
        yield _Bars(bars, screen)


def _columns() -> "Iterator[ProgressColumn]":
    """Make what stands beside each other in a bar's line, 80 columns in all."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Rows a second."""

        def render(self, task: "Task") -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    yield TextColumn("{task.description}", markup=False)
    yield BarColumn(bar_width=12)
    yield MofNCompleteColumn()
    yield TextColumn("{task.fields[pages]}", markup=False)
    yield Rate()
    yield TimeRemainingColumn(compact=True)


def _sentences(event: Event, *, everything: bool) -> Iterator[str]:
    if isinstance(event, Note):
        yield event.message
    elif isinstance(event, Waiting):
        if everything or event.seconds >= LONG_WAIT:
            yield f"waiting {event.seconds:.0f} s: {event.reason}"
    elif isinstance(event, Expected):
        if everything or event.seconds >= LONG_WALK:
            yield (
                f"{event.remote}: about {event.rows:,} more {event.kind}s,"
                f" {event.requests:,} requests, {event.seconds:.0f} s"
            )
    elif everything:
        yield _detail(event)


_Detail = ScanStarted | PageStored | ScanEnded | ChangeSent | StepStarted | StepEnded


def _detail(event: _Detail) -> str:
    match event:
        case StepStarted(step):
            return f"{step}: begun"
        case StepEnded(step, whole, seconds):
            return f"{step}: {'done' if whole else 'failed'} in {seconds:.1f} s"
        case ScanStarted(remote, kind):
            return f"{remote}: reading {kind}s"
        case PageStored(remote, kind, rows, pages):
            return f"{remote}: {rows:,} {kind}s in {pages:,} pages"
        case ScanEnded(remote, kind, outcome, rows):
            return f"{remote}: {kind}s {outcome}, {rows:,} rows"
        case ChangeSent(remote, kind, key, action, outcome, done, total):
            name = title(kind, key, key)
            return f"{remote}: {done:,} of {total:,}, {action} {name}: {outcome}"


class _Bars:
    """Draws events as bars, one for each list and one for each remote's changes."""

    def __init__(self, bars: "Progress", screen: Screen) -> None:
        self._bars = bars
        self._screen = screen
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case ScanStarted(remote, kind):
                self._show(f"{remote} {kind}s", 0, None)
            case PageStored(remote, kind, rows, pages, count):
                read = "1 page" if pages == 1 else f"{pages:,} pages"
                self._show(f"{remote} {kind}s", rows, count, read)
            case ScanEnded(remote, kind, _, rows):
                self._show(f"{remote} {kind}s", rows, rows)
            case ChangeSent(remote, _, _, _, _, done, total):
                self._show(f"{remote} changes", done, total)
            case StepStarted(step):
                self._show(step, 0, None)
            case StepEnded(step):
                self._show(step, 1, 1)
            case _:
                self._screen.tell(map(Line, _sentences(event, everything=False)))

    def _show(self, name: str, done: int, total: int | None, pages: str | None = None) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, pages="")
        known: dict[str, Any] = {} if pages is None else {"pages": pages}
        self._bars.update(self._tasks[name], completed=done, total=total, **known)
