"""The tables of the first release; files from then have them, and no record of revisions."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _make_workflows()
    _make_proposals()
    # Changes only when the log lost or rewrote history: a cursor of another epoch means nothing.
    op.execute(f"INSERT INTO meta (key, value) VALUES ('epoch', '{secrets.token_hex(4)}')")  # noqa: S608 - our own digits


def _make_workflows() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "workflows",
        sa.Column("position", POSITION, primary_key=True),
        sa.Column("workflow_id", sa.Text, nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "unfinished",
        "workflows",
        ["position"],
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "inputs",
        sa.Column("workflow_id", sa.Text, primary_key=True),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.Column("redactions", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.workflow_id"]),
    )
    op.create_table(
        "events",
        sa.Column("workflow_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("is_terminal", sa.Integer, nullable=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("frame", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


def _make_proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("idempotency_key", sa.Text, primary_key=True),
        sa.Column("workflow_id", sa.Text, nullable=False),
        sa.Column("feedback_id", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("approval_id", sa.Text),
    )
    op.create_index(
        "undelivered",
        "proposals",
        ["workflow_id"],
        sqlite_where=sa.text("approval_id IS NULL"),
        postgresql_where=sa.text("approval_id IS NULL"),
    )
