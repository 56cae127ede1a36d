"""Remember which plan a run applied.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the plan's digest to runs, so that a plan that was used is known again."""
    op.add_column("runs", sa.Column("plan", sa.Text))
    op.create_index("runs_by_plan", "runs", ["plan"], sqlite_where=sa.text("plan IS NOT NULL"))
