"""Where the graph keeps its place: LangGraph's own tables, beside ours in the same database."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self

import aiosqlite
import psycopg
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from app.adapters.postgres import NETWORK, AsyncPatientConnection
from app.adapters.storage.answer_json import AnswerJson, UnreadableCheckpoint
from app.adapters.storage.location import DatabaseLocation
from app.domain.errors import StartupFailed, StorageFailed

BUSY_SECONDS = 10.0
POOL_SIZE = 4
POOL_SECONDS = 3.0
RECONNECT_SECONDS = 1.0
"""Then whoever asks next tries; left to itself the pool would pause longer and longer."""
SETUP_LOCK = 0x1A469  # any number that nobody else locks
SETUP_SECONDS = 30.0
SETUP_PAUSE_SECONDS = 0.1
CLOSE_SECONDS = 1.0
POSTGRES_ARGUMENTS = NETWORK | {
    "application_name": "incident-agents checkpoints",
    # Each statement stands for itself. A crash of the server may lose the last: the events have it.
    "autocommit": True,
    "prepare_threshold": 0,
    "options": "-c statement_timeout=10s -c synchronous_commit=off",
}

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_checkpointer(location: DatabaseLocation) -> AsyncIterator[BaseCheckpointSaver[str]]:
    """The graph's checkpointer in this database; raises StartupFailed."""
    opened = _open_sqlite(location.path) if location.path else _open_postgres(location.conninfo)
    async with opened as checkpointer:
        yield checkpointer


@asynccontextmanager
async def _open_sqlite(path: Path) -> AsyncIterator[BaseCheckpointSaver[str]]:
    # In autocommit: an open transaction of a cancelled run would lock everybody out of the file.
    opened = aiosqlite.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, factory=_ConnectionOfBatches
    )
    async with opened as connection:
        await connection.execute("PRAGMA synchronous=NORMAL")
        checkpointer = _SqliteCheckpoints(connection, serde=AnswerJson())
        with _at_start():
            await _set_up_file(checkpointer)
        yield checkpointer


@asynccontextmanager
async def _open_postgres(conninfo: str) -> AsyncIterator[BaseCheckpointSaver[str]]:
    # Whoever is refused a connection says so; the pool would repeat it every second.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    pool = AsyncConnectionPool[psycopg.AsyncConnection[DictRow]](
        conninfo,
        min_size=0,
        max_size=POOL_SIZE,
        timeout=POOL_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        open=False,
        check=AsyncConnectionPool.check_connection,
        connection_class=AsyncPatientConnection,
        kwargs={**POSTGRES_ARGUMENTS, "row_factory": dict_row},
    )
    await pool.open()
    try:
        checkpointer = _PostgresCheckpoints(pool, serde=AnswerJson())
        with _at_start():
            await _set_up(pool, checkpointer)
        yield checkpointer
    finally:
        await pool.close(CLOSE_SECONDS)


async def _set_up_file(checkpointer: AsyncSqliteSaver) -> None:
    """SQLite does not wait by itself while another process switches a new file to WAL."""
    async with asyncio.timeout(SETUP_SECONDS):
        while True:
            try:
                await checkpointer.setup()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return
            await asyncio.sleep(SETUP_PAUSE_SECONDS)


async def _set_up(
    pool: AsyncConnectionPool[psycopg.AsyncConnection[DictRow]], checkpointer: AsyncPostgresSaver
) -> None:
    """One process at a time; who waits holds nothing that `CREATE INDEX CONCURRENTLY` waits for."""
    async with asyncio.timeout(SETUP_SECONDS), pool.connection() as connection:
        while True:
            got = await connection.execute("SELECT pg_try_advisory_lock(%s) AS got", [SETUP_LOCK])
            row = await got.fetchone()
            if row is not None and row["got"]:
                break
            await asyncio.sleep(SETUP_PAUSE_SECONDS)
        try:
            await checkpointer.setup()
            # Places may be lost with the server's last moment, the tables themselves may not.
            await connection.execute("SET synchronous_commit = on")
            await connection.execute("UPDATE checkpoint_migrations SET v = v")
            await connection.execute("RESET synchronous_commit")
        finally:
            await connection.execute("SELECT pg_advisory_unlock(%s)", [SETUP_LOCK])


class _BatchCursor(sqlite3.Cursor):
    """Writes the rows of a batch together or not at all, whoever kills or cancels in between.

    The graph takes an agent of which it finds one row for done, and would not find where it goes on.
    """

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        self.execute("BEGIN IMMEDIATE")
        with self.connection:
            return super().executemany(sql, parameters)


class _ConnectionOfBatches(sqlite3.Connection):
    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _BatchCursor)


class _InOurWords(BaseCheckpointSaver[str]):
    """A failing database is StorageFailed; a checkpoint that cannot be read is none."""

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        with _translated():
            try:
                return await super().aget_tuple(config)
            except UnreadableCheckpoint as error:
                log.warning("a checkpoint is passed over", extra={"reason": str(error)})
                return None

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        with _translated():
            return await super().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        with _translated():
            await super().aput_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        with _translated():
            await super().adelete_thread(thread_id)


class _SqliteCheckpoints(_InOurWords, AsyncSqliteSaver):
    """In the file of the data folder."""


class _PostgresCheckpoints(_InOurWords, AsyncPostgresSaver):
    """In the database that several hosts share."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, psycopg.Error) as error:
        raise StorageFailed(
            "The database did not take or give a workflow's place; it is tried again."
        ) from error


@contextmanager
def _at_start() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, psycopg.Error, TimeoutError) as error:
        reason = str(error).partition("\n")[0] or "it takes too long"
        raise StartupFailed(f"The tables of checkpoints cannot be prepared: {reason}.") from error
