"""Conflicts as a person decides them: base, theirs and ours of every place that clashes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from dssync.cli.render.difference import (
    Step,
    delta_lines,
    differences,
    readable,
    shown,
    step_lines,
    written,
)
from dssync.cli.render.names import title
from dssync.cli.render.pending import pending_json
from dssync.cli.render.plan import conflicted_json, sides_of
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, counted, plain_json, quoted
from dssync.cli.render.view import Document
from dssync.core.fields import KINDS, KindName
from dssync.core.merge import Conflict, Reason
from dssync.core.plan import Conflicted, Plan
from dssync.core.pointer import MISSING, Pointer
from dssync.core.resolve import Clash, Part, Unresolved, clashes, weave

_PLACE = " " * 6
_SIDE = " " * 8


@dataclass(frozen=True, slots=True)
class ConflictsView:
    """Shows every record in conflict, and what to type."""

    records: Sequence[Unresolved]

    def json(self) -> Document:
        """Return the conflicts for programs."""
        return {"conflicts": [_unresolved_json(each) for each in self.records]}

    def draw(self, screen: Screen) -> None:
        """Print the conflicts; none is not data, but a sentence."""
        if not self.records:
            screen.tell([Line("no conflicts")])
            return
        screen.data(_all_lines(self.records, screen.width))
        screen.tell(_advice())


@dataclass(frozen=True, slots=True)
class Settled:
    """One decision that was kept: `choice` is ours, theirs or edited."""

    record: Conflicted
    field: str
    choice: str


@dataclass(frozen=True, slots=True)
class SettledView:
    """What was decided, what is in conflict still, and what is pending; people were told."""

    settled: Sequence[Settled]
    pending: Plan

    def json(self) -> Document:
        """Return the decisions for programs."""
        return {
            "settled": [
                {
                    "remote": each.record.remote,
                    "kind": each.record.kind,
                    "key": each.record.key,
                    "field": each.field,
                    "choice": each.choice,
                }
                for each in self.settled
            ],
            "pending": pending_json(self.pending),
        }

    def draw(self, screen: Screen) -> None:
        """Print nothing."""


def _unresolved_json(each: Unresolved) -> Document:
    kind = each.conflicted.kind
    fields = KINDS[kind].by_name
    document = dict(conflicted_json(each.conflicted))
    document["clashes"] = [
        {"path": path, **{n: v for n, v in _named(clash) if v is not MISSING}}
        for conflict in each.conflicted.conflicts
        for path, clash in _places(kind, conflict)
    ]
    document["edits"] = [
        {
            "field": delta.field,
            "before": readable(fields[delta.field], delta.before),
            "after": readable(fields[delta.field], delta.after),
        }
        for delta in each.edits
    ]
    return document


def _all_lines(records: Sequence[Unresolved], width: int) -> Iterator[Line]:
    for (remote, dataset), group in groupby(records, lambda each: _where(each.conflicted)):
        yield Line(f"{remote} / {quoted(dataset)}", "head")
        for each in group:
            yield from unresolved_lines(each, width)
            yield Line(f"    settle it: dssync resolve {plain_json(each.conflicted.key)}")
        yield Line()
    places = sum(len(each.conflicted.conflicts) for each in records)
    yield Line(f"{counted(places, 'conflict')} in {counted(len(records), 'record')}.")


def _where(record: Conflicted) -> tuple[str, str]:
    return record.remote, record.where or record.label


def _advice() -> Iterator[Line]:
    yield Line("  on a terminal each is asked for; --ours, --theirs or --edit decides at once,")
    yield Line("  FIELD names after the record keep to these, and --all stands for all records")


def unresolved_lines(each: Unresolved, width: int) -> Iterator[Line]:
    """Draw a record in conflict, place by place."""
    record = each.conflicted
    yield heading(record)
    for conflict in record.conflicts:
        yield from conflict_lines(each, conflict, width)


def heading(record: Conflicted) -> Line:
    """Name a record in conflict."""
    return Line(f"  ! {title(record.kind, record.label, record.key)}", "conflict")


def conflict_lines(each: Unresolved, conflict: Conflict, width: int) -> Iterator[Line]:
    """Draw one field in conflict, with why."""
    kind = each.conflicted.kind
    if conflict.reason is Reason.DELETED_THERE:
        yield Line(f"{_PLACE}{conflict.field}: {conflict.reason.value}")
        for delta in each.edits:
            field = KINDS[kind].by_name[delta.field]
            sides = delta.before, delta.after
            yield from delta_lines(field, *sides, width, _SIDE, each.conflicted.names)
        yield Line(f"{_SIDE}ours brings it back with the edits, theirs drops them", "dim")
        return
    field = KINDS[kind].by_name[conflict.field]
    if field.type == "reference":
        yield Line(f"{_PLACE}{conflict.field}: {conflict.reason.value}")
        for name, stored in sides_of(conflict):
            yield Line(f"{_SIDE}{name:<8}{written(field, stored, each.conflicted.names)}")
        return
    for path, clash in _places(kind, conflict):
        yield Line(f"{_PLACE}{path}: {conflict.reason.value}")
        yield from _clash_lines(path, clash, width)


def _places(kind: KindName, conflict: Conflict) -> Iterator[tuple[str, Clash]]:
    """Yield where a field clashes; what was reverted is one place, whatever could be joined."""
    field = KINDS[kind].by_name[conflict.field]
    found = list(clashes(weave(field, conflict)))
    if conflict.reason is Reason.REVERTED or any(not path for path, _ in found):
        sides = (readable(field, s) for s in (conflict.base, conflict.theirs, conflict.ours))
        yield field.name, Clash(*sides)
        return
    for path, clash in found:
        yield str(Pointer(field, path)), clash


def _named(clash: Clash) -> tuple[tuple[str, Part], ...]:
    return ("base", clash.base), ("theirs", clash.theirs), ("ours", clash.ours)


def _clash_lines(path: str, clash: Clash, width: int) -> Iterator[Line]:
    """Draw three values that fit, or where theirs and ours differ from a base that does not."""
    lines = [f"{_SIDE}{name:<8}{shown(value)}" for name, value in _named(clash)]
    if all(len(line) <= width for line in lines):
        yield from map(Line, lines)
        return
    for name, value in _named(clash)[1:]:
        if isinstance(clash.base, str) and isinstance(value, str):
            yield from step_lines(Step(f"base -> {name}", clash.base, value), width, _SIDE)
            continue
        yield Line(f"{_SIDE}base -> {name}:")
        for step in differences(path, clash.base, value):
            yield from step_lines(step, width, f"{_SIDE}  ")
