"""The story of one record, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.ages import moment
from dssync.cli.render.difference import delta_lines, readable, value_lines
from dssync.cli.render.names import title
from dssync.cli.render.plan import change_json, conflicted_json, conflicted_lines
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, Tone, sentence
from dssync.cli.render.view import Document
from dssync.core.fields import KINDS, KindName, Names
from dssync.core.plan import Change, Conflicted, Delta

if TYPE_CHECKING:
    from dssync.core.story import Event
    from dssync.sync.log import Story

_FIELDS = " " * 4

_DONE = {"create": "made", "update": "changed", "delete": "deleted", "undelete": "brought back"}

_TONES: dict[str, Tone] = {"create": "add", "update": "change", "delete": "remove"}


@dataclass(frozen=True, slots=True)
class StoryView:
    """Shows what became of a record, and what was not pushed yet."""

    story: "Story"

    def json(self) -> Document:
        """Return the story for programs, newest first."""
        record, pending = self.story.record, self.story.pending
        return {
            "kind": record.kind,
            "key": record.key,
            "id": record.id,
            "remote": record.remote,
            "label": record.label,
            "change": change_json(pending) if isinstance(pending, Change) else None,
            "conflict": conflicted_json(pending) if isinstance(pending, Conflicted) else None,
            "events": [self._event_json(event) for event in self.story.events],
        }

    def _event_json(self, event: "Event") -> Document:
        command, started_at = self.story.runs.get(event.run, (None, None))
        return {
            "run": event.run,
            "command": command,
            "started_at": started_at,
            "by": "this mirror" if event.who == "here" else "the server",
            "what": event.what,
            "outcome": event.outcome,
            "reason": event.reason,
            "at": event.at,
            "fields": [self._field_json(delta) for delta in event.deltas],
        }

    def _field_json(self, delta: Delta) -> Document:
        field = KINDS[self.story.record.kind].by_name[delta.field]
        return {
            "field": delta.field,
            "before": readable(field, delta.before),
            "after": readable(field, delta.after),
        }

    def draw(self, screen: Screen) -> None:
        """Print the story."""
        screen.data(_lines(self.story, screen.width))


def _lines(story: "Story", width: int) -> Iterator[Line]:
    record = story.record
    yield Line(f"{title(record.kind, record.label, record.key)}, {record.remote}", "head")
    if record.label != record.key:
        yield Line(f"  {record.key}", "dim")
    yield from _pending_lines(story, width)
    for event in story.events:
        yield Line()
        yield from _event_lines(event, story, width)


def _pending_lines(story: "Story", width: int) -> Iterator[Line]:
    pending = story.pending
    if pending is None:
        return
    yield Line()
    if isinstance(pending, Conflicted):
        yield Line("not pushed yet, and in conflict", "conflict")
        yield from conflicted_lines(pending, width)
        return
    yield Line(f"not pushed yet: {_DONE[pending.action]} here", "change")
    who = pending.kind, pending.action, pending.deltas
    yield from _delta_lines(*who, width, pending.names)


def _event_lines(event: "Event", story: "Story", width: int) -> Iterator[Line]:
    command, started_at = story.runs.get(event.run, ("", ""))
    run = f"run {event.run}" + (f" ({command})" if command else "")
    when = f", {moment(started_at)}" if started_at else ""
    yield Line(f"{run}{when}: {_said(event, story)}", _tone(event))
    if event.who == "there" and event.at:
        verb = "made" if event.what == "first seen" else "last changed"
        yield Line(f"  {verb} there {moment(event.at)}{_by(event, story)}", "dim")
    if event.reason:
        yield from sentence(event.reason, width, "  ")
    who = story.record.kind, event.what, event.deltas
    yield from _delta_lines(*who, width, story.names)


def _said(event: "Event", story: "Story") -> str:
    if event.what == "first seen":
        return "first seen"
    if event.what == "pruned":
        return "states before this one were pruned"
    if event.outcome != "applied":
        return f"{event.what} {event.outcome}"
    place = "by this mirror" if event.who == "here" else "on the server"
    return f"{_DONE[event.what]} {place}"


def _tone(event: "Event") -> Tone:
    if event.outcome != "applied":
        return "error"
    return _TONES.get(event.what, "add")


def _by(event: "Event", story: "Story") -> str:
    maker = story.first.created_by if story.first else None
    return f" by {maker}" if maker and event.what == "first seen" else ""


def _delta_lines(
    kind: KindName, what: str, deltas: tuple[Delta, ...], width: int, names: Names
) -> Iterator[Line]:
    for delta in deltas:
        field = KINDS[kind].by_name[delta.field]
        if what == "create":
            yield from value_lines(field, delta.after, width, _FIELDS, names)
        elif field.type != "flag":
            yield from delta_lines(field, delta.before, delta.after, width, _FIELDS, names)
