"""Keep what a run was told, what went wrong in it, and which run it takes back.

Revision ID: 0003
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what `log` shows of a run beside its receipt's rows."""
    op.add_column("runs", sa.Column("undoes", sa.Integer))
    op.add_column("runs", sa.Column("troubles", sa.Text))
    op.add_column("runs", sa.Column("notes", sa.Text))
