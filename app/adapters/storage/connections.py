"""Connections to either kind of database, in autocommit: whoever writes says BEGIN and COMMIT."""

import sqlite3
from contextlib import suppress
from enum import StrEnum
from typing import Any, Literal

import sqlalchemy as sa

from app.adapters.postgres import NETWORK, SILENCE_SECONDS, Patience, be_patient
from app.adapters.storage.location import DatabaseLocation

Synchronous = Literal["NORMAL", "FULL"]
"""FULL survives a power cut as well, for one fsync per group of writes; PostgreSQL always does."""

BUSY_SECONDS = 10
STATEMENT_SECONDS = 10


class Access(StrEnum):
    """What a connection is for."""

    READ = "ro"
    WRITE = "rwc"


def open_engine(
    location: DatabaseLocation,
    access: Access,
    synchronous: Synchronous = "NORMAL",
    patience: Patience | None = None,
) -> sa.Engine:
    """Makes connections without keeping any: each has one owner, for as long as it works."""
    if location.path is None:
        return _postgres_engine(location, patience or Patience(SILENCE_SECONDS))
    uri = f"{location.path.absolute().as_uri()}?mode={access}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        if access is Access.WRITE:
            # A killed process loses nothing that was committed.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
        return connection

    return sa.create_engine(
        "sqlite://",
        creator=connect,
        poolclass=sa.NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )


def begin(connection: sa.Connection) -> None:
    """Begin to write: SQLite takes its lock now, so that no later statement is refused it."""
    is_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")


def is_in_transaction(connection: sa.Connection) -> bool:
    """Whether the database itself still has the transaction open."""
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return bool(raw.in_transaction)
    return bool(raw.info.transaction_status)


def close(connection: sa.Connection) -> None:
    """Close a connection, also one that no longer works."""
    with suppress(sa.exc.SQLAlchemyError):
        connection.invalidate()
        connection.close()


def _postgres_engine(location: DatabaseLocation, patience: Patience) -> sa.Engine:
    engine = sa.create_engine(
        location.url,
        poolclass=sa.NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        use_native_hstore=False,
        connect_args=NETWORK,
    )
    be_patient(engine, patience)
    sa.event.listen(engine, "connect", _limit)
    return engine


def _limit(connection: Any, _record: object) -> None:
    """Nobody waits for ever for us: a stopped process of ours gives back its locks, too."""
    limit = f"{STATEMENT_SECONDS}s"
    connection.execute(
        f"SET statement_timeout = '{limit}'; SET idle_in_transaction_session_timeout = '{limit}'"
    )
