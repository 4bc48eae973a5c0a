"""The tables of the first release; files from then have them, and no record of revisions."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "approvals",
        sa.Column("position", POSITION, primary_key=True),
        sa.Column("approval_id", sa.Text, nullable=False, unique=True),
        sa.Column("idempotency_key", sa.Text, unique=True),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("decided_at", sa.Text),
        sa.Column("reviewer", sa.Text),
        sa.Column("reason", sa.Text),
        sqlite_autoincrement=True,
    )
    _index("pending", "approvals", "position", "status = 'pending'")
    op.create_table(
        "commands",
        sa.Column("approval_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("explanation", sa.Text, nullable=False),
        sa.Column("safety_level", sa.Text, nullable=False),
        sa.Column("risk", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("is_refused", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("output", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.approval_id"]),
        sqlite_with_rowid=False,
    )
    _index("unsettled", "commands", "approval_id", "status IN ('waiting', 'executing')")
    op.create_table(
        "reports",
        sa.Column("approval_id", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", sa.Text),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("last_error", sa.Text, nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.approval_id"]),
        sqlite_with_rowid=False,
    )
    _index("due", "reports", "next_at", "next_at IS NOT NULL")


def _index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], sqlite_where=condition, postgresql_where=condition)
