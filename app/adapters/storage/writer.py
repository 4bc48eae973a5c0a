"""The one thread that writes to a database: whatever waits is committed together."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa

from app.adapters.storage.connections import begin, close, is_in_transaction
from app.adapters.storage.faults import is_aborted, is_lost, translated
from app.adapters.storage.location import DatabaseLocation
from app.domain.errors import AppError, StorageFailed

T = TypeVar("T")

log = logging.getLogger(__name__)

QUEUE_LIMIT = 20_000
GROUP_LIMIT = 256
ANSWER_SECONDS = 25.0
SILENT = "The database does not answer; try again later."


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A write and the future its caller waits for."""

    work: Callable[[sa.Connection], Any]
    done: asyncio.Future[Any]
    asked_at: float = field(default_factory=time.monotonic)

    @property
    def is_stale(self) -> bool:
        """Whether its caller has given up, so that it must not happen any more."""
        return time.monotonic() - self.asked_at > ANSWER_SECONDS


_Outcome = tuple[_Job, Any, BaseException | None]


class Writer:
    """Takes writes from the event loop and settles their futures there, in order."""

    def __init__(self, engine: sa.Engine, location: DatabaseLocation) -> None:
        """Be made in the event loop that will ask for writes."""
        self._engine = engine
        self._location = location
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_groups, name="database-writer")
        self._connection: sa.Connection | None = None
        self._is_in_doubt = False
        self.backend: int | None = None
        """The number of the PostgreSQL process that serves this writer."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was asked, then end the thread."""
        self._jobs.put(None)
        self._thread.join()
        self._disconnect()

    def submit(self, work: Callable[[sa.Connection], T]) -> asyncio.Future[T]:
        """Ask for a transaction; the future is settled after its commit."""
        if self._jobs.qsize() >= QUEUE_LIMIT:
            raise StorageFailed("The database is too busy; try again in a few seconds.")
        done: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, done))
        return done

    def _write_groups(self) -> None:
        while group := self._next_group():
            fresh = [job for job in group if not job.is_stale]
            self._loop.call_soon_threadsafe(_settle, self._commit(fresh) if fresh else ())

    def _next_group(self) -> Sequence[_Job]:
        """What waits now, at least one; nothing at the end."""
        group: list[_Job] = []
        while (job := self._jobs.get()) is not None:
            group.append(job)
            if len(group) == GROUP_LIMIT or self._jobs.empty():
                return group
        if group:
            self._jobs.put(None)
        return group

    def _commit(self, group: Sequence[_Job]) -> Sequence[_Outcome]:
        """All in one transaction, or one by one when that came to nothing by no fault of theirs."""
        try:
            return self._transaction(group)
        except sa.exc.SQLAlchemyError as error:
            self._disconnect()
            # Whether a lost COMMIT was done nobody knows: doing it again could double it.
            if self._is_in_doubt or not (is_lost(error) or is_aborted(error)):
                return self._failed(group, error)
        return [outcome for job in group for outcome in self._alone(job)]

    def _alone(self, job: _Job) -> Sequence[_Outcome]:
        if job.is_stale:
            return [(job, None, StorageFailed(SILENT))]
        try:
            return self._transaction([job])
        except sa.exc.SQLAlchemyError as error:
            self._disconnect()
            return self._failed([job], error)

    def _transaction(self, group: Sequence[_Job]) -> Sequence[_Outcome]:
        self._is_in_doubt = False
        connection = self._connected()
        begin(connection)
        outcomes: list[_Outcome] = []
        # Savepoints cost as much as the writes. Hardly ever does one fail, and then all are
        # done over, each in its own: only that tells whose failure it is.
        with suppress(Exception):
            outcomes = [(job, job.work(connection), None) for job in group]
        if not outcomes:
            connection = self._rolled_back(connection)
            begin(connection)
            outcomes = [self._attempt(connection, job) for job in group]
        self._is_in_doubt = True
        connection.exec_driver_sql("COMMIT")
        self._is_in_doubt = False
        return outcomes

    def _attempt(self, connection: sa.Connection, job: _Job) -> _Outcome:
        """One job in a savepoint of its own."""
        failure: Exception
        connection.exec_driver_sql("SAVEPOINT job")
        try:
            result = job.work(connection)
        except sa.exc.SQLAlchemyError as error:
            if is_lost(error) or is_aborted(error) or not is_in_transaction(connection):
                raise
            failure = translated(error, self._location)
        except AppError as error:
            failure = error
        except Exception as error:
            log.exception("a database write has a defect")
            failure = error
        else:
            connection.exec_driver_sql("RELEASE SAVEPOINT job")
            return job, result, None
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
        connection.exec_driver_sql("RELEASE SAVEPOINT job")
        return job, None, failure

    def _failed(self, group: Sequence[_Job], error: sa.exc.SQLAlchemyError) -> Sequence[_Outcome]:
        return [(job, None, translated(error, self._location)) for job in group]

    def _connected(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            raw: Any = self._connection.connection.driver_connection
            self.backend = raw.info.backend_pid if self._location.is_postgres else None
        return self._connection

    def _rolled_back(self, connection: sa.Connection) -> sa.Connection:
        if connection.invalidated:
            self._disconnect()
        elif is_in_transaction(connection):
            connection.exec_driver_sql("ROLLBACK")
        return self._connected()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            close(connection)


def _settle(outcomes: Sequence[_Outcome]) -> None:
    for job, result, failure in outcomes:
        if job.done.done():
            continue
        if failure is None:
            job.done.set_result(result)
        else:
            job.done.set_exception(failure)
