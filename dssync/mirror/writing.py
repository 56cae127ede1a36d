"""Apply edits that were made elsewhere, each only where the record still is what was read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dssync.core.fields import KINDS, Field, Stored, Values
from dssync.core.join import Mark, join
from dssync.core.pointer import to_stored
from dssync.core.values import BadJson, equal, parse
from dssync.errors import UnknownRecord
from dssync.mirror import edits, records
from dssync.mirror.records import Record
from dssync.mirror.transaction import Transaction

SHOWN = 40
"""So much of a value is shown where it was overtaken."""


@dataclass(frozen=True, slots=True)
class Overtake:
    """A field that changed after it was read, in another way; without a field: the whole record."""

    record: Record
    field: str
    was: Stored = None
    now: Stored = None
    wanted: Stored = None

    def __str__(self) -> str:
        """Say it in one line: record, field, the three values."""
        name = f"{self.record.kind} {self.record.label}"
        if not self.field:
            return f"{name} was dropped"
        if self.field == "deleted":
            return f"{name} was deleted"
        sides = (("was", self.was), ("is now", self.now), ("you wrote", self.wanted))
        said = ", ".join(f"{word} {_short(value)}" for word, value in sides)
        return f"{name}: {self.field} {said}"


def write(tx: Transaction, record: Record, wanted: Values) -> Iterator[Overtake]:
    """Set fields of a record as it was read, joining what changed since where both can hold.

    Yields what cannot be joined; then the record stays as it is.
    """
    try:
        now = records.get(tx, record.kind, record.key)
    except UnknownRecord:
        yield Overtake(record, "")
        return
    if now.deleted and not record.deleted and not wanted.get("deleted"):
        yield Overtake(record, "deleted", 0, 1, 0)
        return
    values, overtaken = _joined(record, now, wanted)
    yield from overtaken
    if values and not overtaken:
        edits.change(tx, record.kind, record.key, values)


def _joined(
    record: Record, now: Record, wanted: Values
) -> tuple[Mapping[str, Stored], list[Overtake]]:
    values: dict[str, Stored] = {}
    overtaken: list[Overtake] = []
    for name, value in wanted.items():
        field = KINDS[record.kind].by_name[name]
        was, is_now = record.values[name], now.values[name]
        joined = _join(field, was, is_now, value)
        if isinstance(joined, Mark):
            overtaken.append(Overtake(record, name, was, is_now, value))
        elif not equal(field, joined, is_now):
            values[name] = joined
    return values, overtaken


def _join(field: Field, was: Stored, now: Stored, wanted: Stored) -> Stored | Mark:
    if equal(field, now, was) or equal(field, now, wanted):
        return wanted
    if field.type != "json":
        return Mark.CLASH
    try:
        joined = join(parse(was), parse(now), parse(wanted))
    except BadJson:
        return Mark.CLASH
    return joined if isinstance(joined, Mark) else to_stored(field, joined)


def _short(value: Stored) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
