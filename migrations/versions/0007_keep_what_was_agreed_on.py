"""Keep what both sides of a link agreed on, where it came from a file.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the values; what comes from a remote at a run is in its history."""
    op.add_column("links", sa.Column("base", sa.Text))
    op.create_index("links_by_source", "links", ["kind", "source_key"])
