"""The tables of workflows as statements see them; `migrations/workflows` makes and indexes them.

Times are ISO 8601 in UTC, as text: they sort as they follow, and look the same in both databases.
"""

from datetime import datetime

import sqlalchemy as sa

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

workflows = sa.Table(
    "workflows",
    metadata,
    sa.Column("position", POSITION, primary_key=True),
    sa.Column("workflow_id", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("finished_at", sa.Text),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("claims", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_seq", sa.Integer, nullable=False, server_default="0"),
    sa.Column("terminal_seq", sa.Integer, nullable=False, server_default="0"),
    sa.Column("outcome_seq", sa.Integer, nullable=False, server_default="0"),
    sa.Column("first_seq", sa.Integer, nullable=False, server_default="1"),
    sa.Column("owner", sa.Text),
    sa.Column("claimed_at", sa.Text),
    sa.Column("cancel_requested_at", sa.Text),
    sa.Column("purged_at", sa.Text),
    sa.Column("told_position", sa.Integer),
)

IS_QUEUED = workflows.c.state == sa.literal_column("'queued'")
"""A constant, because an index of these alone is not used for a value that comes later."""

inputs = sa.Table(
    "inputs",
    metadata,
    sa.Column("workflow_id", sa.Text, sa.ForeignKey("workflows.workflow_id"), primary_key=True),
    sa.Column("text", sa.LargeBinary, nullable=False),  # zlib of the redacted UTF-8
    sa.Column("redactions", sa.Text, nullable=False),  # JSON, kind: count
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("workflow_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("is_terminal", sa.Integer, nullable=False),
    sa.Column("recorded_at", sa.Text, nullable=False),
    sa.Column("frame", sa.LargeBinary, nullable=False),
)

proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("idempotency_key", sa.Text, primary_key=True),
    sa.Column("workflow_id", sa.Text, nullable=False),
    sa.Column("feedback_id", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),  # empty once retention took it away
    sa.Column("approval_id", sa.Text),
    sa.Column("created_at", sa.Text, nullable=False, server_default=""),
    sa.Column("leased_by", sa.Text),
    sa.Column("leased_until", sa.Text),
    sa.Column("declined", sa.Text),  # why the approval server will never take it
)

processes = sa.Table(
    "processes",
    metadata,
    sa.Column("process_id", sa.Text, primary_key=True),
    sa.Column("beats", sa.BigInteger, nullable=False),
    sa.Column("is_buried", sa.Integer, nullable=False),
)


def storable(text: str) -> str:
    """Text as both keep it: PostgreSQL has no room for a NUL."""
    return text.replace("\0", "\ufffd")


def stamp(time: datetime) -> str:
    """A time as it is kept: always as long, so that the order of texts is that of times."""
    return time.isoformat(timespec="microseconds")
