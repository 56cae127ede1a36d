"""A plan: changes and conflicts, sorted, with a digest; a value made without I/O."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal

from dssync.core.fields import KINDS, KindName, Names, Spot, Stored
from dssync.core.merge import Conflict
from dssync.core.values import stored_form

Action = Literal["create", "update", "delete", "undelete"]

ORDER: tuple[tuple[Action, KindName], ...] = (
    ("create", "dataset"),
    ("undelete", "dataset"),
    ("update", "dataset"),
    ("create", "item"),
    ("undelete", "item"),
    ("update", "item"),
    ("delete", "item"),
    ("delete", "dataset"),
)
"""Parents before children, undelete before the edits of what it brings back, deletes last."""

_RANK = {step: rank for rank, step in enumerate(ORDER)}


@dataclass(frozen=True, slots=True)
class Delta:
    """One field of one change: what the server holds, and what it will be sent."""

    field: str
    before: Stored
    after: Stored


def referred(deltas: Iterable[Delta]) -> set[Stored]:
    """Return the keys of the datasets that these values refer to."""
    return {side for d in deltas if d.field == "dataset" for side in (d.before, d.after)}


@dataclass(frozen=True, slots=True)
class Change:
    """What will happen to one record.

    `label` is how people know the record; `where` is the dataset an item lies in, and `names` are
    those of the datasets that its values refer to, for reading.
    """

    remote: str
    kind: KindName
    key: str
    id: str | None
    action: Action
    deltas: tuple[Delta, ...]
    label: str = ""
    where: str = ""
    names: Names = field(default=(), compare=False)

    @property
    def spot(self) -> Spot:
        """Name the record."""
        return self.kind, self.key

    @property
    def order(self) -> tuple[str, int, str, str]:
        """Sort by remote, then by what must go first, then by place and key."""
        return self.remote, _RANK[self.action, self.kind], self.where, self.key

    @property
    def after(self) -> dict[str, Stored]:
        """Return the fields to send, with their values."""
        return {delta.field: delta.after for delta in self.deltas}

    @property
    def digest(self) -> str:
        """Return 16 hex digits over what would be sent, and over what.

        Values count as the server stores them, so `1e2` and `100.0` are the same change.
        """
        fields = KINDS[self.kind].by_name
        deltas = [
            [d.field, *(stored_form(fields[d.field], side) for side in (d.before, d.after))]
            for d in self.deltas
        ]
        return _digest([self.remote, self.kind, self.key, self.id, self.action, deltas])


@dataclass(frozen=True, slots=True)
class Conflicted:
    """A record that stays out of a push until somebody decides, and why."""

    remote: str
    kind: KindName
    key: str
    id: str | None
    conflicts: tuple[Conflict, ...]
    label: str = ""
    where: str = ""
    names: Names = field(default=(), compare=False)

    @property
    def spot(self) -> Spot:
        """Name the record."""
        return self.kind, self.key


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a push would do, and what it would leave alone."""

    changes: tuple[Change, ...]
    conflicts: tuple[Conflicted, ...] = ()

    @classmethod
    def of(cls, changes: Iterable[Change], conflicts: Iterable[Conflicted] = ()) -> "Plan":
        """Sort changes and conflicts into a plan."""
        return cls(
            tuple(sorted(changes, key=lambda change: change.order)),
            tuple(sorted(conflicts, key=lambda c: (c.remote, c.kind, c.where, c.key))),
        )

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def digest(self) -> str:
        """Return 16 hex digits over all that would be sent; names for reading do not count."""
        return _digest(sorted(change.digest for change in self.changes))

    def counts(self) -> Mapping[Action, int]:
        """Count the changes by action; actions without any are left out."""
        actions: tuple[Action, ...] = ("create", "update", "delete", "undelete")
        found = {action: sum(c.action == action for c in self.changes) for action in actions}
        return {action: count for action, count in found.items() if count}

    def deletions(self) -> Mapping[tuple[str, str], int]:
        """Count what would be deleted, by remote and kind."""
        lost: dict[tuple[str, str], int] = {}
        for change in self.changes:
            if change.action == "delete":
                lost[change.remote, change.kind] = lost.get((change.remote, change.kind), 0) + 1
        return lost


def _digest(facts: object) -> str:
    return blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()
