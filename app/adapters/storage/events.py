"""The event log in a database: written first, shown after, by whichever process."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from app.adapters.storage.appending import Append
from app.adapters.storage.database import Database, settled
from app.adapters.storage.listening import Listeners
from app.adapters.storage.tables import events, meta, workflows
from app.adapters.storage.wakeups import wakeups
from app.domain.errors import NotFound, StorageFailed
from app.domain.events import Event, EventType, LogBounds, Recorded, Writer
from app.domain.ids import WorkflowId
from app.domain.ports import Clock, Listener
from app.observability.metrics import Metrics

log = logging.getLogger(__name__)

MOST = 500
LEISURE = 5
MOST_REST_SECONDS = 0.5
PAUSE_SECONDS = 1.0

PAGE = (
    sa.select(
        events.c.seq, events.c.type, events.c.is_terminal, events.c.recorded_at, events.c.frame
    )
    .where(events.c.workflow_id == sa.bindparam("id"), events.c.seq > sa.bindparam("after"))
    .order_by(events.c.seq)
    .limit(sa.bindparam("most"))
)
BOUNDS = sa.select(
    workflows.c.first_seq, workflows.c.last_seq, workflows.c.terminal_seq, workflows.c.outcome_seq
).where(workflows.c.workflow_id == sa.bindparam("id"))

LAST = sa.select(workflows.c.workflow_id, workflows.c.last_seq).where(
    workflows.c.workflow_id.in_(sa.bindparam("ids", expanding=True))
)


class SqlEventLog:
    """EventLog on a database that several processes may share."""

    def __init__(self, database: Database, clock: Clock, epoch: str, metrics: Metrics) -> None:
        """Take an open database and what `read_epoch` says of it."""
        self.epoch = epoch
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._listeners = Listeners()

    async def append(
        self, workflow_id: WorkflowId, events: Sequence[Event], writer: Writer
    ) -> Sequence[Recorded]:
        """Store, then show to listeners; also when the caller is cancelled meanwhile."""
        job = Append(workflow_id, events, writer, self.epoch, self._clock.now())
        done = self._database.submit(job)
        done.add_done_callback(self._show)
        return await settled(done)

    def show(self, recorded: Sequence[Recorded]) -> None:
        """Tell listeners of events that were stored beside an append."""
        self._metrics.events_appended(len(recorded))
        self._listeners.show(recorded)

    async def read(self, workflow_id: WorkflowId, after: int, limit: int) -> Sequence[Recorded]:
        """Events with `seq > after`, in order."""
        return await self._database.read(
            lambda connection: read_page(connection, workflow_id, after, limit)
        )

    async def bounds(self, workflow_id: WorkflowId) -> LogBounds:
        """Where the log begins and ends; raises NotFound."""
        row = await self._database.read(
            lambda connection: connection.execute(BOUNDS, {"id": workflow_id}).first()
        )
        if row is None:
            raise NotFound(f"Workflow '{workflow_id}' not found")
        return LogBounds(*row)

    @contextmanager
    def subscribe(self, workflow_id: WorkflowId, listener: Listener) -> Iterator[None]:
        """Call the listener with what is appended, until left."""
        with self._listeners.subscribed(workflow_id, listener):
            yield

    def _show(self, done: asyncio.Future[Sequence[Recorded]]) -> None:
        if not done.cancelled() and done.exception() is None:
            self.show(done.result())

    @asynccontextmanager
    async def following(self, has_peers: Callable[[], bool]) -> AsyncIterator[None]:
        """Show listeners what other processes append, until left; `has_peers`: are there any?"""
        try:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(self._follow(has_peers))
                try:
                    yield
                finally:
                    task.cancel()
        except ExceptionGroup as failures:
            # What is raised inside comes out as it is: callers know it by its type.
            raise failures.exceptions[0] from None

    async def _follow(self, has_peers: Callable[[], bool]) -> None:
        def is_needed() -> bool:
            return bool(self._listeners.heard)

        async with aclosing(wakeups(self._database, is_needed, has_peers)) as signals:
            async for _ in signals:
                started = time.monotonic()
                for recorded in await self._unheard():
                    self._listeners.show(recorded)
                # Looking takes a small part of the time, however much is written; but one look
                # that took long, on a busy machine, must not delay the next one for minutes.
                rest = LEISURE * (time.monotonic() - started)
                await asyncio.sleep(min(rest, MOST_REST_SECONDS))

    async def _unheard(self) -> Sequence[Sequence[Recorded]]:
        """What other processes appended to workflows that somebody here listens to."""
        while True:
            try:
                return await self._database.read(self._news())
            except StorageFailed as error:
                log.warning("events of other processes wait", extra={"reason": str(error)})
            await asyncio.sleep(PAUSE_SECONDS)

    def _news(self) -> Callable[[sa.Connection], list[Sequence[Recorded]]]:
        heard = dict(self._listeners.heard)
        return lambda connection: [
            recorded
            for part in _parts(heard)
            for workflow_id, last in connection.execute(LAST, {"ids": part}).all()
            if (recorded := _unheard(connection, workflow_id, heard[workflow_id], last))
        ]


async def read_epoch(database: Database) -> str:
    """The epoch that this database was born, or restored, with."""
    query = sa.select(meta.c.value).where(meta.c.key == "epoch")
    return await database.read(lambda connection: str(connection.execute(query).scalar_one()))


def read_page(
    connection: sa.Connection, workflow_id: WorkflowId, after: int, limit: int
) -> Sequence[Recorded]:
    """Events with `seq > after`, in order."""
    values = {"id": workflow_id, "after": after, "most": limit}
    return [
        Recorded(
            workflow_id,
            seq,
            EventType(event_type),
            bool(is_terminal),
            frame,
            datetime.fromisoformat(recorded_at),
        )
        for seq, event_type, is_terminal, recorded_at, frame in connection.execute(PAGE, values)
    ]


def _unheard(
    connection: sa.Connection, workflow_id: WorkflowId, heard: int, last: int
) -> Sequence[Recorded]:
    """What to tell: the newest alone to somebody who has heard nothing, and reads by itself."""
    if last <= heard:
        return ()
    after = max(heard, last - MOST) if heard else last - 1
    return read_page(connection, workflow_id, after, MOST)


def _parts(heard: Mapping[WorkflowId, int]) -> Iterator[Sequence[WorkflowId]]:
    """An argument list has an end in both databases."""
    ids = iter(heard)
    while part := list(islice(ids, MOST)):
        yield part
