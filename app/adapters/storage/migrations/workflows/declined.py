"""Proposals that the approval server will never take, and why."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """None of them was marked before."""
    op.add_column("proposals", sa.Column("declined", sa.Text))
