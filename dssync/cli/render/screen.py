"""The two streams: data on standard output, everything for people on standard error."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

import click

from dssync.cli.render.table import Table
from dssync.cli.render.text import Line, Lines, Tone, plain, plain_json

PLAIN_WIDTH = 80
"""How wide lines are where nobody can say how wide the terminal is."""

_STYLES: Mapping[Tone, Mapping[str, bool | str]] = {
    "": {},
    "head": {"bold": True},
    "add": {"fg": "green"},
    "remove": {"fg": "red"},
    "change": {"fg": "cyan"},
    "conflict": {"fg": "magenta"},
    "dim": {"dim": True},
    "error": {"fg": "red", "bold": True},
}


@dataclass(frozen=True, slots=True)
class Screen:
    """Prints. `quiet` leaves out what is neither data nor an error nor a question."""

    quiet: bool = False
    colour: bool = True
    asks: bool = True
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    @property
    def width(self) -> int:
        """How many columns a line may have."""
        if self.out.isatty() or self.err.isatty():
            return shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
        return PLAIN_WIDTH

    @property
    def interactive(self) -> bool:
        """Tell whether somebody is there to answer a question."""
        return self.asks and sys.stdin.isatty() and self.err.isatty()

    def data(self, lines: Lines) -> None:
        """Print lines of data."""
        with self._to_reader():
            self._print(self.out, lines)

    def table(self, table: Table) -> None:
        """Print a table: ruled columns on a terminal, tab-separated values elsewhere."""
        if self.out.isatty():
            self.data(table.lines(self.width))
            return
        with self._to_reader():
            for row in table.rows:
                self._write(self.out, "\t".join(plain(cell) for cell in row) + "\n")

    def document(self, value: object, *, indent: int | None = None) -> None:
        """Print a JSON document."""
        text = json.dumps(value, ensure_ascii=False, indent=indent)
        with self._to_reader():
            self._write(self.out, plain_json(text) + "\n")

    def tell(self, lines: Lines) -> None:
        """Print lines for people, unless they asked for quiet."""
        if not self.quiet:
            self._print(self.err, lines)

    def warn(self, lines: Lines) -> None:
        """Print lines that people must see."""
        self._print(self.err, lines)

    def ask(self, question: str) -> bool:
        """Ask a question that only a yes answers with yes."""
        self._write(self.err, f"{plain(question)} [y/N] ")
        self.err.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def choose(self, question: str, letters: str) -> str:
        """Ask until the answer begins with one of these letters; "" where nobody answers."""
        while True:
            self._write(self.err, f"{plain(question)} ")
            self.err.flush()
            answer = sys.stdin.readline()
            letter = answer.strip().lower()[:1]
            if not answer or (letter and letter in letters):
                return letter
            self.warn([Line(f"answer with one of: {', '.join(letters)}")])

    def coloured(self, stream: TextIO) -> bool:
        """Tell whether a stream is shown with colours."""
        wanted = self.colour and not os.environ.get("NO_COLOR")
        return wanted and stream.isatty() and os.environ.get("TERM") != "dumb"

    @contextmanager
    def _to_reader(self) -> Iterator[None]:
        """Let a reader go away early, as `head` does; the work was done all the same."""
        try:
            yield
            self.out.flush()
        except BrokenPipeError:
            # what is still in the buffer is flushed at exit, and must not fail again there
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())

    def _print(self, stream: TextIO, lines: Lines) -> None:
        coloured = self.coloured(stream)
        for line in lines:
            self._write(stream, _styled(line, coloured) + "\n")
        stream.flush()

    def _write(self, stream: TextIO, text: str) -> None:
        print(text, end="", file=stream)


def _styled(line: Line, coloured: bool) -> str:
    text = plain(line.text).rstrip()
    if not coloured or not line.tone:
        return text
    return click.style(text, **_STYLES[line.tone])  # type: ignore[arg-type]
