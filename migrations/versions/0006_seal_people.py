"""Seal who made records, so that `verify` can tell a profile that nobody sent.

Revision ID: 0006
Revises: 0005
"""

from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Seal the people there are as they stand."""
    op.add_column("people", sa.Column("seal", sa.LargeBinary))
    connection = op.get_bind()
    for id, profile in connection.exec_driver_sql("SELECT id, profile FROM people").fetchall():
        seal = blake2b(_framed(id) + _framed(profile), digest_size=16).digest()
        connection.exec_driver_sql("UPDATE people SET seal = ? WHERE id = ?", (seal, id))


def _framed(text: str) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return b"str %d:%b" % (len(content), content)
