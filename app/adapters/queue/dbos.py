"""JobQueue on DBOS, whose tables stand beside ours in the same database.

An entry is one attempt at one workflow, `<workflow id>.<attempt>`. DBOS keeps the order, gives
each entry to one process and knows who has it; whose run counts, our claims decide.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import sqlalchemy as sa

from app.adapters.postgres import SILENCE_SECONDS, Patience
from app.adapters.queue.engine import create_engine
from app.adapters.queue.pace import Pace
from app.adapters.queue.turns import Turns
from app.domain.errors import StartupFailed, StorageFailed
from app.domain.ids import ProcessId, WorkflowId
from app.domain.ports import Work

if TYPE_CHECKING:
    from app.adapters.queue.runtime import DbosRuntime

IDLE_SECONDS = 1.0
TIDY_SECONDS = 5.0
CLOSE_SECONDS = 1.0
CALLERS = 2

log = logging.getLogger(__name__)

P = ParamSpec("P")
A = TypeVar("A")


class DbosQueue:
    """JobQueue whose entries outlive every process."""

    def __init__(
        self, runtime: "DbosRuntime", turns: Turns, pace: Pace, callers: ThreadPoolExecutor
    ) -> None:
        """Use `open_dbos_queue` instead: it starts DBOS and ends it."""
        self._runtime = runtime
        self._turns = turns
        self._pace = pace
        self._callers = callers

    async def enqueue(self, workflow_id: WorkflowId, attempt: int) -> None:
        """Hand over durably; the same attempt twice is one."""
        await self._ask(self._runtime.enqueue, f"{workflow_id}.{attempt}")
        self._pace.wake()

    async def holders(self) -> frozenset[ProcessId]:
        """Who has taken something out and not finished it."""
        return await self._ask(self._runtime.holders)

    async def recover(self, dead: ProcessId) -> None:
        """Queue again, at the front, what a dead process was running."""
        await self._ask(self._runtime.put_back, dead)
        self._pace.wake()

    @asynccontextmanager
    async def consume(self, work: Work) -> AsyncIterator[None]:
        """Call `work` in this event loop for what is queued, within the bound on concurrency."""
        async with self._turns.consumed_by(work), asyncio.TaskGroup() as group:
            tidying = group.create_task(self._keep_tidy())
            try:
                yield
            finally:
                tidying.cancel()

    async def _keep_tidy(self) -> None:
        is_failing = False
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            try:
                await self._ask(self._runtime.tidy, self._turns.entries)
                is_failing = False
            except StorageFailed as error:
                if not is_failing:
                    log.warning("the queue cannot be used now", extra={"reason": str(error)})
                is_failing = True

    async def _ask(self, call: Callable[P, A], *args: P.args, **kwargs: P.kwargs) -> A:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._callers, lambda: call(*args, **kwargs))


@asynccontextmanager
async def open_dbos_queue(url: str, me: ProcessId, concurrency: int) -> AsyncIterator[DbosQueue]:
    """The queue in the database at this URL; `concurrency` is this process's, and the last one's for all.

    Raises StartupFailed.
    """
    pace = Pace(IDLE_SECONDS)
    turns = Turns(concurrency, pace)
    patience = Patience(SILENCE_SECONDS)
    engine = create_engine(url, pace, patience)
    callers = ThreadPoolExecutor(CALLERS, "queue")
    loop = asyncio.get_running_loop()
    try:
        runtime = await loop.run_in_executor(callers, _launch, engine, me, concurrency, turns)
        try:
            yield DbosQueue(runtime, turns, pace, callers)
        finally:
            pace.end()
            patience.end(0)
            await loop.run_in_executor(callers, _destroy, runtime)
    finally:
        callers.shutdown(wait=False)
        engine.dispose()


def _launch(engine: sa.Engine, me: ProcessId, concurrency: int, turns: Turns) -> "DbosRuntime":
    from app.adapters.queue.runtime import DbosRuntime  # noqa: PLC0415 - takes a second

    try:
        return DbosRuntime(engine, me, concurrency, turns.run)
    except StorageFailed as error:
        raise StartupFailed(f"The queue of workflows cannot be prepared: {error}") from error


def _destroy(runtime: "DbosRuntime") -> None:
    """Its threads may wait for a database that is gone: nobody waits for them."""
    destroying = threading.Thread(target=runtime.destroy, name="queue destroy", daemon=True)
    destroying.start()
    destroying.join(CLOSE_SECONDS)
