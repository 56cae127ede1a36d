"""Whether a record whose creation got no answer was made after all.

Of the records made since the request left, by the server's own clock, and not known to have come
from elsewhere:

| equal to what was sent | edited since they were made | time since | verdict             |
|------------------------|-----------------------------|------------|---------------------|
| one                    |                             |            | it is the one       |
| several                |                             |            | nobody can tell     |
| none                   | some                        |            | nobody can tell     |
| none                   | none                        | 2 min      | it was not made     |
| none                   | none                        | less       | it may still appear |
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dssync.core.fields import KINDS, KindName, Values
from dssync.core.values import equal

SETTLED = timedelta(minutes=2)
"""After so long by the server's clock, a request that left no trace never will."""

MARGIN = timedelta(seconds=5)
"""The Date of an answer has whole seconds, and several machines may stand behind a host."""

AT_BIRTH = timedelta(seconds=1)
"""A new record's two times differ by microseconds; further apart, somebody has edited it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that may be the one: its id, what the server holds, and when it was made and edited.

    `edited` tells that the mirror has it as a record of its own, and somebody edited that here.
    """

    id: str
    values: Values
    created_at: datetime
    updated_at: datetime
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: the values that were sent, and when, by the server's clock.

    `edited` tells that somebody has edited the record here since.
    """

    kind: KindName
    sent: Values
    sent_at: datetime
    edited: bool = False

    @property
    def since(self) -> datetime:
        """Return the time before which it cannot have been made."""
        return self.sent_at - MARGIN


@dataclass(frozen=True, slots=True)
class Adopt:
    """It is the record with this id."""

    id: str


@dataclass(frozen=True, slots=True)
class NotMade:
    """It surely was not made, so it may be sent again."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nobody can tell; `reason` says why, and `candidates` are the ids among which it may be."""

    reason: str
    candidates: tuple[str, ...] = ()


Adoption = Adopt | NotMade | Undecided


def decide(sought: Sought, candidates: Sequence[Candidate], now: datetime) -> Adoption:
    """Judge a create in doubt; `now` is the server's time when it began to show the candidates."""
    equals = [c for c in candidates if same_content(sought.kind, sought.sent, c.values)]
    if len(equals) == 1:
        return _adopt(sought, equals[0])
    if equals:
        reason = f"any of {len(equals)} equal records made since may be it"
        return Undecided(reason, tuple(c.id for c in equals))
    if edited := tuple(c.id for c in candidates if _perhaps_edited(sought, c)):
        return Undecided("it may have been made, and edited there since", edited)
    if now - sought.sent_at >= SETTLED:
        return NotMade()
    return Undecided("it is not there yet, and for two minutes it may still appear")


def fitting(sought: Sought, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """Yield those that may be the record that is looked for."""
    for candidate in candidates:
        same = same_content(sought.kind, sought.sent, candidate.values)
        if same or _perhaps_edited(sought, candidate):
            yield candidate


def same_content(kind: KindName, left: Values, right: Values) -> bool:
    """Tell whether two records hold the same; a field that one of them lacks counts as null."""
    fields = KINDS[kind].fields
    return all(equal(field, left.get(field.name), right.get(field.name)) for field in fields)


def _adopt(sought: Sought, found: Candidate) -> Adoption:
    if sought.edited and found.edited:
        return Undecided("it was made, but edited there and here", (found.id,))
    return Adopt(found.id)


def _perhaps_edited(sought: Sought, candidate: Candidate) -> bool:
    """Tell whether it can be what was sent, changed since; later than two minutes it cannot be."""
    if candidate.created_at > sought.sent_at + SETTLED + MARGIN:
        return False
    return candidate.updated_at - candidate.created_at > AT_BIRTH
