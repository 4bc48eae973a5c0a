"""The one DBOS of this process, through its public doors; imported late, because DBOS is large."""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from dbos import DBOS, DBOSPortableJSONSerializer, WorkflowStatus
from dbos import error as dbos_errors
from sqlalchemy.exc import SQLAlchemyError

from app.adapters.queue.engine import QUEUE
from app.domain.errors import StorageFailed
from app.domain.ids import ProcessId

APPLICATION = "incident-agents"
VERSION = "1"
"""Of what an entry means, and not of the product: every process must take every other's entries."""
WORKFLOW = "workflow"
AFTER_A_REASON_SECONDS = 0.01
SELDOM_SECONDS = 3600.0
LISTENER_SECONDS = 0.2
THREADS = 4
FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
AT_ONCE = 500
GRACE = timedelta(seconds=10)
"""An entry is left alone for so long: somebody may be about to look at it."""


class DbosRuntime:
    """What is asked of DBOS; every method waits for the database, so none is for the event loop."""

    def __init__(
        self,
        engine: sa.Engine,
        me: ProcessId,
        concurrency: int,
        run: Callable[[str], Awaitable[None]],
    ) -> None:
        """Prepare its tables and start its threads, one with a loop in which it runs entries."""
        self._engine = engine
        self._me = me
        logger = logging.getLogger("dbos")
        if not logger.handlers:
            # It writes to the console by itself unless it finds a handler.
            logger.addHandler(logging.NullHandler())
        try:
            with _our_words():
                self._launch(concurrency, run)
        except Exception:
            self.destroy()
            raise

    def _launch(self, concurrency: int, run: Callable[[str], Awaitable[None]]) -> None:
        DBOS(
            config={
                "name": APPLICATION,
                "application_version": VERSION,
                "executor_id": self._me,
                "system_database_engine": self._engine,
                "dbos_system_schema": "dbos",
                "serializer": DBOSPortableJSONSerializer(),
                "log_level": "CRITICAL",
                "max_executor_threads": THREADS,
                "use_listen_notify": False,
                "notification_listener_polling_interval_sec": LISTENER_SECONDS,
                "scheduler_polling_interval_sec": SELDOM_SECONDS,
            }
        )

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        async def _(entry: str) -> None:
            await run(entry)

        DBOS.launch()
        # Until here the caller says what went wrong, in one sentence.
        logging.getLogger("dbos").setLevel(logging.ERROR)
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=concurrency,
            polling_interval_sec=AFTER_A_REASON_SECONDS,
            on_conflict="always_update",
        )

    @staticmethod
    def destroy() -> None:
        """End its threads and forget what is registered: another may follow in this process."""
        DBOS.destroy(destroy_registry=True)

    def enqueue(self, entry: str) -> None:
        """Put an entry at the end; one that is there already stays where it is."""
        with _our_words():
            DBOS.enqueue_workflow_with_options(
                {
                    "workflow_name": WORKFLOW,
                    "queue_name": QUEUE,
                    "workflow_id": entry,
                    "app_version": VERSION,
                },
                entry,
            )

    def holders(self) -> frozenset[ProcessId]:
        """Every process that has taken entries out."""
        with _our_words():
            return frozenset(
                ProcessId(taken.executor_id) for taken in _taken() if taken.executor_id
            )

    def put_back(self, process: ProcessId) -> None:
        """Queue again what a process has taken out, in the places that it had."""
        with _our_words():
            _put_back([entry.workflow_id for entry in _taken(process)])

    def tidy(self, running: Collection[str]) -> None:
        """Delete what is finished; queue again what this process has taken out and does not run."""
        before = (datetime.now(UTC) - GRACE).isoformat()
        with _our_words():
            while finished := _finished(before):
                DBOS.delete_workflows([entry.workflow_id for entry in finished])
            taken = [entry.workflow_id for entry in _taken(self._me, before)]
            _put_back([entry for entry in taken if entry not in running])


def _finished(before: str) -> list[WorkflowStatus]:
    return DBOS.list_workflows(
        status=FINISHED, completed_before=before, limit=AT_ONCE, load_input=False, load_output=False
    )


def _taken(by: ProcessId | None = None, before: str | None = None) -> list[WorkflowStatus]:
    return DBOS.list_workflows(
        status="PENDING",
        executor_id=by,
        dequeued_before=before,
        load_input=False,
        load_output=False,
    )


def _put_back(entries: list[str]) -> None:
    if entries:
        DBOS.resume_workflows(entries, queue_name=QUEUE)


@contextmanager
def _our_words() -> Iterator[None]:
    """The engine speaks our words already where a connection failed."""
    try:
        yield
    except (SQLAlchemyError, dbos_errors.DBOSException) as error:
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        raise StorageFailed(f"The queue's tables cannot be used ({reason}).") from error
