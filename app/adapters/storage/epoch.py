"""The epoch of the event log, renewed when a backup took the place of what clients have seen."""

import secrets

import sqlalchemy as sa

from app.adapters.storage.connections import Access, begin, close, open_engine
from app.adapters.storage.faults import translated
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.tables import events, meta
from app.domain.errors import StorageFailed


def renew_epoch(location: DatabaseLocation) -> None:
    """Make cursors of before mean nothing; raises StorageFailed. No server may be running."""
    try:
        connection = open_engine(location, Access.WRITE).connect()
        try:
            begin(connection)
            _renew(connection, is_postgres=location.is_postgres)
            connection.exec_driver_sql("COMMIT")
        finally:
            close(connection)
    except sa.exc.SQLAlchemyError as error:
        raise translated(error, location) from error


def _renew(connection: sa.Connection, *, is_postgres: bool) -> None:
    if is_postgres:
        connection.exec_driver_sql("SET statement_timeout = 0")
    epoch = meta.c.key == "epoch"
    former = connection.execute(sa.select(meta.c.value).where(epoch)).scalar_one_or_none()
    if former is None:
        raise StorageFailed("The database holds no event log; nothing was changed.")
    fresh = secrets.token_hex(4)
    connection.execute(sa.update(meta).where(epoch).values(value=fresh))
    # A frame begins with its id, of which the epoch is a part.
    old, new = (f'{{"id":"{value}-'.encode() for value in (former, fresh))
    rest = sa.func.substr(events.c.frame, len(old) + 1)
    begins = sa.func.substr(events.c.frame, 1, len(old)) == old
    frame = sa.literal(new).op("||")(rest)
    connection.execute(sa.update(events).where(begins).values(frame=sa.cast(frame, sa.LargeBinary)))
