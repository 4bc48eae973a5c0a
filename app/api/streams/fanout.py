"""The fan-out: every followed workflow of this process, its events encoded once for all readers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from types import TracebackType

from app.api.streams.limits import StreamLimits
from app.api.streams.stragglers import Spawn
from app.api.streams.stream import Stream
from app.domain.errors import TooBusy
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog
from app.observability.metrics import Metrics

TICKS_PER_HEARTBEAT = 10


class Draining(TooBusy):
    """The process stops; another one will answer."""


class Place:
    """A follower's place, for as long as the block lasts; small, because there are many."""

    __slots__ = ("_counted", "_fanout", "_stream", "_workflow_id")

    def __init__(self, fanout: "Fanout", workflow_id: WorkflowId) -> None:
        """Not taken yet."""
        self._fanout = fanout
        self._workflow_id = workflow_id

    def __enter__(self) -> Stream:
        """Take it; raises TooBusy when there is none, and Draining."""
        self._stream = self._fanout.enter(self._workflow_id)
        self._counted = self._fanout.metrics.stream_open()
        self._counted.__enter__()
        return self._stream

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        self._counted.__exit__(None, None, None)
        self._fanout.leave(self._workflow_id, self._stream)


class Fanout:
    """A stream is made for its first follower and dropped with its last."""

    def __init__(
        self, events: EventLog, limits: StreamLimits, metrics: Metrics, spawn: Spawn
    ) -> None:
        """Nobody follows anything."""
        self.events = events
        self.limits = limits
        self.metrics = metrics
        self._spawn = spawn
        self._streams: dict[WorkflowId, tuple[Stream, AbstractContextManager[None]]] = {}
        self._open = 0
        self._is_draining = False

    def follow(self, workflow_id: WorkflowId) -> Place:
        """A place among the open streams."""
        return Place(self, workflow_id)

    def enter(self, workflow_id: WorkflowId) -> Stream:
        """For a place: one follower more; raises TooBusy when all are taken, and Draining."""
        if self._is_draining:
            raise Draining("The server stops; connect again.")
        if self._open >= self.limits.most_open:
            raise TooBusy(f"{self._open} streams are open already; close some, or try again later.")
        self._open += 1
        if workflow_id not in self._streams:
            stream = Stream(self.events, workflow_id, self.limits, self._spawn)
            subscription = self.events.subscribe(workflow_id, stream.hear)
            subscription.__enter__()
            self._streams[workflow_id] = stream, subscription
        stream, _ = self._streams[workflow_id]
        stream.followers += 1
        return stream

    def leave(self, workflow_id: WorkflowId, stream: Stream) -> None:
        """For a place: one follower less."""
        self._open -= 1
        stream.followers -= 1
        if not stream.followers:
            _, subscription = self._streams.pop(workflow_id)
            subscription.__exit__(None, None, None)
            stream.close()

    def drain(self) -> None:
        """End every stream, because the process stops; what is slow is cut off a little later."""
        if self._is_draining:
            return
        self._is_draining = True
        for stream, _ in self._streams.values():
            stream.drain()
        asyncio.get_running_loop().call_later(self.limits.farewell_seconds, self._cut_off)

    async def tick(self) -> None:
        """Once in a while, as long as the process lives."""
        while True:
            await asyncio.sleep(self.limits.heartbeat_seconds / TICKS_PER_HEARTBEAT)
            for stream, _ in tuple(self._streams.values()):
                await stream.tick()

    def _cut_off(self) -> None:
        for stream, _ in self._streams.values():
            stream.cut_off()


@asynccontextmanager
async def open_fanout(
    events: EventLog, limits: StreamLimits, metrics: Metrics
) -> AsyncIterator[Fanout]:
    """A fan-out with the tasks that it needs; leaving drains it."""
    async with asyncio.TaskGroup() as group:
        fanout = Fanout(events, limits, metrics, group.create_task)
        ticking = group.create_task(fanout.tick())
        try:
            yield fanout
        finally:
            fanout.drain()
            ticking.cancel()
