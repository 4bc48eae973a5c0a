"""The tables of approvals as statements see them; `migrations/approvals` makes and indexes them.

Times are ISO 8601 in UTC, as text: they sort as they follow, and look the same in both databases.
"""

import sqlalchemy as sa

from app.adapters.storage.migration import MIGRATIONS, Schema
from app.adapters.storage.tables import POSITION

SCHEMA = Schema(MIGRATIONS / "approvals", "approval_schema", "3")


class Words(sa.types.TypeDecorator[str]):
    """Text from anywhere: what PostgreSQL cannot keep, NUL and half an emoji, is replaced."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The text as it is kept."""
        return None if value is None else kept_words(value)


def kept_words(text: str) -> str:
    """The text as both databases can keep it."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


metadata = sa.MetaData()

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("position", POSITION, primary_key=True),
    sa.Column("approval_id", Words, nullable=False, unique=True),
    sa.Column("idempotency_key", Words, unique=True),
    sa.Column("action", Words, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),  # JSON object, as proposed
    sa.Column("proposed_at", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("decided_at", sa.Text),
    sa.Column("reviewer", Words),
    sa.Column("reason", Words),
    sa.Column("executor", sa.Text),  # the server whose part it is to run its commands
    sa.Column("expires_at", sa.Text),
    sa.Column("round", sa.Integer, nullable=False, server_default="1"),
    sa.Column("void_reason", Words),
    sa.Column("verification", sa.Text),  # JSON
    sa.Column("undone_at", sa.Text),
    sa.Column("undone_by", Words),
    sa.Column("is_closed", sa.Integer, nullable=False, server_default="0"),  # all is reported
)

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("approval_id", Words, sa.ForeignKey("approvals.approval_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # from 0, in the order they run
    sa.Column("text", Words, nullable=False),
    sa.Column("explanation", Words, nullable=False),
    sa.Column("safety_level", Words, nullable=False),
    sa.Column("risk", sa.Text, nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),  # JSON list
    sa.Column("is_refused", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("output", Words, nullable=False),
    sa.Column("policy_risk", sa.Text, nullable=False, server_default=""),
    sa.Column("phase", sa.Text, nullable=False, server_default=""),
    sa.Column("in_evidence", sa.Integer),  # NULL: nobody said
    sa.Column("object_reference", Words),
    sa.Column("decision", sa.Text),
    sa.Column("edited_to", Words),
    sa.Column("reason", Words),
    sa.Column("proof", sa.Text),  # JSON
    sa.Column("undo_status", sa.Text),
    sa.Column("undo_output", Words, nullable=False, server_default=""),
)

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("position", POSITION, primary_key=True),  # the order of those of one approval
    sa.Column("approval_id", Words, sa.ForeignKey("approvals.approval_id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("is_final", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # JSON, as it is sent and signed
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", sa.Text),  # NULL: delivered or given up
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("last_error", sa.Text, nullable=False, server_default=""),
    sa.Column("sender", sa.Text),  # the server that is sending it now
    sa.UniqueConstraint("approval_id", "kind", "round"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", POSITION, primary_key=True, autoincrement=False),  # from 1, without gaps
    sa.Column("line", sa.Text, nullable=False),  # JSON, with the hash of the line before
    sa.Column("hash", sa.Text, nullable=False),
)

servers = sa.Table(
    "approval_servers",
    metadata,
    sa.Column("server_id", sa.Text, primary_key=True),
    sa.Column("beats", sa.BigInteger, nullable=False),
)

ME = sa.bindparam("me", type_=sa.Text)


def is_free(server: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether what a column gives to a server may be taken by `me`: no other living one has it."""
    is_living = sa.exists().where(servers.c.server_id == server)
    return sa.or_(server.is_(None), server == ME, ~is_living)
