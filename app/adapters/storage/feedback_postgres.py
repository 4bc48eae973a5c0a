"""Feedback events in PostgreSQL, so that several hosts learn from the same decisions."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.adapters.storage.database import Database, open_database
from app.adapters.storage.feedback_jsonl import PARKED_LIMIT, parse_line, to_line, to_tail
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.migration import MIGRATIONS, Schema
from app.domain.course import Report
from app.domain.feedback import FeedbackEvent, FeedbackTail

SCHEMA = Schema(MIGRATIONS / "feedback", "feedback_schema", "1")
PIECE_ROWS = 100
LOCK_NUMBER = 7_021_930_412
"""Any number of our own: who holds it in a database appends feedback there."""

_metadata = sa.MetaData()
_events = sa.Table(
    "feedback_events",
    _metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("event", sa.LargeBinary, nullable=False),  # a line of the JSONL form, without its end
)
_parked = sa.Table(
    "feedback_parked",
    _metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Column("event", sa.LargeBinary, nullable=False),
)


@asynccontextmanager
async def open_feedback_table(location: DatabaseLocation) -> AsyncIterator["FeedbackTable"]:
    """The feedback of a PostgreSQL database, made when missing; raises StartupFailed.

    It has connections of its own: appends wait for each other, and nothing else is to wait too.
    """
    async with open_database(location, schema=SCHEMA) as database:
        yield FeedbackTable(database)


class FeedbackTable:
    """A FeedbackStore in two tables of a PostgreSQL database."""

    def __init__(self, database: Database) -> None:
        """Take an open database with our schema."""
        self._database = database

    async def append(self, events: Sequence[FeedbackEvent]) -> None:
        """Durable when it returns; raises StorageFailed."""
        rows = [{"event": _row(event)} for event in events]
        if rows:
            await self._database.write(lambda connection: _append(connection, rows))

    async def read(self, position: int) -> FeedbackTail:
        """A piece of what follows a position, whoever wrote it."""
        return await self._database.read(lambda connection: _read(connection, position))

    async def fetch(self, positions: Sequence[int]) -> Sequence[FeedbackEvent | None]:
        """The events in these rows."""
        return await self._database.read(lambda connection: _fetch(connection, positions))

    async def park(self, report: Report) -> None:
        """Keep a report whose proposal is not known yet."""
        row = {"event_id": report.id, "event": _row(report)}
        await self._database.write(lambda connection: _park(connection, row))

    async def parked(self) -> Sequence[Report]:
        """The newest reports that wait, oldest first."""
        query = sa.select(_parked.c.event).order_by(_parked.c.position.desc()).limit(PARKED_LIMIT)
        lines = await self._database.read(
            lambda connection: connection.execute(query).scalars().all()
        )
        events = (parse_line(line) for line in reversed(lines))
        return [event for event in events if isinstance(event, Report)]


def _row(event: FeedbackEvent) -> bytes:
    return to_line(event).removesuffix(b"\n")


def _append(connection: sa.Connection, rows: Sequence[dict[str, bytes]]) -> None:
    # One after the other until the commit: else a reader could pass a position by whose
    # transaction is still open, and never come back to it.
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_NUMBER)))
    connection.execute(sa.insert(_events), rows)


def _read(connection: sa.Connection, position: int) -> FeedbackTail:
    is_new = _events.c.position > position
    rows = connection.execute(
        sa.select(_events.c.position, sa.case((is_new, _events.c.event)))
        .where(_events.c.position >= position)
        .order_by(_events.c.position)
        .limit(PIECE_ROWS + 1)
    ).all()
    if position > 0 and (not rows or rows[0].position != position):
        # Where we were is nothing any more: this is another log, such as a restored one.
        return _read(connection, 0)
    found = [(at, parse_line(line)) for at, line in rows if at > position]
    last = rows[-1].position if rows else 0
    return to_tail(found, position, last, is_end=len(rows) <= PIECE_ROWS)


def _fetch(connection: sa.Connection, positions: Sequence[int]) -> list[FeedbackEvent | None]:
    query = sa.select(_events).where(_events.c.position == sa.any_(sa.literal(list(positions))))
    lines = {at: parse_line(line) for at, line in connection.execute(query)}
    return [lines.get(position) for position in positions]


def _park(connection: sa.Connection, row: Mapping[str, object]) -> None:
    connection.execute(insert(_parked).values(row).on_conflict_do_nothing())
    newest = sa.select(_parked.c.position).order_by(_parked.c.position.desc())
    surplus = newest.offset(PARKED_LIMIT).limit(1).scalar_subquery()
    connection.execute(sa.delete(_parked).where(_parked.c.position <= surplus))
