"""How a record of a snapshot stands against what its server shows of it now."""

from dataclasses import dataclass
from typing import Literal

from dssync.core.fields import KINDS, KindName, Values
from dssync.core.values import differing

Found = Literal["changed", "new", "gone", "unreadable", "damaged"]
"""What a difference is: of these only `damaged` is for certain this mirror's fault."""


@dataclass(frozen=True, slots=True)
class Side:
    """A record as one side has it; `digest` is over what the server sent."""

    values: Values
    updated_at: str | None
    digest: bytes | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that is not the same on both sides; `fields` are those that differ."""

    remote: str
    kind: KindName
    id: str
    found: Found
    fields: tuple[str, ...] = ()


def compare(
    remote: str, kind: KindName, id: str, held: Side | None, shown: Side | None
) -> Difference | None:
    """Judge one record; None where both sides say the same, or neither has it.

    A server that changes a record also changes its `updated_at`. Where that is the same and the
    content is not, something happened to the content here.
    """
    if held is None or shown is None:
        found: Found = "new" if held is None else "gone"
        return None if held is shown else Difference(remote, kind, id, found)
    if held.digest == shown.digest:
        return None
    fields = differing(KINDS[kind].fields, held.values, shown.values)
    if held.updated_at != shown.updated_at:
        return Difference(remote, kind, id, "changed", fields)
    # Fields alike: then it is the server that tells more of its records, or less, than it did.
    return Difference(remote, kind, id, "damaged" if fields else "changed", fields)
