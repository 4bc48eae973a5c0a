"""Notices that another process wrote; what it wrote is for the reader to find in the tables."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import psycopg
import sqlalchemy as sa

from app.adapters.postgres import NETWORK, AsyncPatientConnection
from app.adapters.storage.appending import CHANNEL
from app.adapters.storage.connections import Access, close, open_engine
from app.adapters.storage.database import Database
from app.adapters.storage.location import DatabaseLocation

log = logging.getLogger(__name__)

POLL_SECONDS = 0.005
ALONE_SECONDS = 0.5
IDLE_SECONDS = 0.1
SILENCE_SECONDS = 30.0
RECONNECT_SECONDS = 1.0


def wakeups(
    database: Database, is_needed: Callable[[], bool], has_peers: Callable[[], bool]
) -> AsyncGenerator[None]:
    """Yields whenever another process may have written, as long as somebody needs to know."""
    if database.location.is_postgres:
        return _notifications(database)
    return _file_changes(database.location, is_needed, has_peers)


async def _file_changes(
    location: DatabaseLocation, is_needed: Callable[[], bool], has_peers: Callable[[], bool]
) -> AsyncGenerator[None]:
    connection = await asyncio.to_thread(open_engine(location, Access.READ).connect)
    seen: int | None = None
    try:
        # The event loop waits for nobody's lock; whoever is told to look has the patience.
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        while True:
            if not is_needed():
                seen = None
                await asyncio.sleep(IDLE_SECONDS)
                continue
            # Some microseconds: a look at memory that SQLite's processes share.
            found = _data_version(connection)
            if found is None or found != seen:
                seen = found
                yield
            # Alone, a change is nearly always our own; nearly, because a peer may have come and
            # gone before it was known, or a commit have happened whose answer was lost.
            pause = POLL_SECONDS if has_peers() else ALONE_SECONDS
            await asyncio.sleep(pause if found is not None else RECONNECT_SECONDS)
    finally:
        close(connection)


def _data_version(connection: sa.Connection) -> int | None:
    # Asked 200 times a second: the library's way would cost five times as much.
    raw: Any = connection.connection.driver_connection
    try:
        return int(raw.execute("PRAGMA data_version").fetchone()[0])
    except sqlite3.Error:
        return None


async def _notifications(database: Database) -> AsyncGenerator[None]:
    is_known_lost = False
    while True:
        try:
            async with aclosing(_notifications_until_lost(database)) as signals:
                async for _ in signals:
                    is_known_lost = False
                    yield
        except psycopg.Error:
            if not is_known_lost:
                log.warning("no word from other processes until the database is back")
            is_known_lost = True
        await asyncio.sleep(RECONNECT_SECONDS)


async def _notifications_until_lost(database: Database) -> AsyncGenerator[None]:
    connection = await AsyncPatientConnection.connect(
        database.location.conninfo, autocommit=True, **NETWORK
    )
    async with connection:
        await connection.execute(f"LISTEN {CHANNEL}".encode())
        # What was said while nobody listened.
        yield
        while True:
            said = [
                notice.pid
                async for notice in connection.notifies(timeout=SILENCE_SECONDS, stop_after=1)
            ]
            # After a long silence a look costs nothing, and mends whatever was missed.
            if not said or any(pid != database.writer.backend for pid in said):
                yield
