"""Sum up what a remote held at the end of a complete pull, and seal every row of history.

Revision ID: 0004
Revises: 0003
"""

from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the snapshots, and seal what history there is as it stands."""
    op.create_table(
        "snapshots",
        sa.Column("remote", sa.Text, primary_key=True),
        sa.Column("run", sa.Integer, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("taken_at", sa.Text, nullable=False),
        sa.Column("datasets", sa.Integer, nullable=False),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("unread", sa.Text, nullable=False),
        sa.Column("total", sa.LargeBinary, nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
    )
    for table in ("datasets_history", "items_history"):
        op.add_column(table, sa.Column("seal", sa.LargeBinary))
        _seal(op.get_bind(), table)


def _seal(connection: sa.Connection, table: str) -> None:
    found = connection.exec_driver_sql(f"PRAGMA table_info({table})").fetchall()
    names = ", ".join(row[1] for row in found if row[1] != "seal")
    rows = connection.exec_driver_sql(f"SELECT rowid, {names} FROM {table}").fetchall()
    for rowid, *values in rows:
        seal = blake2b(b"".join(_framed(value) for value in values), digest_size=16).digest()
        connection.exec_driver_sql(f"UPDATE {table} SET seal = ? WHERE rowid = ?", (seal, rowid))


def _framed(value: object) -> bytes:
    name, content = type(value).__name__.encode(), value
    if not isinstance(content, bytes):
        content = str(content).encode("utf-8", "surrogatepass")
    return b"%b %d:%b" % (name, len(content), content)
