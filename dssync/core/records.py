"""The shapes that travel between the server's side, the decisions, and the mirror."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from dssync.core.fields import KINDS, KindName, Spot, Stored, Values

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Reading(Protocol):
    """One record as a list or a single read showed it; its values are made only when asked for."""

    @property
    def id(self) -> str:
        """The server's id."""
        ...

    @property
    def digest(self) -> bytes:
        """The digest that `row` would have, found without reading any value."""
        ...

    @property
    def position(self) -> "Position":
        """Where the record stands in the default order of its list."""
        ...

    def row(self) -> "Row":
        """Return the record under dssync's names. Raises WrongTarget where it is not the API's."""
        ...


PARENT = KINDS["item"].names.index("dataset")
"""Where an item's dataset stands among its fields."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who made a record: a lasting id, and the profile as JSON text, which may change by itself."""

    id: str
    profile: str


class Row(NamedTuple):
    """What the server holds of one record.

    `fields` has every field of the kind in the kind's order, JSON as the server's own text, and
    `dataset` as the parent's *id*, which the mirror turns into a key. `rest` is a JSON object of
    the server's other fields, unknown ones included.
    """

    kind: KindName
    id: str
    fields: tuple[Stored, ...]
    created_at: str
    updated_at: str
    created_by: Person | None
    rest: str
    digest: bytes

    @property
    def values(self) -> dict[str, Stored]:
        """Return the fields by dssync's names."""
        return dict(zip(KINDS[self.kind].names, self.fields, strict=True))


class Position(NamedTuple):
    """Where a record stands in the default list order: newest first, then by id.

    `newness` falls along the list, so it is kept negated (microseconds before the epoch); smaller
    positions come first.
    """

    newness: int
    id: str

    @classmethod
    def of(cls, created_at: str, id: str) -> "Position":
        """Read a server's timestamp. Raises ValueError."""
        moment = datetime.fromisoformat(created_at)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return cls(-((aware - _EPOCH) // _MICROSECOND), id)

    @property
    def created_at(self) -> str:
        """Return the time as text again, RFC 3339 in UTC with microseconds."""
        return (_EPOCH - self.newness * _MICROSECOND).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Triple:
    """The three values of one touched record, as the mirror holds them.

    A create has neither `base` nor `theirs`. `absent` tells that the server no longer shows the
    record. While `pushed_run` is set, what that run sent waits to be seen again by a later read;
    `reverted` names the sent fields that were found back at their old value.
    """

    kind: KindName
    key: str
    id: str | None
    remote: str
    ours: Values
    base: Values | None
    theirs: Values | None
    absent: bool = False
    pushed_run: int | None = None
    reverted: frozenset[str] = frozenset()

    @property
    def spot(self) -> Spot:
        """Name the record."""
        return self.kind, self.key

    def sides(self) -> tuple[Values, Values]:
        """Return base and theirs. Raises ValueError for a create, which has neither."""
        if self.base is None or self.theirs is None:
            raise ValueError(f"{self.key} was made here and has no base to merge with")
        return self.base, self.theirs


__all__ = ["Person", "Position", "Reading", "Row", "Stored", "Triple", "Values"]
