"""What went wrong, as a sentence for people and as an object for programs."""

import traceback
from collections.abc import Iterator
from dataclasses import asdict

from dssync.cli.render.text import Line, wrapped
from dssync.cli.render.view import Document
from dssync.core.rules import Problem
from dssync.errors import DssyncError, InvalidRecords

LISTED = 80
"""How wide the lines are that a message lists below its first one."""


def sentence_lines(message: str, hint: str = "") -> Iterator[Line]:
    """Draw a message and what to type next; what follows a message's first line is indented."""
    first, *more = message.split("\n")
    yield Line(f"dssync: {first}", "error")
    for line in more:
        yield from map(Line, wrapped(line.strip(), LISTED, "  ", "    "))
    if hint:
        yield Line(f"hint: {hint}")


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
