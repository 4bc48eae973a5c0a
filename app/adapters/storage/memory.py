"""The event log in a dict: for one diagnosis in the terminal, gone with the process."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from app.adapters.storage.frames import to_frame
from app.domain.errors import Conflict
from app.domain.events import Event, Recorded
from app.domain.ids import WorkflowId
from app.domain.ports import Clock


class MemoryEventLog:
    """EventLog without a file."""

    epoch = "memory"

    def __init__(self, clock: Clock) -> None:
        """Start empty."""
        self._clock = clock
        self._recorded: defaultdict[WorkflowId, list[Recorded]] = defaultdict(list)
        self._changed = asyncio.Event()
        self._is_ending = False

    async def append(self, workflow_id: WorkflowId, events: Sequence[Event]) -> Sequence[Recorded]:
        """Keep, then show to whoever follows."""
        kept, now = self._recorded[workflow_id], self._clock.now()
        if kept and kept[-1].is_terminal:
            raise Conflict(f"Workflow {workflow_id} is over; nothing can follow.")
        recorded = [
            Recorded(
                workflow_id,
                seq,
                event.type,
                event.is_terminal,
                to_frame(event, self.epoch, workflow_id, seq, now),
                now,
            )
            for seq, event in enumerate(events, len(kept) + 1)
        ]
        kept.extend(recorded)
        self._wake()
        return recorded

    async def read(self, workflow_id: WorkflowId, after: int, limit: int) -> Sequence[Recorded]:
        """Events with `seq > after`, in order."""
        return self._recorded[workflow_id][after : after + limit]

    async def follow(
        self, workflow_id: WorkflowId, after: int, idle_seconds: float
    ) -> AsyncIterator[Sequence[Recorded]]:
        """Events with `seq > after` as they come; an empty batch after so long a silence."""
        while not self._is_ending:
            batch = self._recorded[workflow_id][after:]
            if not batch:
                changed = self._changed
                try:
                    async with asyncio.timeout(idle_seconds):
                        await changed.wait()
                except TimeoutError:
                    yield ()
                continue
            yield batch
            if batch[-1].is_terminal:
                return
            after = batch[-1].seq

    def end_streams(self) -> None:
        """End everybody's `follow`."""
        self._is_ending = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
