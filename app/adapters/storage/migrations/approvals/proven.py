"""Decisions per command and in time, what the cluster said, reports of several kinds, an audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

DECIDED_BEFORE = """
UPDATE commands SET decision = (
    SELECT CASE WHEN a.status = 'approved' AND commands.is_refused = 0 THEN 'approved'
                ELSE 'rejected' END
    FROM approvals a WHERE a.approval_id = commands.approval_id)
WHERE approval_id IN (SELECT approval_id FROM approvals WHERE status <> 'pending')
"""
CLOSED_BEFORE = """
UPDATE approvals SET is_closed = 1
WHERE approval_id IN (SELECT approval_id FROM reports)
"""
REPORTED_BEFORE = """
INSERT INTO reports
    (approval_id, kind, round, is_final, body, created_at, attempts, next_at, state, last_error)
SELECT approval_id, 'decided', 1, 1, body, created_at, attempts, next_at, state, last_error
FROM reports_before ORDER BY created_at
"""


def upgrade() -> None:
    """Add all of it; what was decided before is told per command, too."""
    _extend_approvals()
    _extend_commands()
    op.execute(DECIDED_BEFORE)
    op.execute(CLOSED_BEFORE)
    _replace_reports()
    op.create_table(
        "audit",
        sa.Column("seq", POSITION, primary_key=True, autoincrement=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        # Releases without migrations read this, and leave the file alone.
        op.execute("PRAGMA user_version = 3")


def _extend_approvals() -> None:
    for name in ("expires_at", "void_reason", "verification", "undone_at", "undone_by"):
        op.add_column("approvals", sa.Column(name, sa.Text))
    op.add_column("approvals", sa.Column("round", sa.Integer, nullable=False, server_default="1"))
    closed = sa.Column("is_closed", sa.Integer, nullable=False, server_default="0")
    op.add_column("approvals", closed)
    _index("expiring", "approvals", "expires_at", "status = 'pending'")
    _index("unclosed", "approvals", "position", "is_closed = 0")


def _extend_commands() -> None:
    for name in ("policy_risk", "phase", "undo_output"):
        column = sa.Column(name, sa.Text, nullable=False, server_default="")
        op.add_column("commands", column)
    op.add_column("commands", sa.Column("in_evidence", sa.Integer))
    for name in ("object_reference", "decision", "edited_to", "reason", "proof", "undo_status"):
        op.add_column("commands", sa.Column(name, sa.Text))
    _index("undoing", "commands", "approval_id", "undo_status IN ('waiting', 'executing')")


def _replace_reports() -> None:
    """The old key allows one report for each approval."""
    op.drop_index("due", "reports")
    op.rename_table("reports", "reports_before")
    op.create_table(
        "reports",
        sa.Column("position", POSITION, primary_key=True),
        sa.Column("approval_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("is_final", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", sa.Text),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("last_error", sa.Text, nullable=False, server_default=""),
        sa.Column("sender", sa.Text),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.approval_id"]),
        sa.UniqueConstraint("approval_id", "kind", "round"),
        sqlite_autoincrement=True,
    )
    op.execute(REPORTED_BEFORE)
    op.drop_table("reports_before")
    _index("due", "reports", "next_at", "next_at IS NOT NULL")


def _index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], sqlite_where=condition, postgresql_where=condition)
