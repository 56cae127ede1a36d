"""Whether a record whose creation got no answer was made after all."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from dssync.core.fields import KINDS, KindName, Values
from dssync.core.values import equal

SETTLED = timedelta(minutes=2)
"""After so long by the server's clock, a request that left no trace never will."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """It is the record with this id."""

    id: str


@dataclass(frozen=True, slots=True)
class NotMade:
    """It surely was not made, so it may be sent again."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nobody can tell yet; `reason` says why."""

    reason: str


Adoption = Adopt | NotMade | Undecided


def decide(equals: Collection[str], waited: timedelta) -> Adoption:
    """Judge by the ids of equal records made since that nobody else accounts for.

    `waited` is the time since the request, by the server's clock.
    """
    if len(equals) > 1:
        return Undecided(f"{len(equals)} equal records were made since, and any may be the one")
    if equals:
        return Adopt(next(iter(equals)))
    if waited >= SETTLED:
        return NotMade()
    return Undecided("it was not found, but it may still appear; it is looked for again later")


def same_content(kind: KindName, sent: Values, seen: Values) -> bool:
    """Tell whether a record holds what was sent, and nothing where nothing was sent."""
    return all(equal(field, sent.get(field.name), seen[field.name]) for field in KINDS[kind].fields)
