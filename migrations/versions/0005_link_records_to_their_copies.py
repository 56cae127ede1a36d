"""Remember which record of one remote became which record of another.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the links."""
    op.create_table(
        "links",
        sa.Column("remote", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("source_key", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("run", sa.Integer),
    )
    op.create_index("links_by_key", "links", ["kind", "key"])
