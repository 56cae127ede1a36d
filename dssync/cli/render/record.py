"""Records of the working copy: one in full, or many in a table."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.difference import readable, shown
from dssync.cli.render.names import called, title
from dssync.cli.render.screen import Screen
from dssync.cli.render.table import Table
from dssync.cli.render.text import Line, plain_json, shortened, wrapped
from dssync.cli.render.view import Document
from dssync.core.fields import KINDS, KindName, Names, Spot
from dssync.core.values import Json

if TYPE_CHECKING:
    from dssync.mirror import Record

Pending = Mapping[Spot, str]
"""What a push has to do with records, in a word."""

DAY = len("2026-11-23")
"""So much of a time is shown where names and texts need the room."""

BEGINNING = len("019ca168-34ee…")
"""So much of a key, likewise: an id's millisecond. Any command takes what is shown."""

COLUMNS: dict[KindName, tuple[str, ...]] = {
    "dataset": ("key", "name", "remote", "updated_at", "state"),
    "item": ("key", "input", "expected_output", "updated_at", "state"),
}


@dataclass(frozen=True, slots=True)
class RecordView:
    """Shows one record in full; `pending` says what a push has to do with it, if anything.

    With `at` it is shown as the server had it at the end of that run.
    """

    record: "Record"
    pending: str
    names: Names = ()
    at: int | None = None

    def json(self) -> Document:
        """Return the record for programs."""
        at = {} if self.at is None else {"at": self.at}
        return {**record_json(self.record, self.pending), **at}

    def draw(self, screen: Screen) -> None:
        """Print the record for people on a terminal, as JSON elsewhere."""
        if screen.out.isatty():
            screen.data(self._lines(screen.width))
        else:
            screen.document(self.json(), indent=2)

    def _lines(self, width: int) -> Iterator[Line]:
        yield from _head_lines(self.record, self.pending, self.at)
        for field in KINDS[self.record.kind].fields:
            value = readable(field, self.record.values[field.name])
            if field.type == "reference":
                value = called(str(value), self.names)
            yield from _value_lines(field.name, value, width)


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
        rows = (self._cells(record, screen.out.isatty()) for record in self.records)
        whole = ("key", "remote", "updated_at", "state")
        screen.table(Table(COLUMNS[self.kind], rows, whole=whole))

    def _cells(self, record: "Record", cut: bool) -> tuple[str, ...]:
        updated = record.updated_at or ""
        facts = {
            "key": shortened(record.key, BEGINNING) if cut else record.key,
            "remote": record.remote,
            "updated_at": updated[:DAY] if cut else updated,
            "state": state(record, self._pending(record)),
        }
        columns = COLUMNS[self.kind]
        return tuple(facts[n] if n in facts else _cell(record, n, cut) for n in columns)

    def _pending(self, record: "Record") -> str:
        return self.pending.get(record.spot, "")


def _cell(record: "Record", name: str, cut: bool) -> str:
    value = readable(KINDS[record.kind].by_name[name], record.values[name])
    value = gist(value) if cut else value
    return value if isinstance(value, str) else shown(value)


def gist(value: Json) -> Json:
    """Return what tells a value from others where there is little room.

    That is the last thing a user says in a chat: chats of one dataset begin alike.
    """
    said = value.get("messages") if isinstance(value, dict) else value
    turns = said if isinstance(said, list) else []
    users = [turn for turn in turns if isinstance(turn, dict) and turn.get("role") == "user"]
    last = users[-1].get("content") if users else None
    return last if isinstance(last, str) else value


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


def _head_lines(record: "Record", pending: str, at: int | None) -> Iterator[Line]:
    yield Line(title(record.kind, record.label, record.key), "head")
    facts = (
        ("key", record.key),
        ("remote", record.remote),
        ("as of", "" if at is None else f"run {at}"),
        ("state", state(record, pending)),
        ("created", _by(record)),
        ("updated", record.updated_at or ""),
    )
    for name, text in facts:
        if text:
            yield Line(f"  {name:<9}{text}", "dim")
    if pending == "conflict":
        yield Line(f"  settle it: dssync resolve {plain_json(record.key)}", "conflict")


def _by(record: "Record") -> str:
    by = f" by {record.created_by}" if record.created_by else ""
    return f"{record.created_at}{by}" if record.created_at else ""


def _value_lines(name: str, value: Json, width: int) -> Iterator[Line]:
    """Draw a value: text in paragraphs, JSON as it is, so that it can be copied."""
    if value is None or value is False:
        return
    yield Line(f"{name}:", "head")
    if isinstance(value, str):
        for paragraph in value.split("\n"):
            yield from map(Line, wrapped(paragraph, width, "  ", "  "))
    else:
        text = plain_json(json.dumps(value, ensure_ascii=False, indent=2))
        yield from (Line(f"  {line}") for line in text.split("\n"))
