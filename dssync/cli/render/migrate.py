"""What a migration does, or would, and what does not survive it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dssync.cli.render.plan import digest_lines, plan_json, plan_lines, summary
from dssync.cli.render.receipt import receipt_lines
from dssync.cli.render.restore import left_lines, toll_json, toll_lines
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, counted, quoted, sentence
from dssync.cli.render.view import Document
from dssync.core.fields import KindName
from dssync.core.plan import Plan
from dssync.core.receipt import Entry, Receipt
from dssync.sync.migrator import Migration

NAMED = 5
"""So many datasets are named."""


@dataclass(frozen=True, slots=True)
class MigrateView:
    """Shows a migration; a `dry` one is the plan as data. `apart` counts what is no copy."""

    found: Migration
    apart: Mapping[KindName, int]
    dry: bool

    def json(self) -> Document:
        """Return the plan, and all that stays behind, for programs."""
        found, done = self.found, self.found.done
        return {
            "dry_run": self.dry,
            "source": found.title,
            "remote": found.remote,
            "plan": plan_json(found.plan),
            "will_not_survive": toll_json(found.toll),
            "left": [
                {"kind": each.kind, "key": each.key, "reason": each.reason} for each in found.left
            ],
            "unreadable_there": [
                {"kind": each.kind, "key": each.key, "place": each.place} for each in found.unread
            ],
            "taken_over": dict(done.matched),
            "same_name": list(done.twins),
            "originals_gone": dict(done.gone),
            "copies_deleted": dict(done.buried),
            "left_alone": dict(self.apart),
            "not_pushed": found.unsent,
        }

    def before(self, width: int) -> Iterator[Line]:
        """Say what goes where, and before anything else what does not survive it."""
        found = self.found
        yield from sentence(f"{found.title}, into {found.remote}", width, tone="head")
        yield from toll_lines(found.toll, width, "what will not survive:")
        yield from left_lines(found.left, width)
        rows = Receipt("migrate", None, entries=tuple(found.done.entries))
        yield from receipt_lines(rows, width)
        for said in self._aside():
            yield from sentence(said, width)
        if found.idle:
            whole = "" if found.done.buried or found.unsent else f": {found.remote} has it all"
            yield Line(f"nothing to migrate{whole}", "head")

    def _aside(self) -> Iterator[str]:
        found, done = self.found, self.found.done
        if done.matched:
            yield f"taken over, because it says the same: {_both(done.matched)}"
        if done.twins:
            yield (
                f"{found.remote} has datasets of these names already; --match takes them over,"
                f" else there will be two: {_some(list(dict.fromkeys(done.twins)))}"
            )
        if found.unsent:
            much = counted(found.unsent, "pending change")
            yield f"{much} of {found.source} not pushed yet, and so not copied"
        if found.unread:
            much = counted(len(found.unread), "record")
            yield f"{much} of {found.source} cannot be read, and go as last read, if ever"
        if done.gone and not any(c.action == "delete" for c in found.plan.changes):
            yield (
                f"{found.source} no longer has the originals of {_both(done.gone)}; they stay,"
                " and --delete-missing deletes them"
            )
        if done.buried:
            yield (
                f"deleted in {found.remote} since they were copied: {_both(done.buried)}; they stay"
                " so until their originals change, and dssync undelete brings them back"
            )
        if self.apart:
            yield f"left alone, because they are no copies: {_both(self.apart)} of {found.remote}"

    def plan_lines(self, width: int) -> Iterator[Line]:
        """Draw the plan: what is changed field by field, what is made by dataset, with counts."""
        plan = self.found.plan
        changed = [change for change in plan.changes if change.action != "create"]
        if changed or plan.conflicts:
            yield from list(plan_lines(Plan.of(changed, plan.conflicts), width))[:-1]
        made = [change for change in plan.changes if change.action == "create"]
        if made:
            yield Line(f"{self.found.remote}, to be made", "head")
        homes = {each.label if each.kind == "dataset" else each.where: each for each in made}
        fresh = Counter(each.label for each in made if each.kind == "dataset")
        inside = Counter(each.where for each in made if each.kind == "item")
        for home in sorted(homes):
            alike = f"{fresh[home]:,} datasets called" if fresh[home] > 1 else "dataset"
            noun = alike if home in fresh else "in dataset"
            items = f", {counted(inside[home], 'item')}" if inside[home] else ""
            yield from sentence(f"{noun} {quoted(home)}{items}", width, "  + ", "    ", tone="add")
        yield Line(f"{summary(plan)}{'; -n shows all of it' if made else ''}.")

    def draw(self, screen: Screen) -> None:
        """Print the plan of a dry one."""
        plan = self.found.plan
        if self.dry and (plan.changes or plan.conflicts):
            consent = f"the same with --checksum {plan.digest}"
            screen.data([*plan_lines(plan, screen.width), *digest_lines(plan, consent)])


def shown_before(receipt: Receipt, shown: Iterable[Entry]) -> Receipt:
    """Return the rows that need no word more: what was verified, and what was told before."""
    told = set(shown)
    rows = [e for e in receipt.entries if e in told or (e.outcome == "applied" and _fine(e))]
    return Receipt(receipt.command, None, entries=tuple(rows))


def _fine(entry: Entry) -> bool:
    return entry.reason == "verified" or entry.reason.startswith("verified, and complete")


def _both(counts: Mapping[KindName, int]) -> str:
    return " and ".join(counted(count, kind) for kind, count in counts.items())


def _some(names: list[str]) -> str:
    more = f", and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{', '.join(map(quoted, names[:NAMED]))}{more}"
