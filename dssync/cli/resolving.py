"""Conflicts settled one by one: by a choice for all of them, in an editor, or by asking."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from dssync.cli.context import Context
from dssync.cli.editor import edit_text
from dssync.cli.render.names import title
from dssync.cli.render.resolve import Settled, SettledView, conflict_lines, heading
from dssync.cli.render.resolve_sheet import Mistake, Sheet, is_empty, with_mistake
from dssync.cli.render.text import counted
from dssync.core.fields import KINDS, Stored
from dssync.core.merge import Conflict
from dssync.core.plan import Conflicted
from dssync.core.resolve import Choice, Edited, Unresolved
from dssync.core.rules import reasons
from dssync.errors import Declined, UsageError
from dssync.mirror import Mirror, Record
from dssync.sync import make_plan
from dssync.sync.resolver import still_unresolved

Way = Literal["ours", "theirs", "edit"]

_SAID = {"ours": "ours", "theirs": "theirs", "edited": "what you wrote"}

_ANSWERS: dict[str, Way] = {"o": "ours", "t": "theirs", "e": "edit"}


def chosen_way(*, ours: bool, theirs: bool, edit: bool) -> Way | None:
    """Return the one choice that was given. Raises UsageError for several."""
    ways: dict[Way, bool] = {"ours": ours, "theirs": theirs, "edit": edit}
    given = [way for way, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"--{' and --'.join(given)} cannot both be kept", hint="give one of them")
    return given[0] if given else None


@dataclass(slots=True)
class Resolving:
    """Settles conflicts by `way`, else by asking; of some fields, else of all.

    Every decision is kept at once, so whoever stops half-way loses nothing.
    """

    context: Context
    mirror: Mirror
    way: Way | None
    fields: Sequence[str]
    settled: list[Settled] = field(default_factory=list)

    def go(self, record: Record | None, found: Sequence[Unresolved]) -> int:
        """Settle one record, or every one in conflict. Raises UsageError, Declined."""
        meant = [u for u in found if record is None or _is(u.conflicted, record)]
        if record is not None:
            self._refuse_others(record, meant)
        if meant and self.way is None and not self.context.screen.interactive:
            raise UsageError(
                "there is nobody to ask which side to keep, so nothing was settled",
                hint="add --ours or --theirs; `dssync resolve` shows the conflicts",
            )
        if not meant:
            what = "nothing" if record is None else title(record.kind, record.label, record.key)
            self.context.tell(f"{what} is {'' if record is None else 'not '}in conflict")
        finished = all(self._settle(each) for each in meant)
        if self.way == "edit" and meant and not self.settled:
            raise Declined(
                "nothing was decided, so nothing was settled",
                hint="keep a side with --ours or --theirs; `dssync resolve` shows the conflicts",
            )
        return self._finish(finished)

    def _finish(self, finished: bool) -> int:
        pending = make_plan(self.mirror)
        if not finished:
            kept = counted(len(self.settled), "decision")
            self.context.tell(f"stopped; {kept} kept")
        return self.context.finish(SettledView(self.settled, pending), pending=pending)

    def _refuse_others(self, record: Record, found: Sequence[Unresolved]) -> None:
        known = [c.field for each in found for c in each.conflicted.conflicts]
        for name in self.fields:
            if name not in known:
                raise UsageError(
                    f"{name} of {title(record.kind, record.label, record.key)} is not in conflict",
                    hint=f"in conflict: {', '.join(known) or 'nothing'}",
                )

    def _settle(self, each: Unresolved) -> bool:
        """Settle a record; False when whoever was asked wants to stop."""
        if self.way in ("ours", "theirs"):
            conflicts = self._meant(each)
            self._keep(each.conflicted, conflicts, self.way)
            return True
        return self._one_by_one(each)

    def _meant(self, each: Unresolved) -> list[Conflict]:
        """Return the conflicts that are meant; whether the record lives at all comes first."""
        found = [c for c in each.conflicted.conflicts if not self.fields or c.field in self.fields]
        return sorted(found, key=lambda conflict: conflict.field != "deleted")

    def _one_by_one(self, each: Unresolved) -> bool:
        done: set[str] = set()
        if self.way is None:
            self.context.screen.warn([heading(each.conflicted)])
        now: Unresolved | None = each
        while now is not None:
            conflict = next((c for c in self._meant(now) if c.field not in done), None)
            if conflict is None:
                return True
            done.add(conflict.field)
            if not self._decide(now, conflict):
                return False
            now = still_unresolved(self.mirror, each.conflicted)
        return True

    def _decide(self, each: Unresolved, conflict: Conflict) -> bool:
        way = self.way or self._ask(each, conflict)
        if way is None:
            return False
        if way == "edit":
            self._edit(each.conflicted, conflict)
        elif way != "skip":
            self._keep(each.conflicted, [conflict], way)
        return True

    def _ask(self, each: Unresolved, conflict: Conflict) -> Way | Literal["skip"] | None:
        screen = self.context.screen
        screen.warn(conflict_lines(each, conflict, screen.width))
        flag = conflict.field == "deleted"
        edit = "" if flag else "[e]dit, "
        letters = "otsq" if flag else "otesq"
        answer = screen.choose(f"  keep [o]urs, [t]heirs, {edit}[s]kip, [q]uit?", letters)
        return "skip" if answer == "s" else _ANSWERS.get(answer)

    def _keep(
        self, record: Conflicted, conflicts: Sequence[Conflict], choice: Literal["ours", "theirs"]
    ) -> None:
        self._write(record, conflicts, choice, choice)

    def _write(
        self, record: Conflicted, conflicts: Sequence[Conflict], choice: Choice, said: str
    ) -> None:
        shown = {conflict.field: conflict for conflict in conflicts}
        self.mirror.resolve(record.kind, record.key, dict.fromkeys(shown, choice), shown)
        name = title(record.kind, record.label, record.key)
        for each in conflicts:
            self.context.tell(f"kept {_SAID[said]}: {_outcome(each, name, choice)}")
            self.settled.append(Settled(record, each.field, said))

    def _edit(self, record: Conflicted, conflict: Conflict) -> None:
        """Have the value written; nothing is decided by an empty or unchanged one."""
        name = title(record.kind, record.label, record.key)
        if conflict.field == "deleted":
            self.context.tell(f"whether {name} is deleted is decided with --ours or --theirs")
            return
        sheet = Sheet(name, KINDS[record.kind].by_name[conflict.field], conflict)
        value = self._written(sheet, record.remote)
        if value is None:
            self.context.tell(f"nothing was written, so {conflict.field} is still in conflict")
        else:
            self._write(record, [conflict], value, "edited")

    def _written(self, sheet: Sheet, remote: str) -> Edited | None:
        """Return what a person wrote; the sheet opens again until it can be the value."""
        text = sheet.text()
        while True:
            saved = edit_text(text, sheet.name)
            if saved == text or is_empty(saved):
                return None
            try:
                return Edited(self._checked(sheet, saved, remote))
            except Mistake as mistake:
                if not self.context.screen.interactive:
                    raise UsageError(f"{sheet.field.name} was not settled: {mistake}") from None
                text = with_mistake(saved, str(mistake))

    def _checked(self, sheet: Sheet, saved: str, remote: str) -> Stored:
        value = sheet.read(saved)
        contracts = {each.name: each.contract for each in self.mirror.remotes()}
        for reason in reasons(sheet.field, value, contracts.get(remote, "classic")):
            raise Mistake(reason)
        return value


def _outcome(conflict: Conflict, name: str, choice: Choice) -> str:
    if conflict.field != "deleted":
        return f"{conflict.field} of {name}"
    deleted = conflict.theirs if choice == "theirs" else conflict.ours
    return f"{name} is deleted" if deleted else f"{name} is not deleted"


def _is(conflicted: Conflicted, record: Record) -> bool:
    return conflicted.spot == record.spot
