"""What a shell reads: its script, and the answer to a TAB."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line
from dssync.cli.render.view import Document


@dataclass(frozen=True, slots=True)
class ScriptView:
    """The script of a shell."""

    shell: str
    script: str

    def json(self) -> Document:
        """Return the script for programs."""
        return {"shell": self.shell, "script": self.script}

    def draw(self, screen: Screen) -> None:
        """Print the script."""
        screen.data(map(Line, self.script.splitlines()))


def print_answer(how: str, candidates: Iterable[tuple[str, str]]) -> None:
    """Print how to complete, and each candidate with what the shell says about it.

    What the terminal's encoding lacks cannot be typed there, and is left out.
    """
    print(how)
    for text, about in candidates:
        line = f"{text}\t{about}" if about else text
        if _sayable(line):
            print(line)


def _sayable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
