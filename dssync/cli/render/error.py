"""What went wrong, as a sentence for people and as an object for programs."""

import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict

from dssync.cli.render.text import Line, sentence
from dssync.cli.render.view import Document
from dssync.core.rules import Problem
from dssync.errors import DssyncError, InvalidRecords

LISTED = 80
"""How wide the lines are that a message lists below its first one."""


def sentence_lines(message: str, hint: str = "", width: int | None = None) -> Iterator[Line]:
    """Draw a message and what to type next; what follows a message's first line is indented.

    Without a `width` both stay whole lines, as a log wants them that is searched for an error.
    """
    first, *more = message.split("\n")
    whole = sys.maxsize if width is None else width
    yield from sentence(f"dssync: {first}", whole, tone="error")
    for line in more:
        yield from sentence(line.strip(), width or LISTED, "  ", "    ")
    if hint:
        yield from sentence(f"hint: {hint}", whole)


def error_json(error: DssyncError) -> Document:
    """Return an error for programs; refused values are listed one by one."""
    document: dict[str, object] = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }
    if isinstance(error, InvalidRecords):
        document["problems"] = [asdict(p) for p in error.problems if isinstance(p, Problem)]
    return document


def unexpected(error: BaseException) -> DssyncError:
    """Say that the program is at fault, and how to see where."""
    said = "".join(traceback.format_exception_only(error)).strip()
    return DssyncError(
        f"something went wrong that should not have: {said}",
        hint="add -v to see where; that is what a bug report needs",
    )


def traceback_lines(error: BaseException) -> Iterator[Line]:
    """Draw where an unexpected error came from."""
    for block in traceback.format_exception(error):
        yield from (Line(line) for line in block.rstrip("\n").split("\n"))
