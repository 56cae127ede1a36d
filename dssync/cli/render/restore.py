"""What a restore changed here, or would, and what of the past cannot come back."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from dssync.cli.render.bulk import preview_lines
from dssync.cli.render.plan import plan_json, plan_lines
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, counted, sentence
from dssync.cli.render.view import Document
from dssync.core.toll import Toll
from dssync.sync.carrying import Left
from dssync.sync.restorer import Restored

NAMED = 5
"""So many records are named for one reason."""


@dataclass(frozen=True, slots=True)
class RestoreView:
    """Shows a restore; a `dry` one is the whole plan as data, for there is nothing else to see."""

    done: Restored
    dry: bool

    def json(self) -> Document:
        """Return the plan, and all that stays behind, for programs."""
        done = self.done
        return {
            "dry_run": self.dry,
            "source": done.title,
            "remote": done.remote,
            "plan": plan_json(done.plan),
            "cannot_come_back": toll_json(done.toll),
            "left": [
                {"kind": each.kind, "key": each.key, "reason": each.reason} for each in done.left
            ],
            "unreadable_then": [
                {"kind": each.kind, "key": each.key, "place": each.place} for each in done.unread
            ],
            "dropped": done.dropped,
            "left_alone": dict(done.apart),
        }

    def warn(self, screen: Screen) -> None:
        """Say what is restored, and before anything else what cannot come back."""
        done, width = self.done, screen.width
        screen.tell(sentence(f"{done.title}, into {done.remote}", width, tone="head"))
        screen.warn([*toll_lines(done.toll, width), *left_lines(done.left, width)])
        screen.tell(self._aside(width))
        if not self.dry:
            screen.tell(self._last(width))

    def _aside(self, width: int) -> Iterator[Line]:
        done = self.done
        if done.unread:
            kept = [each.key for each in done.unread if each.key]
            named = f": {_some(kept)}" if kept else ""
            much = counted(len(done.unread), "record")
            yield from sentence(
                f"{much} could not be read then, and come back as last read, if ever{named}", width
            )
        if done.dropped:
            yield Line(f"{counted(done.dropped, 'pending change')} dropped")
        if done.plan.counts().get("undelete"):
            yield from sentence(
                "a push undeletes what was deleted; what the server refuses to undelete (404) the"
                " same restore makes anew, run once more after the push",
                width,
            )
        if done.apart:
            much = " and ".join(counted(count, kind) for kind, count in done.apart.items())
            yield from sentence(
                f"left alone, as the snapshot knows nothing of it: {much} of {done.remote}", width
            )

    def _last(self, width: int) -> Iterator[Line]:
        if self.done.plan:
            yield from preview_lines("restore", self.done.plan.changes, width)
        else:
            yield Line("nothing to restore: it is as it was then", "head")

    def draw(self, screen: Screen) -> None:
        """Print the plan of a dry one."""
        plan = self.done.plan
        if self.dry and (plan.changes or plan.conflicts):
            screen.data(plan_lines(plan, screen.width))
        elif self.dry:
            screen.tell(self._last(screen.width))


def toll_json(toll: Toll) -> Document:
    """Return what cannot come back, for programs."""
    return {
        "new_ids": dict(toll.made),
        "server_fields": dict(toll.others),
        "traces": toll.traces,
        "fields": [
            {"kind": kind, "field": name, "values": count}
            for (kind, name), count in sorted(toll.fields.items())
        ],
    }


def toll_lines(toll: Toll, width: int, head: str = "what cannot come back:") -> Iterator[Line]:
    """Say what records lose that are made again, with counts."""
    if not toll:
        return
    yield Line(head, "head")
    for said in _tolls(toll):
        yield from sentence(said, width, "  ", "    ")


def _tolls(toll: Toll) -> Iterator[str]:
    if toll.made:
        much = " and ".join(counted(count, kind) for kind, count in toll.made.items())
        yield f"id, created_at and created_by of {much} that are made anew"
    if toll.others:
        named = ", ".join(f"{name} ({count:,})" for name, count in sorted(toll.others.items()))
        yield f"the server's own fields of these: {named}"
    if toll.traces:
        yield f"the traces that {counted(toll.traces, 'item')} came from: they stay where they are"
    for (kind, name), count in sorted(toll.fields.items()):
        yield f"{name} of {counted(count, kind)}: the remote has no such field"


def left_lines(left: tuple[Left, ...], width: int) -> Iterator[Line]:
    """Say which records stay as they are, by reason."""
    ordered = sorted(left, key=lambda each: (each.reason, each.kind, each.key))
    for (reason, kind), group in groupby(ordered, lambda each: (each.reason, each.kind)):
        keys = [each.key for each in group]
        said = f"left out, {counted(len(keys), kind)}: {reason}: {_some(keys)}"
        yield from sentence(said, width, "! ", "    ", tone="conflict")


def _some(keys: list[str]) -> str:
    more = f", and {len(keys) - NAMED:,} more" if len(keys) > NAMED else ""
    return f"{', '.join(keys[:NAMED])}{more}"
