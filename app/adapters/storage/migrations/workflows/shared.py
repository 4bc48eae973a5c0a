"""Several processes on one database: claims, fences, a queue's places, retention."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

COUNTED = """
UPDATE workflows SET
    last_seq = (SELECT COALESCE(MAX(seq), 0) FROM events e
                WHERE e.workflow_id = workflows.workflow_id),
    terminal_seq = (SELECT COALESCE(MAX(seq), 0) FROM events e
                    WHERE e.workflow_id = workflows.workflow_id AND e.is_terminal = 1)
"""


def upgrade() -> None:
    """Add what they need, and fill it in for workflows of before."""
    for name in ("claims", "last_seq", "terminal_seq", "outcome_seq"):
        op.add_column("workflows", _counter(name, "0"))
    op.add_column("workflows", _counter("first_seq", "1"))
    for name in ("owner", "claimed_at", "cancel_requested_at", "purged_at"):
        op.add_column("workflows", sa.Column(name, sa.Text))
    op.add_column("workflows", sa.Column("told_position", sa.Integer))
    op.execute(COUNTED)
    # Whoever ran them is gone.
    op.execute("UPDATE workflows SET state = 'queued' WHERE finished_at IS NULL")
    _index("waiting", "workflows", "position", "state = 'queued'")
    _index("owned", "workflows", "owner", "owner IS NOT NULL")
    _index(
        "cancelling",
        "workflows",
        "position",
        "cancel_requested_at IS NOT NULL AND finished_at IS NULL",
    )
    _index("kept", "workflows", "finished_at", "finished_at IS NOT NULL AND purged_at IS NULL")

    op.add_column("proposals", sa.Column("created_at", sa.Text, nullable=False, server_default=""))
    op.add_column("proposals", sa.Column("leased_by", sa.Text))
    op.add_column("proposals", sa.Column("leased_until", sa.Text))
    op.create_index("of_workflow", "proposals", ["workflow_id"])

    op.create_table(
        "processes",
        sa.Column("process_id", sa.Text, primary_key=True),
        sa.Column("beats", sa.BigInteger, nullable=False),
        sa.Column("is_buried", sa.Integer, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        # Releases without migrations read this, and leave the file alone.
        op.execute("PRAGMA user_version = 2")


def _counter(name: str, start: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=start)


def _index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], sqlite_where=condition, postgresql_where=condition)
