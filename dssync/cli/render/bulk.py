"""What an edit of many records changes, or would: how many, and the first of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dssync.cli.render.difference import delta_lines
from dssync.cli.render.names import title
from dssync.cli.render.plan import SIGNS, change_json
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, counted, quoted, wrapped
from dssync.cli.render.view import Document
from dssync.core.fields import KINDS
from dssync.core.plan import Change

SHOWN = 5
"""So many records are shown before the question."""

DROPPED = 20
"""So many records are shown after their edits were dropped."""


@dataclass(frozen=True, slots=True)
class BulkView:
    """Shows changes to programs; people saw the preview."""

    changes: Sequence[Change]
    done: bool

    def json(self) -> Document:
        """Return the changes for programs."""
        return {"done": self.done, "changes": [change_json(each) for each in self.changes]}

    def draw(self, screen: Screen) -> None:
        """Print nothing."""


def preview_lines(verb: str, changes: Sequence[Change], width: int) -> Iterator[Line]:
    """Draw the first changes with before and after, then say how many there are."""
    yield from _lines(changes[:SHOWN], width)
    more = len(changes) - SHOWN
    if more > 0:
        yield Line(f"  … and {more:,} more")
    kinds = {change.kind for change in changes}
    noun = kinds.pop() if len(kinds) == 1 else "record"
    yield Line(f"{counted(len(changes), noun)} to {verb.removesuffix(' of')}.", "head")


def dropped_lines(changes: Sequence[Change], width: int) -> Iterator[Line]:
    """Say which edits were dropped."""
    yield from _lines(changes[:DROPPED], width)
    if len(changes) > DROPPED:
        yield Line(f"  … and {len(changes) - DROPPED:,} more")


def _lines(changes: Sequence[Change], width: int) -> Iterator[Line]:
    for change in changes:
        place = f" of {quoted(change.where)}" if change.where else ""
        name = title(change.kind, change.label, change.key)
        sign, tone = SIGNS[change.action]
        made = " (made here)" if change.id is None else ""
        for line in wrapped(f"{name}{place}{made}", width, f"  {sign} ", "    "):
            yield Line(line, tone)
        if change.action == "delete":
            continue
        for delta in change.deltas:
            field = KINDS[change.kind].by_name[delta.field]
            sides = delta.before, delta.after
            yield from delta_lines(field, *sides, width, "      ", change.names)
