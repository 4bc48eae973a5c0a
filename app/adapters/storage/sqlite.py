"""One SQLite file: a writer thread that commits in groups, and read-only connections."""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from app.domain.errors import AppError, StartupFailed, StorageFailed

T = TypeVar("T")

log = logging.getLogger(__name__)

Synchronous = Literal["NORMAL", "FULL"]
"""FULL survives a power cut as well, for one fsync per group of writes."""

BUSY_SECONDS = 10
QUEUE_LIMIT = 20_000
GROUP_LIMIT = 256
READERS = 2


@dataclass(frozen=True, slots=True)
class _Job:
    """A write and the future its caller waits for."""

    work: Callable[[sqlite3.Connection], Any]
    done: Future[Any]


class Database:
    """Reads and writes of one file; nothing here blocks the event loop."""

    def __init__(self, path: Path, synchronous: Synchronous) -> None:
        """Use `open_database` instead: it prepares the file and stops the threads."""
        self._path = path
        self._synchronous = synchronous
        self._jobs: queue.Queue[_Job | None] = queue.Queue(QUEUE_LIMIT)
        self._writer = threading.Thread(target=self._write_groups, name=f"write {path.name}")
        self._readers = ThreadPoolExecutor(READERS, f"read {path.name}")
        self._local = threading.local()

    def start(self) -> None:
        """Start the writer."""
        self._writer.start()

    def stop(self) -> None:
        """Finish what was asked, then stop."""
        self._jobs.put(None)
        self._writer.join()
        self._readers.shutdown()

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction; returns once it is committed, raises StorageFailed."""
        done: Future[T] = Future()
        try:
            self._jobs.put_nowait(_Job(work, done))
        except queue.Full:
            raise StorageFailed("The database is too busy; try again in a few seconds.") from None
        return await asyncio.shield(asyncio.wrap_future(done))

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on a read-only connection; raises StorageFailed."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._readers, lambda: work(self._reader()))
        except sqlite3.Error as error:
            raise _translated(error) from error

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
            self._local.connection = connection
        return connection

    def _write_groups(self) -> None:
        connection = connect(self._path, self._synchronous)
        stopping = False
        while not stopping:
            group: list[_Job] = []
            job = self._jobs.get()
            while job is not None:
                group.append(job)
                if len(group) == GROUP_LIMIT or self._jobs.empty():
                    break
                job = self._jobs.get_nowait()
            stopping = job is None
            if group:
                _commit(connection, group)
        connection.close()


def connect(path: Path, synchronous: Synchronous = "NORMAL") -> sqlite3.Connection:
    """A connection that writes, in WAL mode: a killed process loses nothing that was committed."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


@asynccontextmanager
async def open_database(
    path: Path, schema: Path, version: int, synchronous: Synchronous = "NORMAL"
) -> AsyncIterator[Database]:
    """Prepare the file by the statements in `schema`; raises StartupFailed."""
    await asyncio.to_thread(_prepare, path, schema, version)
    database = Database(path, synchronous)
    database.start()
    try:
        yield database
    finally:
        await asyncio.to_thread(database.stop)


def _prepare(path: Path, schema: Path, version: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = connect(path)
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > version:
            raise StartupFailed(f"{path} was written by a newer version; update this program.")
        connection.executescript(schema.read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA user_version={version:d}")
        connection.close()
    except (OSError, sqlite3.Error) as error:
        raise StartupFailed(f"The data folder {path.parent} cannot be used: {error}.") from error


def _commit(connection: sqlite3.Connection, group: Sequence[_Job]) -> None:
    """All jobs in one transaction, each in a savepoint of its own."""
    outcomes: list[tuple[_Job, Any, BaseException | None]] = []
    try:
        connection.execute("BEGIN IMMEDIATE")
        for job in group:
            outcomes.append((job, *_attempt(connection, job)))
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        outcomes = [(job, None, _translated(error)) for job in group]
    for job, result, failure in outcomes:
        if failure is None:
            job.done.set_result(result)
        else:
            job.done.set_exception(failure)


def _attempt(connection: sqlite3.Connection, job: _Job) -> tuple[Any, BaseException | None]:
    connection.execute("SAVEPOINT job")
    try:
        result = job.work(connection)
    except sqlite3.Error as error:
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO job")
        return None, _translated(error)
    except AppError as error:
        connection.execute("ROLLBACK TO job")
        return None, error
    except Exception as error:
        log.exception("a database write has a defect")
        connection.execute("ROLLBACK TO job")
        return None, error
    finally:
        if connection.in_transaction:
            connection.execute("RELEASE job")
    return result, None


def _translated(error: sqlite3.Error) -> StorageFailed:
    return StorageFailed(f"The database cannot be used ({error}); nothing was changed.")
