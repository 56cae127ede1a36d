"""Records of the working copy: one in full, or many in a table."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.difference import readable, shown
from dssync.cli.render.names import title
from dssync.cli.render.screen import Screen
from dssync.cli.render.table import Table
from dssync.cli.render.text import Line, plain_json
from dssync.cli.render.view import Document
from dssync.core.fields import KINDS, KindName, Spot
from dssync.core.values import Json

if TYPE_CHECKING:
    from dssync.mirror import Record

Pending = Mapping[Spot, str]
"""What a push has to do with records, in a word."""

DAY = len("2026-11-23")
"""So much of a time is shown where names and texts need the room."""

COLUMNS: dict[KindName, tuple[str, ...]] = {
    "dataset": ("key", "name", "remote", "updated_at", "state"),
    "item": ("key", "input", "expected_output", "updated_at", "state"),
}


@dataclass(frozen=True, slots=True)
class RecordView:
    """Shows one record in full; `pending` says what a push has to do with it, if anything."""

    record: "Record"
    pending: str

    def json(self) -> Document:
        """Return the record for programs."""
        return record_json(self.record, self.pending)

    def draw(self, screen: Screen) -> None:
        """Print the record for people on a terminal, as JSON elsewhere."""
        if screen.out.isatty():
            screen.data(_record_lines(self.record, self.pending))
        else:
            screen.document(self.json(), indent=2)


@dataclass(frozen=True, slots=True)
class RecordsView:
    """Shows records in a table, in the order given; `pending` has those that a push is about."""

    kind: KindName
    records: Iterable["Record"]
    pending: Pending

    def json(self) -> Document:
        """Return the records for programs."""
        return {
            f"{self.kind}s": [record_json(record, self._pending(record)) for record in self.records]
        }

    def draw(self, screen: Screen) -> None:
        """Print the table."""
        cut = DAY if screen.out.isatty() else None
        rows = (self._cells(record, cut) for record in self.records)
        screen.table(Table(COLUMNS[self.kind], rows, whole=("remote", "updated_at", "state")))

    def _cells(self, record: "Record", cut: int | None) -> tuple[str, ...]:
        facts = {
            "key": record.key,
            "remote": record.remote,
            "updated_at": (record.updated_at or "")[:cut],
            "state": state(record, self._pending(record)),
        }
        columns = COLUMNS[self.kind]
        return tuple(facts[n] if n in facts else _cell(record, n) for n in columns)

    def _pending(self, record: "Record") -> str:
        return self.pending.get(record.spot, "")


def _cell(record: "Record", name: str) -> str:
    value = readable(KINDS[record.kind].by_name[name], record.values[name])
    return value if isinstance(value, str) else shown(value)


def state(record: "Record", pending: str) -> str:
    """Say in a word how a record stands against the server; nothing for one that is the same."""
    return pending or ("deleted" if record.deleted else "")


def record_json(record: "Record", pending: str) -> Document:
    """Return a record for programs; values are JSON, not the mirror's text."""
    return {
        "kind": record.kind,
        "key": record.key,
        "id": record.id,
        "remote": record.remote,
        "state": state(record, pending),
        "values": _values(record),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "created_by": record.created_by,
        "absent_since": record.absent_since,
        "run": record.run,
    }


def _values(record: "Record") -> dict[str, Json]:
    return {
        field.name: readable(field, record.values[field.name])
        for field in KINDS[record.kind].fields
    }


def _record_lines(record: "Record", pending: str) -> Iterator[Line]:
    yield Line(title(record.kind, record.label, record.key), "head")
    facts = (
        ("key", record.key),
        ("remote", record.remote),
        ("state", state(record, pending)),
        ("created", _by(record)),
        ("updated", record.updated_at or ""),
    )
    for name, text in facts:
        if text:
            yield Line(f"  {name:<9}{text}", "dim")
    if pending == "conflict":
        yield Line(f"  settle it: dssync resolve {plain_json(record.key)}", "conflict")
    for name, value in _values(record).items():
        yield from _value_lines(name, value)


def _by(record: "Record") -> str:
    by = f" by {record.created_by}" if record.created_by else ""
    return f"{record.created_at}{by}" if record.created_at else ""


def _value_lines(name: str, value: Json) -> Iterator[Line]:
    if value is None or value is False:
        return
    if isinstance(value, str):
        text = value
    else:
        text = plain_json(json.dumps(value, ensure_ascii=False, indent=2))
    yield Line(f"{name}:", "head")
    yield from (Line(f"  {line}") for line in text.split("\n"))
