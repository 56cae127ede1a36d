"""What was edited here and a push would send, as typed values."""

from dataclasses import dataclass, field
from typing import Any

from dssync.core.fields import KINDS, KindName, Stored
from dssync.core.merge import Reason
from dssync.core.plan import Action, Change, Conflicted, Plan
from dssync.library.values import decode


@dataclass(frozen=True, slots=True)
class _OfField:
    """Values of one field, as the mirror stores them; they are read when somebody asks."""

    kind: KindName
    key: str
    field: str

    def _read(self, stored: Stored) -> Any:
        return decode(KINDS[self.kind].by_name[self.field], stored, f"{self.kind} {self.key}")


@dataclass(frozen=True, slots=True)
class Edit(_OfField):
    """One field of one change."""

    _before: Stored = field(repr=False)
    _after: Stored = field(repr=False)

    @property
    def before(self) -> Any:
        """What the server holds."""
        return self._read(self._before)

    @property
    def after(self) -> Any:
        """What a push sends."""
        return self._read(self._after)


@dataclass(frozen=True, slots=True)
class Sides(_OfField):
    """One field that both sides changed in different ways, and why it is a conflict."""

    reason: Reason
    _base: Stored = field(repr=False)
    _ours: Stored = field(repr=False)
    _theirs: Stored = field(repr=False)

    @property
    def base(self) -> Any:
        """What both sides last agreed on."""
        return self._read(self._base)

    @property
    def ours(self) -> Any:
        """What the working copy holds."""
        return self._read(self._ours)

    @property
    def theirs(self) -> Any:
        """What the server holds."""
        return self._read(self._theirs)


@dataclass(frozen=True, slots=True)
class _OfRecord:
    """Which record is meant; `label` and `where` are a dataset's name, and that of an item's."""

    remote: str
    kind: KindName
    key: str
    id: str | None
    label: str
    where: str


@dataclass(frozen=True, slots=True)
class PendingChange(_OfRecord):
    """What a push would do to one record."""

    action: Action
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class PendingConflict(_OfRecord):
    """A record that stays out of a push until `dssync resolve` settles it."""

    sides: tuple[Sides, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """Everything that was edited here; `digest` is what `dssync diff` shows for it."""

    changes: tuple[PendingChange, ...]
    conflicts: tuple[PendingConflict, ...]
    digest: str

    @classmethod
    def of(cls, plan: Plan) -> "Pending":
        """Give a plan's changes as typed values."""
        changes = tuple(map(_change, plan.changes))
        return cls(changes, tuple(map(_conflict, plan.conflicts)), plan.digest)


def _change(change: Change) -> PendingChange:
    edits = (Edit(change.kind, change.key, d.field, d.before, d.after) for d in change.deltas)
    return PendingChange(*_record(change), change.action, tuple(edits))


def _conflict(found: Conflicted) -> PendingConflict:
    sides = (
        Sides(found.kind, found.key, c.field, c.reason, c.base, c.ours, c.theirs)
        for c in found.conflicts
    )
    return PendingConflict(*_record(found), tuple(sides))


def _record(found: Change | Conflicted) -> tuple[str, KindName, str, str | None, str, str]:
    return found.remote, found.kind, found.key, found.id, found.label, found.where
