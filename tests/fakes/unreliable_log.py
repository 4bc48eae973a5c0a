"""A log of events with the weaknesses that the port allows, and some that it does not."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.adapters.storage.memory import MemoryEventLog
from app.domain.errors import StorageFailed
from app.domain.events import Event, LogBounds, Recorded, Writer
from app.domain.ids import WorkflowId
from app.domain.ports import Listener


class UnreliableLog:
    """An EventLog whose listeners may miss or repeat, and whose storage may fail."""

    def __init__(self, log: MemoryEventLog) -> None:
        """Reliable at first."""
        self._log = log
        self.epoch = log.epoch
        self.tells = True
        """Whether listeners hear of what is appended."""
        self.repeats = False
        """Whether they hear what they have heard, too."""
        self.is_down = False
        self.first = 1
        """Retention has taken what is before; the terminal event stays."""
        self.answers = asyncio.Event()
        """Bounds that are asked for meanwhile are old when this is set."""
        self.answers.set()
        self.turns_pages = asyncio.Event()
        """Reading waits for this."""
        self.turns_pages.set()
        self.reads = 0
        self.followed = 0
        """How many listen now."""

    async def append(
        self, workflow_id: WorkflowId, events: Sequence[Event], writer: Writer
    ) -> Sequence[Recorded]:
        """Never fails."""
        return await self._log.append(workflow_id, events, writer)

    async def read(self, workflow_id: WorkflowId, after: int, limit: int) -> Sequence[Recorded]:
        """What retention has left."""
        self.reads += 1
        await self.turns_pages.wait()
        self._check()
        kept = await self._log.read(workflow_id, 0, 1_000_000)
        return [event for event in kept if event.seq >= self.first and event.seq > after][:limit]

    async def bounds(self, workflow_id: WorkflowId) -> LogBounds:
        """What retention has left."""
        self._check()
        bounds = await self._log.bounds(workflow_id)
        await self.answers.wait()
        return LogBounds(self.first, bounds.last, bounds.terminal, bounds.outcome)

    @contextmanager
    def subscribe(self, workflow_id: WorkflowId, listener: Listener) -> Iterator[None]:
        """Listen, as far as it tells."""
        heard: list[Recorded] = []

        def hear(events: Sequence[Recorded]) -> None:
            heard.extend(events)
            if self.tells:
                listener(heard[-5:] if self.repeats else events)
            if self.repeats:
                listener(heard[:1])

        self.followed += 1
        with self._log.subscribe(workflow_id, hear):
            yield
        self.followed -= 1

    def _check(self) -> None:
        if self.is_down:
            raise StorageFailed("The database does not answer; try again later.")
