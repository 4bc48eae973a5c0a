"""DBOS's connections to our database: tuned as ours are, paced, and failing in our words."""

import threading
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InterfaceError, OperationalError

from app.adapters.postgres import NETWORK, Patience, be_patient
from app.adapters.queue.pace import Pace
from app.domain.errors import StorageFailed

QUEUE = "workflows"
# How DBOS calls the thread that takes workflows out, and what this thread reads before each look.
POLLER = f"queue-worker-{QUEUE}"
BEFORE_A_LOOK = "queues.polling_interval_sec"

POOL_SIZE = 8
POOL_OVERFLOW = 4
POOL_SECONDS = 10
SQLITE_PRAGMAS = ("journal_mode=WAL", "busy_timeout=10000", "synchronous=NORMAL", "foreign_keys=ON")
POSTGRES_CONNECTION = NETWORK | {
    "application_name": "incident-agents queue",
    # A crash of the server may lose the last entries; what is stored and not queued is found again.
    "options": "-c statement_timeout=10s -c synchronous_commit=off",
}
# Lock conflicts and the like: DBOS knows what to do about them.
PASSING = ("40", "55")


def create_engine(url: str, pace: Pace, patience: Patience) -> sa.Engine:
    """Connections that DBOS uses from its own threads."""
    is_sqlite = sa.make_url(url).get_backend_name() == "sqlite"
    engine = sa.create_engine(
        url,
        connect_args={} if is_sqlite else POSTGRES_CONNECTION,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=not is_sqlite,
        poolclass=sa.QueuePool,
    )
    if is_sqlite:
        sa.event.listen(engine, "connect", _tune)
    else:
        be_patient(engine, patience)
    sa.event.listen(engine, "handle_error", _translate)

    def hold(_: sa.Connection, __: object, statement: str, *___: object) -> None:
        if threading.current_thread().name != POLLER:
            return
        if BEFORE_A_LOOK in statement:
            pace.wait()
        if pace.is_over:
            raise StorageFailed("The queue is closed.")

    sa.event.listen(engine, "before_cursor_execute", hold)
    return engine


def _tune(connection: Any, _: object) -> None:
    """Our writer writes to the same file; who only reads first must not find it locked then."""
    connection.isolation_level = "IMMEDIATE"
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _translate(context: ExceptionContext) -> None:
    """Fail at once: DBOS would try again for ever, and hold its threads meanwhile."""
    if not isinstance(context.sqlalchemy_exception, OperationalError | InterfaceError):
        return
    error = context.original_exception
    if (getattr(error, "sqlstate", None) or "").startswith(PASSING):
        return
    raise StorageFailed(
        "The queue's database does not work or cannot be reached; see its own log."
    ) from error
