"""Entries come from DBOS's event loop; their work is done in ours, so many at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass

from app.adapters.queue.pace import Pace
from app.domain.ids import WorkflowId
from app.domain.ports import Work

LAST_LOOK_SECONDS = 0.5
STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Consumer:
    """Who does the work, and in which loop."""

    loop: asyncio.AbstractEventLoop
    work: Work


class Turns:
    """What this process has taken out of the queue and not finished."""

    def __init__(self, concurrency: int, pace: Pace) -> None:
        """DBOS keeps to the bound, too, but counts a little late."""
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._pace = pace
        self._consumer: _Consumer | None = None
        self._entries: dict[asyncio.Task[object], str] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def entries(self) -> frozenset[str]:
        """What runs here, by the entries' ids."""
        return frozenset(tuple(self._entries.values()))

    @asynccontextmanager
    async def consumed_by(self, work: Work) -> AsyncIterator[None]:
        """Entries run until left; those that still do are cancelled then, and stay taken."""
        self._consumer = _Consumer(asyncio.get_running_loop(), work)
        self._pace.open()
        try:
            yield
        finally:
            self._consumer = None
            await asyncio.to_thread(self._pace.close, LAST_LOOK_SECONDS)
            if tasks := tuple(self._tasks):
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=STOP_SECONDS)

    async def run(self, entry: str) -> None:
        """Called in DBOS's loop. An entry whose run was cancelled stays taken by this process."""
        consumer = self._consumer
        if consumer is None:
            raise asyncio.CancelledError
        self._note(entry)
        turn = self._turn(consumer, WorkflowId(entry.rpartition(".")[0]))
        # In a context of its own: in DBOS's, what the work asks of DBOS would be part of the entry.
        future = Context().run(asyncio.run_coroutine_threadsafe, turn, consumer.loop)
        await asyncio.wrap_future(future)

    def _note(self, entry: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._entries[task] = entry
        task.add_done_callback(self._forget)
        # Where there was one there may be more than could be taken.
        self._pace.wake()

    def _forget(self, task: asyncio.Task[object]) -> None:
        """DBOS counts it no more by now: if there was no room, there is."""
        if len(self._entries) >= self._concurrency:
            self._pace.wake()
        del self._entries[task]

    async def _turn(self, consumer: _Consumer, workflow_id: WorkflowId) -> None:
        if consumer is not self._consumer:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            async with self._slots:
                await consumer.work(workflow_id)
        finally:
            self._tasks.discard(task)
