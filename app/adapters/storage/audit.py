"""The audit trail in the database: entries are written in the transactions that they tell of."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from app.adapters.storage.approval_tables import audit
from app.adapters.storage.connections import Access, close, open_engine
from app.adapters.storage.database import Database
from app.adapters.storage.faults import translated
from app.adapters.storage.location import DatabaseLocation
from app.domain.audit import FIRST_HASH, AuditEntry, AuditFact
from app.domain.ports import Clock

BATCH = 500
ENTRIES = sa.select(audit.c.seq, audit.c.line, audit.c.hash).order_by(audit.c.seq)
LAST = sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)


class AuditTrail:
    """Chains what a transaction did to what earlier ones did."""

    def __init__(self, clock: Clock) -> None:
        """The clock gives each entry its time."""
        self._clock = clock

    def enter(self, connection: sa.Connection, *facts: AuditFact) -> None:
        """Write entries; the transaction keeps every other one that writes some out."""
        last = connection.execute(LAST).one_or_none()
        seq, prev = last or (0, FIRST_HASH)
        for fact in facts:
            entry = AuditEntry.after(seq, prev, fact, self._clock.now())
            row = {"seq": entry.seq, "line": entry.line, "hash": entry.hash}
            connection.execute(sa.insert(audit), row)
            seq, prev = entry.seq, entry.hash


class SqlAudit:
    """AuditLog: the entries, to be copied or checked."""

    def __init__(self, database: Database) -> None:
        """Take the database that the approvals are in."""
        self._database = database

    async def after(self, seq: int) -> Sequence[AuditEntry]:
        """The entries that follow on a number, not all at once."""
        query = ENTRIES.where(audit.c.seq > seq).limit(BATCH)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [AuditEntry(*row) for row in rows]


def read_trail(location: DatabaseLocation) -> Iterator[AuditEntry]:
    """Every entry of a database that may be in use; it blocks, and raises StorageFailed."""
    try:
        connection = open_engine(location, Access.READ).connect()
        try:
            yield from (AuditEntry(*row) for row in connection.execute(ENTRIES))
        finally:
            close(connection)
    except sa.exc.SQLAlchemyError as error:
        raise translated(error, location) from error
