"""Several approval servers on one database: which of them runs and reports what."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Add what they need; whoever ran or reported something before is gone."""
    op.add_column("approvals", sa.Column("executor", sa.Text))
    op.add_column("reports", sa.Column("sender", sa.Text))
    op.create_table(
        "approval_servers",
        sa.Column("server_id", sa.Text, primary_key=True),
        sa.Column("beats", sa.BigInteger, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        # Releases without migrations read this, and leave the file alone.
        op.execute("PRAGMA user_version = 2")
