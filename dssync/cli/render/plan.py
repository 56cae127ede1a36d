"""A plan: what a push would send, field by field, and what it would leave alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from shlex import quote

from dssync.cli.render.difference import delta_lines, readable, value_lines, written
from dssync.cli.render.names import title
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, Tone, counted, quoted, wrapped
from dssync.cli.render.view import Document
from dssync.core.fields import KINDS, KindName, Stored
from dssync.core.merge import Conflict
from dssync.core.plan import Action, Change, Conflicted, Plan
from dssync.core.values import Json

SIGNS: Mapping[Action, tuple[str, Tone]] = {
    "create": ("+", "add"),
    "update": ("~", "change"),
    "delete": ("-", "remove"),
    "undelete": ("^", "add"),
}

_FIELDS = " " * 6


NOT_APPROVABLE = (
    "This is not the plan that `dssync diff` shows: the server has moved, or part of it",
    "was left out. To approve one by its digest: dssync pull, then dssync diff",
)


@dataclass(frozen=True, slots=True)
class PlanView:
    """Shows a plan as data: as text for people, as JSON without the frame, or as Markdown.

    One that is not `approvable` has no digest that a push would take. `file` is where it was saved:
    then the file is what is pushed.
    """

    plan: Plan
    form: str = "text"
    approvable: bool = True
    file: Path | None = None

    def json(self) -> Document:
        """Return the plan for programs."""
        return plan_json(self.plan)

    def draw(self, screen: Screen) -> None:
        """Print the plan; one without anything is not data, but a sentence.

        The digest is the last line of what people read, wherever the data goes.
        """
        if self.form == "json":
            screen.document(self.json(), indent=2)
        elif self.form == "md":
            from dssync.cli.render.markdown import plan_markdown

            screen.data(map(Line, plan_markdown(self.plan)))
        elif self.plan.changes or self.plan.conflicts:
            last = self._digest_lines() if self.approvable else map(Line, NOT_APPROVABLE)
            screen.data([*plan_lines(self.plan, screen.width), *last])
            return
        else:
            screen.tell([Line("no differences")])
        screen.tell(self._digest_lines())

    def _digest_lines(self) -> Iterator[Line]:
        what = f"--checksum {self.plan.digest}" if self.file is None else quote(str(self.file))
        yield from digest_lines(self.plan, f"dssync push {what}")


def digest_lines(plan: Plan, consent: str) -> Iterator[Line]:
    """Say a plan's digest, and what to type to send exactly this."""
    if plan.changes:
        yield Line(f"digest {plan.digest}; send this: {consent}")


def plan_json(plan: Plan) -> Document:
    """Return a plan for programs; values are JSON, not the mirror's text."""
    return {
        "digest": plan.digest,
        "counts": dict(plan.counts()),
        "changes": [change_json(change) for change in plan.changes],
        "conflicts": [conflicted_json(conflicted) for conflicted in plan.conflicts],
    }


def change_json(change: Change) -> Document:
    """Return a change for programs."""
    return {
        **_who(change),
        "action": change.action,
        "fields": [
            {
                "field": delta.field,
                "before": _value(change.kind, delta.field, delta.before),
                "after": _value(change.kind, delta.field, delta.after),
            }
            for delta in change.deltas
        ],
    }


def conflicted_json(conflicted: Conflicted) -> Document:
    """Return a conflict for programs."""
    return {
        **_who(conflicted),
        "conflicts": [
            {
                "field": conflict.field,
                "reason": conflict.reason.value,
                "base": _value(conflicted.kind, conflict.field, conflict.base),
                "theirs": _value(conflicted.kind, conflict.field, conflict.theirs),
                "ours": _value(conflicted.kind, conflict.field, conflict.ours),
            }
            for conflict in conflicted.conflicts
        ],
    }


def _who(record: Change | Conflicted) -> Document:
    return {
        "remote": record.remote,
        "kind": record.kind,
        "key": record.key,
        "id": record.id,
        "label": record.label,
        "dataset": record.where or None,
    }


def _value(kind: KindName, field: str, stored: Stored) -> Json:
    return readable(KINDS[kind].by_name[field], stored)


def plan_lines(plan: Plan, width: int) -> Iterator[Line]:
    """Draw changes by remote and dataset, then conflicts, then how many there are."""
    records: list[Change | Conflicted] = [*plan.changes, *plan.conflicts]
    records.sort(key=lambda record: (record.remote, _dataset(record)))
    for (remote, dataset), group in groupby(records, lambda r: (r.remote, _dataset(r))):
        yield Line(f"{remote} / {quoted(dataset)}", "head")
        for record in group:
            yield from _record_lines(record, width)
        yield Line()
    yield Line(f"{summary(plan)}.")


def _dataset(record: Change | Conflicted) -> str:
    return record.where or record.label


def _record_lines(record: Change | Conflicted, width: int) -> Iterator[Line]:
    if isinstance(record, Conflicted):
        yield from conflicted_lines(record, width)
    else:
        yield from _change_lines(record, width)


def _change_lines(change: Change, width: int) -> Iterator[Line]:
    sign, tone = SIGNS[change.action]
    name = title(change.kind, change.label, change.key)
    yield Line(f"  {sign} {change.action} {name}", tone)
    for delta in change.deltas:
        field = KINDS[change.kind].by_name[delta.field]
        if change.action == "create":
            yield from value_lines(field, delta.after, width, _FIELDS, change.names)
        elif field.type != "flag":
            sides = delta.before, delta.after
            yield from delta_lines(field, *sides, width, _FIELDS, change.names)


def conflicted_lines(conflicted: Conflicted, width: int) -> Iterator[Line]:
    """Draw a record that stays out of a push, with the three values of each field."""
    name = title(conflicted.kind, conflicted.label, conflicted.key)
    yield Line(f"  ! conflict in {name}", "conflict")
    for conflict in conflicted.conflicts:
        field = KINDS[conflicted.kind].by_name[conflict.field]
        yield Line(f"{_FIELDS}{conflict.field}: {conflict.reason.value}")
        for side, stored in sides_of(conflict):
            text = written(field, stored, conflicted.names)
            first = f"{_FIELDS}  {side:<8}"
            yield from map(Line, wrapped(text, width, first, " " * len(first)))


def sides_of(conflict: Conflict) -> tuple[tuple[str, Stored], ...]:
    """Return the three values of a conflict, each with its name."""
    return ("base", conflict.base), ("theirs", conflict.theirs), ("ours", conflict.ours)


def summary(plan: Plan) -> str:
    """Say how much there is: `2 updates, 1 delete, 1 conflict`."""
    parts = [counted(number, action) for action, number in plan.counts().items()]
    if plan.conflicts:
        parts.append(counted(len(plan.conflicts), "conflict"))
    return ", ".join(parts) or "no changes"
