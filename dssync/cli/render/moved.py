"""What became of a reviewed plan: changes that dropped out with their values, and earlier uses."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from dssync.cli.render.ages import moment
from dssync.cli.render.difference import readable, written
from dssync.cli.render.names import title
from dssync.cli.render.text import Line, counted, sentence, wrapped
from dssync.cli.render.view import Document
from dssync.core.fields import KINDS, Stored
from dssync.core.plan import Change
from dssync.core.standing import Moved, Sides

if TYPE_CHECKING:
    from dssync.mirror.plans import Use

_FIELDS = " " * 4


def moved_json(moved: Moved) -> Document:
    """Return a change that dropped out, for programs."""
    change = moved.change
    fields = KINDS[change.kind].by_name
    return {
        "remote": change.remote,
        "kind": change.kind,
        "key": change.key,
        "id": change.id,
        "label": change.label,
        "dataset": change.where or None,
        "action": change.action,
        "reason": moved.reason,
        "conflict": moved.conflicted,
        "fields": [
            {
                "field": sides.field,
                **{
                    name: readable(fields[sides.field], stored)
                    for name, stored in _values(moved, sides)
                },
            }
            for sides in moved.sides
        ],
    }


def moved_lines(moved: Iterable[Moved], width: int) -> Iterator[Line]:
    """Draw the changes that dropped out, with what was planned and the three values."""
    for each in moved:
        change = each.change
        name = title(change.kind, change.label, change.key)
        heading = f"! left out: {change.action} {name}, {change.remote}"
        yield from sentence(heading, width, following=_FIELDS, tone="conflict")
        yield from sentence(each.reason, width, _FIELDS, _FIELDS)
        for sides in each.sides:
            yield Line(f"{_FIELDS}{sides.field}:")
            field = KINDS[change.kind].by_name[sides.field]
            for side, stored in _values(each, sides):
                first = f"{_FIELDS}  {side:<8}"
                text = written(field, stored, change.names)
                yield from map(Line, wrapped(text, width, first, " " * len(first)))
        yield Line()


def _values(moved: Moved, sides: Sides) -> Iterator[tuple[str, Stored]]:
    after = moved.change.after
    if sides.field in after:
        yield "planned", after[sides.field]
    yield "base", sides.base
    yield "theirs", sides.theirs
    yield "ours", sides.ours


def elsewhere_sentence(changes: Sequence[Change]) -> str:
    """Say that changes of the plan stay pending, because -r leaves their remotes out."""
    remotes = sorted({change.remote for change in changes})
    options = " ".join(f"-r {remote}" for remote in remotes)
    stay = "stays" if len(changes) == 1 else "stay"
    much = counted(len(changes), "change")
    return f"{much} of this plan for {', '.join(remotes)} {stay}; add {options} to send all"


def use_json(use: "Use") -> Document:
    """Return a run that applied the plan before, for programs."""
    return {
        "run": use.run,
        "at": use.started_at,
        "applied": use.applied,
        "planned": len(use.rows),
    }


def use_sentences(uses: "Iterable[Use]", size: int) -> Iterator[str]:
    """Say which runs applied the plan before, one sentence a run; `size` counts its changes."""
    for use in uses:
        much = f"{use.applied:,} of {counted(size or len(use.rows), 'change')}"
        yield f"run {use.run} applied {much} of this plan, at {moment(use.started_at)}"
