"""One database: a thread that writes in groups, and a few that read; SQLite or PostgreSQL."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import sqlalchemy as sa

from app.adapters.postgres import SILENCE_SECONDS, Patience
from app.adapters.storage.connections import Access, Synchronous, close, open_engine
from app.adapters.storage.faults import is_lost, translated
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.migration import WORKFLOWS, Schema, prepare
from app.adapters.storage.writer import ANSWER_SECONDS, SILENT, Writer
from app.domain.errors import StorageFailed

T = TypeVar("T")

READERS = 3
STOP_SECONDS = 2.0


class Database:
    """Reads and writes of one database; nothing here blocks the event loop or waits for ever."""

    def __init__(self, location: DatabaseLocation, synchronous: Synchronous) -> None:
        """Use `open_database` instead: it prepares the database and stops the threads."""
        self.location = location
        self._patience = Patience(SILENCE_SECONDS)
        writing = open_engine(location, Access.WRITE, synchronous, self._patience)
        self.writer = Writer(writing, location)
        self._reading = open_engine(location, Access.READ, patience=self._patience)
        self._threads = ThreadPoolExecutor(READERS, "database-reader")
        self._local = threading.local()
        self._connections: set[sa.Connection] = set()

    def stop(self) -> None:
        """Finish what was asked, as far as the database answers, then stop."""
        self._patience.end(STOP_SECONDS)
        self.writer.stop()
        self._threads.shutdown()
        for connection in self._connections:
            close(connection)

    def submit(self, work: Callable[[sa.Connection], T]) -> asyncio.Future[T]:
        """Run `work` in a transaction; the future is settled once that is committed."""
        return self.writer.submit(work)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a transaction; returns once it is committed, raises StorageFailed."""
        return await settled(self.submit(work))

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` on a connection that only reads; raises StorageFailed."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await loop.run_in_executor(self._threads, self._read, work)
        except TimeoutError as error:
            raise StorageFailed(SILENT) from error

    def _read(self, work: Callable[[sa.Connection], T]) -> T:
        try:
            return self._read_once(work)
        except sa.exc.SQLAlchemyError as error:
            if not is_lost(error):
                raise translated(error, self.location) from error
        # The server was restarted since the last read.
        try:
            return self._read_once(work)
        except sa.exc.SQLAlchemyError as error:
            raise translated(error, self.location) from error

    def _read_once(self, work: Callable[[sa.Connection], T]) -> T:
        connection: sa.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._reading.connect()
            self._connections.add(connection)
        try:
            return work(connection)
        except sa.exc.SQLAlchemyError:
            self._local.connection = None
            self._connections.discard(connection)
            close(connection)
            raise


async def settled(done: asyncio.Future[T]) -> T:
    """Wait for a submitted write; it goes on when the caller is cancelled, raises StorageFailed."""
    done.add_done_callback(_look)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.shield(done)
    except TimeoutError as error:
        raise StorageFailed(SILENT) from error


@asynccontextmanager
async def open_database(
    location: DatabaseLocation, synchronous: Synchronous = "NORMAL", schema: Schema = WORKFLOWS
) -> AsyncIterator[Database]:
    """Bring the database to our schema and open it; raises StartupFailed."""
    await asyncio.to_thread(prepare, location, schema)
    database = Database(location, synchronous)
    database.writer.start()
    try:
        yield database
    finally:
        await asyncio.to_thread(database.stop)


def _look(done: asyncio.Future[T]) -> None:
    """A caller that was cancelled does not ask what became of its write."""
    if not done.cancelled():
        done.exception()
