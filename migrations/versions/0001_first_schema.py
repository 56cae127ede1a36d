"""The first schema.

Revision ID: 0001
Revises:
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

DATASET = ("name", "description", "metadata")
ITEM = (
    "dataset",
    "input",
    "expected_output",
    "source_output",
    "metadata",
    "trace_id",
    "event_id",
    "trace_timestamp",
    "client_item_id",
)
NEW_KEY = sa.text("('new-' || lower(hex(randomblob(8))))")


def _texts(*names: str, nullable: bool = True) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text, nullable=nullable) for name in names]


def _record(fields: Sequence[str]) -> list[sa.Column[Any]]:
    return [
        *_texts("id", "remote", *fields),
        sa.Column("deleted", sa.Integer),
        *_texts("created_at", "updated_at", "created_by", "rest", "absent_since"),
        sa.Column("run", sa.Integer),
        sa.Column("digest", sa.LargeBinary),
    ]


def _kind(name: str, fields: Sequence[str]) -> None:
    op.create_table(
        name,
        sa.Column("key", sa.Text, primary_key=True, server_default=NEW_KEY),
        *_record(fields),
    )
    op.create_table(
        f"{name}_pending",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        *_record(fields),
        sa.Column("pushed_run", sa.Integer),
        sa.Column("reverted", sa.Text),
    )
    op.create_table(
        f"{name}_history",
        *_texts("key", nullable=False),
        *_record(fields),
        sa.Column("until_run", sa.Integer, nullable=False),
    )
    op.create_index(f"{name}_history_by_key", f"{name}_history", ["key"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        *_texts("command", "started_at", nullable=False),
        *_texts("ended_at"),
        sa.Column("exit_code", sa.Integer),
        *_texts("version", nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "scans",
        sa.Column("run", sa.Integer, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("remote", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        *_texts("outcome", nullable=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("listed", "new", "changed", "unchanged", "absent", "pages")
        ),
        *_texts("reason", "ended_at", nullable=False),
    )
    op.create_table(
        "receipts",
        sa.Column("run", sa.Integer, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("remote", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        *_texts("action", "outcome", "reason", "deltas", nullable=False),
        sa.Column("status", sa.Integer),
        *_texts("updated_at"),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    op.create_index("receipts_by_key", "receipts", ["kind", "key"])


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("intent", sa.Integer, primary_key=True),
        sa.Column("run", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
        *_texts("remote", "kind", "key", "action", "deltas", "opened_at", nullable=False),
        *_texts("server_date"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("status", sa.Integer),
        *_texts("outcome", "closed_at"),
        sqlite_autoincrement=True,
    )
    op.create_index("journal_open", "journal", ["key"], sqlite_where=sa.text("closed_at IS NULL"))


def _rest() -> None:
    op.create_table(
        "gate", sa.Column("one", sa.Integer, primary_key=True), sa.Column("run", sa.Integer)
    )
    op.create_table(
        "meta", sa.Column("name", sa.Text, primary_key=True), *_texts("value", nullable=False)
    )
    op.create_table(
        "remotes",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("host", "scope", "project", "contract", nullable=False),
        sa.Column("team", sa.Integer),
        sa.Column("first_run", sa.Integer),
    )
    op.create_table(
        "people", sa.Column("id", sa.Text, primary_key=True), *_texts("profile", nullable=False)
    )
    op.create_table(
        "unreadable",
        sa.Column("remote", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        *_texts("key", "before_id", "before_created_at", "after_id", "after_created_at"),
        sa.Column("first_run", sa.Integer, nullable=False),
        *_texts("checked_at", nullable=False),
        *_texts("acknowledged_at"),
    )
    op.create_table(
        "aliases",
        sa.Column("remote", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("key", nullable=False),
    )
    op.create_index("aliases_by_key", "aliases", ["kind", "key"])


def upgrade() -> None:
    """Make every table of the first release."""
    _kind("datasets", DATASET)
    _kind("items", ITEM)
    op.create_index("items_by_dataset", "items", ["dataset"])
    _runs()
    _journal()
    _rest()
    op.execute("INSERT INTO gate (one) VALUES (1)")
