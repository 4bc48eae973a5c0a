"""Why a run stops before its end: a person said so, or its time is over."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import Enum, auto

from app.domain.ids import WorkflowId


class StopReason(Enum):
    """What ended a run early."""

    CANCELLED = auto()
    TIME_LIMIT = auto()


class Stop:
    """One run's limit in seconds, which a person may draw forward to now."""

    def __init__(self, limit_seconds: float) -> None:
        """The limit counts from here."""
        self.reason = StopReason.TIME_LIMIT
        self._timeout = asyncio.timeout(limit_seconds)

    @property
    def is_due(self) -> bool:
        """Whether this is what ended the run."""
        return self._timeout.expired()

    def cancel(self) -> None:
        """Stop now; too early and too late are taken care of by who runs it."""
        self.reason = StopReason.CANCELLED
        with suppress(RuntimeError):
            self._timeout.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """The part of the run that stops; raises TimeoutError then."""
        async with self._timeout:
            if self.reason is StopReason.CANCELLED:
                self.cancel()
            yield


class Stops:
    """The runs of this process that can be stopped."""

    def __init__(self) -> None:
        """None runs yet."""
        self._running: dict[WorkflowId, Stop] = {}

    def __len__(self) -> int:
        """How many run."""
        return len(self._running)

    @contextmanager
    def running(self, workflow_id: WorkflowId, limit_seconds: float) -> Iterator[Stop]:
        """A run, for as long as the block lasts."""
        stop = Stop(limit_seconds)
        self._running[workflow_id] = stop
        try:
            yield stop
        finally:
            del self._running[workflow_id]

    def cancel(self, workflow_id: WorkflowId) -> bool:
        """Whether it runs here; it stops then."""
        stop = self._running.get(workflow_id)
        if stop is not None:
            stop.cancel()
        return stop is not None
