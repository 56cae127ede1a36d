"""The mirror's tables. Names and columns are part of the product: people query them.

The tables of each kind derive from `core.fields`. Revisions in `migrations/` carry existing files
here; a test holds the two against each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from dssync.core.fields import KINDS, Field, KindName

metadata = MetaData()

NEW_KEY = text("('new-' || lower(hex(randomblob(8))))")
"""The key of a record made offline, when an INSERT names none."""


def _field_column(field: Field) -> Column[Any]:
    return Column(field.name, Integer if field.type == "flag" else Text)


def _server_columns() -> Iterator[Column[Any]]:
    yield Column("created_at", Text)
    yield Column("updated_at", Text)
    yield Column("created_by", Text)
    yield Column("rest", Text)
    yield Column("absent_since", Text)
    yield Column("run", Integer)
    yield Column("digest", LargeBinary)


def _record_columns(kind: KindName) -> Iterator[Column[Any]]:
    yield Column("id", Text)
    yield Column("remote", Text)
    for field in KINDS[kind].fields:
        yield _field_column(field)
    yield from _server_columns()


@dataclass(frozen=True, slots=True)
class KindTables:
    """The three tables of one kind.

    `live` is the working copy (ours), `pending` holds base and theirs of touched records, and
    `history` what theirs was before.
    """

    live: Table
    pending: Table
    history: Table


def _tables(kind: KindName) -> KindTables:
    name = KINDS[kind].table
    live = Table(
        name,
        metadata,
        Column("key", Text, primary_key=True, nullable=False, server_default=NEW_KEY),
        *_record_columns(kind),
    )
    pending = Table(
        f"{name}_pending",
        metadata,
        Column("key", Text, primary_key=True),
        Column(
            "side",
            Text,
            primary_key=True,
        ),
        *_record_columns(kind),
        Column("pushed_run", Integer),
        Column("reverted", Text),
    )
    history = Table(
        f"{name}_history",
        metadata,
        Column("key", Text, nullable=False),
        *_record_columns(kind),
        Column("until_run", Integer, nullable=False),
        Column("seal", LargeBinary),
    )
    return KindTables(live, pending, history)


TABLES: dict[KindName, KindTables] = {kind: _tables(kind) for kind in KINDS}

Index("items_by_dataset", TABLES["item"].live.c.dataset)
for _kind in TABLES.values():
    Index(f"{_kind.history.name}_by_key", _kind.history.c.key)

gate = Table(
    "gate",
    metadata,
    Column("one", Integer, primary_key=True),
    Column("run", Integer),
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

remotes = Table(
    "remotes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("team", Integer),
    Column("first_run", Integer),
)

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("profile", Text, nullable=False),
    Column("seal", LargeBinary),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("command", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("ended_at", Text),
    Column("exit_code", Integer),
    Column("version", Text, nullable=False),
    Column("plan", Text),
    Column("undoes", Integer),
    Column("troubles", Text),
    Column("notes", Text),
    sqlite_autoincrement=True,
)
Index("runs_by_plan", runs.c.plan, sqlite_where=runs.c.plan.is_not(None))

scans = Table(
    "scans",
    metadata,
    Column("run", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("remote", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("listed", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("absent", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_at", Text, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("remote", Text, primary_key=True),
    Column("run", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("taken_at", Text, nullable=False),
    Column("datasets", Integer, nullable=False),
    Column("items", Integer, nullable=False),
    Column("unread", Text, nullable=False),
    Column("total", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

unreadable = Table(
    "unreadable",
    metadata,
    Column("remote", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("key", Text),
    Column("before_id", Text),
    Column("before_created_at", Text),
    Column("after_id", Text),
    Column("after_created_at", Text),
    Column("first_run", Integer, nullable=False),
    Column("checked_at", Text, nullable=False),
    Column("acknowledged_at", Text),
)

receipts = Table(
    "receipts",
    metadata,
    Column("run", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("remote", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("deltas", Text, nullable=False),
    Column("status", Integer),
    Column("updated_at", Text),
    Column("attempts", Integer, nullable=False),
)
Index("receipts_by_key", receipts.c.kind, receipts.c.key)

journal = Table(
    "journal",
    metadata,
    Column("intent", Integer, primary_key=True),
    Column("run", Integer, ForeignKey("runs.id"), nullable=False),
    Column("remote", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("deltas", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("server_date", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("status", Integer),
    Column("outcome", Text),
    Column("closed_at", Text),
    sqlite_autoincrement=True,
)
Index("journal_open", journal.c.key, sqlite_where=journal.c.closed_at.is_(None))

aliases = Table(
    "aliases",
    metadata,
    Column("remote", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
)
Index("aliases_by_key", aliases.c.kind, aliases.c.key)

links = Table(
    "links",
    metadata,
    Column("remote", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("source_key", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("run", Integer),
    Column("base", Text),
)
Index("links_by_key", links.c.kind, links.c.key)
Index("links_by_source", links.c.kind, links.c.source_key)
