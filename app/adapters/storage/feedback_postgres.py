"""Feedback events in PostgreSQL, so that several hosts learn from the same decisions."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.adapters.storage.database import Database, open_database
from app.adapters.storage.feedback_jsonl import PARKED_LIMIT
from app.adapters.storage.feedback_lines import compacted, parse_line, to_line, to_tail
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.migration import MIGRATIONS, Schema
from app.domain.course import Report
from app.domain.feedback import FeedbackEvent, FeedbackTail
from app.domain.rewriting import Rewriting, StoredLine

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

_kept = sa.Table(
    "feedback_kept",
    sa.MetaData(),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("event", sa.LargeBinary, nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
"""What is kept while the events are written anew; this connection's own, gone at the commit."""


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

    async def rewrite(self, rewriting: Rewriting) -> None:
        """Write both tables anew in one transaction; who appends waits for it."""
        await asyncio.shield(self._database.submit(lambda found: _rewrite(found, rewriting)))

    async def mark(self, position: int) -> str:
        """A digest of the first row and of the one at a position."""
        return await self._database.read(lambda connection: _mark(connection, position))

    async def lines(self) -> AsyncIterator[StoredLine]:
        """Every row of both tables."""
        for table in (_events, _parked):
            position: int | None = -1
            while position is not None:
                rows, position = await self._database.read(partial(_piece, table, position))
                for row in rows:
                    yield StoredLine(row, parse_line(row))


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
    found = [(at, line) for at, line in rows if at > position]
    last = rows[-1].position if rows else 0
    return to_tail(found, position, last, is_end=len(rows) <= PIECE_ROWS)


def _mark(connection: sa.Connection, position: int) -> str:
    first = sa.select(_events).order_by(_events.c.position).limit(1)
    rows = [
        *connection.execute(first),
        *connection.execute(sa.select(_events).where(_events.c.position == position)),
    ]
    return sha256(b"".join(b"%d %s\n" % (at, line) for at, line in rows)).hexdigest()


def _fetch(connection: sa.Connection, positions: Sequence[int]) -> list[FeedbackEvent | None]:
    query = sa.select(_events).where(_events.c.position == sa.any_(sa.literal(list(positions))))
    lines = {at: parse_line(line) for at, line in connection.execute(query)}
    return [lines.get(position) for position in positions]


def _park(connection: sa.Connection, row: Mapping[str, object]) -> None:
    connection.execute(insert(_parked).values(row).on_conflict_do_nothing())
    newest = sa.select(_parked.c.position).order_by(_parked.c.position.desc())
    surplus = newest.offset(PARKED_LIMIT).limit(1).scalar_subquery()
    connection.execute(sa.delete(_parked).where(_parked.c.position <= surplus))


def _piece(
    table: sa.Table, position: int, connection: sa.Connection
) -> tuple[list[bytes], int | None]:
    """Some rows, and where to go on; None at the end."""
    rows = connection.execute(
        sa.select(table.c.position, table.c.event)
        .where(table.c.position > position)
        .order_by(table.c.position)
        .limit(PIECE_ROWS)
    ).all()
    return [bytes(event) for _, event in rows], rows[-1][0] if len(rows) == PIECE_ROWS else None


def _all(table: sa.Table, connection: sa.Connection) -> Iterator[StoredLine]:
    position: int | None = -1
    while position is not None:
        rows, position = _piece(table, position, connection)
        yield from (StoredLine(row, parse_line(row)) for row in rows)


def _rewrite(connection: sa.Connection, rewriting: Rewriting) -> None:
    # Every row gets a new position: so whoever read before notices.
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_NUMBER)))
    for table in (_parked, _events):
        for line in _all(table, connection):
            rewriting.look(line)
    _kept.create(connection)
    head = (compacted(1, datetime.now(UTC)), *rewriting.news())
    _keep(connection, [_row(event) for event in head])
    for lines in _batches(_all(_events, connection)):
        _keep(connection, [rewriting.keep(line) for line in lines])
    # Deleted rows would stay on the disk until somebody cleans up.
    connection.execute(sa.text("TRUNCATE feedback_events"))
    for lines in _batches(_all(_kept, connection)):
        connection.execute(sa.insert(_events), [{"event": line.raw} for line in lines])
    _rewrite_parked(connection, rewriting)


def _batches(lines: Iterator[StoredLine]) -> Iterator[list[StoredLine]]:
    while batch := [*islice(lines, PIECE_ROWS)]:
        yield batch


def _keep(connection: sa.Connection, rows: Sequence[bytes | None]) -> None:
    kept = [{"event": row} for row in rows if row is not None]
    if kept:
        connection.execute(sa.insert(_kept), kept)


def _rewrite_parked(connection: sa.Connection, rewriting: Rewriting) -> None:
    lines = [*_all(_parked, connection)]
    connection.execute(sa.text("TRUNCATE feedback_parked"))
    for line in lines:
        kept = rewriting.keep(line)
        if kept is not None and line.event is not None:
            row = {"event_id": line.event.id, "event": kept}
            connection.execute(insert(_parked).values(row))
