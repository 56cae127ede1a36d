"""What a search found: the record, then where its words stand."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.names import title
from dssync.cli.render.screen import Screen
from dssync.cli.render.table import Table
from dssync.cli.render.text import Line, counted, plain, shortened
from dssync.cli.render.view import Document

if TYPE_CHECKING:
    from dssync.mirror.search import Found, Hit

COLUMNS = ("kind", "key", "remote", "dataset", "field", "snippet")

PIPED_SNIPPET = 120
"""Characters of a snippet where no terminal sets a width."""

WORTH_A_BAR = 5_000
"""An index of fewer records is made before anybody could read of it."""


def snippet_width(screen: Screen) -> int:
    """Return how many characters of a text are shown around a hit."""
    return screen.width - 24 if screen.out.isatty() else PIPED_SNIPPET


@contextmanager
def building(screen: Screen) -> Iterator[Callable[[int, int], None]]:
    """Give what is told how far an index is made; a bar on a terminal, nothing elsewhere.

    It is drawn only once there is something to wait for.
    """
    shows = screen.err.isatty() and not screen.quiet
    with ExitStack() as stack:
        begun: list[Callable[[int, int], None]] = []

        def report(done: int, total: int) -> None:
            if shows and total >= WORTH_A_BAR:
                begun[:] = begun or [stack.enter_context(_bar(screen))]
                begun[0](done, total)

        yield report


@contextmanager
def _bar(screen: Screen) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=screen.err, no_color=not screen.coloured(screen.err))
    with Progress(console=console, transient=True) as bars:
        task = bars.add_task("making the search index")
        yield lambda done, total: bars.update(task, completed=done, total=total)


@dataclass(frozen=True, slots=True)
class FoundView:
    """Shows hits, the best first."""

    found: "Found"

    def json(self) -> Document:
        """Return the hits for programs."""
        return {"total": self.found.total, "hits": [asdict(hit) for hit in self.found.hits]}

    def draw(self, screen: Screen) -> None:
        """Print two lines a hit on a terminal, tab-separated columns elsewhere."""
        if screen.out.isatty():
            screen.data(line for hit in self.found.hits for line in _lines(hit, screen.width))
        else:
            rows = ([str(getattr(hit, name)) for name in COLUMNS] for hit in self.found.hits)
            screen.table(Table(COLUMNS, rows))
        screen.tell([Line(self._count())])

    def _count(self) -> str:
        shown, total = len(self.found.hits), self.found.total
        if not total:
            return "nothing found"
        more = f"; these are {shown:,}, more with --limit" if shown < total else ""
        return f"found {counted(total, 'record')}{more}"


def _lines(hit: "Hit", width: int) -> Iterator[Line]:
    if hit.kind == "dataset":
        head = title("dataset", hit.dataset, hit.key)
    else:
        head = f"{title('item', '', hit.key)}, {hit.dataset}"
    yield Line(shortened(plain(head), width), "head")
    yield Line(shortened(f"  {hit.field}: {plain(hit.snippet)}", width))
