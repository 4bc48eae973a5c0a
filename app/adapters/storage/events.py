"""The event log in SQLite: written first, shown after."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from weakref import WeakValueDictionary

from app.adapters.storage.frames import to_frame
from app.adapters.storage.sqlite import Database
from app.domain.errors import Conflict
from app.domain.events import Event, EventStatus, EventType, Recorded
from app.domain.ids import WorkflowId
from app.domain.ports import Clock
from app.domain.workflow import WorkflowState
from app.observability.metrics import Metrics

PAGE = 500
RING = 256


class Tail:
    """The newest events of one workflow that somebody follows."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.latest: deque[Recorded] = deque(maxlen=RING)
        self.changed = asyncio.Event()

    def publish(self, recorded: Sequence[Recorded]) -> None:
        """Show new events to every follower."""
        self.latest.extend(recorded)
        self.changed.set()
        self.changed = asyncio.Event()

    def after(self, seq: int) -> Sequence[Recorded] | None:
        """Events with a higher seq, or None when some of them are no longer here."""
        if not self.latest or self.latest[-1].seq <= seq:
            return ()
        if self.latest[0].seq > seq + 1:
            return None
        return [event for event in self.latest if event.seq > seq]


class SqliteEventLog:
    """EventLog on one SQLite file and in one process."""

    def __init__(self, database: Database, clock: Clock, epoch: str, metrics: Metrics) -> None:
        """Take an open database; nobody else appends to it."""
        self._metrics = metrics
        self._database = database
        self._clock = clock
        self.epoch = epoch
        self._tails: WeakValueDictionary[WorkflowId, Tail] = WeakValueDictionary()
        self._is_ending = False

    async def append(self, workflow_id: WorkflowId, events: Sequence[Event]) -> Sequence[Recorded]:
        """Store, then show to whoever follows."""
        now = self._clock.now()
        recorded = await self._database.write(
            lambda connection: self._insert(connection, workflow_id, events, now)
        )
        self._metrics.events_appended(len(recorded))
        tail = self._tails.get(workflow_id)
        if tail is not None:
            tail.publish(recorded)
        return recorded

    async def read(self, workflow_id: WorkflowId, after: int, limit: int) -> Sequence[Recorded]:
        """Events with `seq > after`, in order."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT seq, type, is_terminal, recorded_at, frame FROM events"
                " WHERE workflow_id = ? AND seq > ? ORDER BY seq LIMIT ?",
                (workflow_id, after, limit),
            ).fetchall()
        )
        return [
            Recorded(
                workflow_id,
                seq,
                EventType(event_type),
                bool(is_terminal),
                frame,
                datetime.fromisoformat(recorded_at),
            )
            for seq, event_type, is_terminal, recorded_at, frame in rows
        ]

    async def follow(
        self, workflow_id: WorkflowId, after: int, idle_seconds: float
    ) -> AsyncIterator[Sequence[Recorded]]:
        """Events with `seq > after` as they come; an empty batch after so long a silence."""
        tail = self._tails.setdefault(workflow_id, Tail())
        batch: Sequence[Recorded] | None = None
        while not self._is_ending:
            changed = tail.changed
            if batch is None:
                batch = await self.read(workflow_id, after, PAGE)
            if not batch:
                await _wait(changed, idle_seconds)
                batch = tail.after(after)
                if batch is None:
                    continue
            yield batch
            if batch and batch[-1].is_terminal:
                return
            after = batch[-1].seq if batch else after
            batch = None if len(batch) == PAGE else tail.after(after)

    def end_streams(self) -> None:
        """End everybody's `follow`, because the process stops."""
        self._is_ending = True
        for tail in list(self._tails.values()):
            tail.publish(())

    def _insert(
        self,
        connection: sqlite3.Connection,
        workflow_id: WorkflowId,
        events: Sequence[Event],
        now: datetime,
    ) -> Sequence[Recorded]:
        last, is_over = connection.execute(
            "SELECT COALESCE(MAX(seq), 0), COALESCE(MAX(is_terminal), 0)"
            " FROM events WHERE workflow_id = ?",
            (workflow_id,),
        ).fetchone()
        if is_over:
            raise Conflict(f"Workflow {workflow_id} is over; nothing can follow its last event.")
        recorded = [
            Recorded(
                workflow_id,
                seq,
                event.type,
                event.is_terminal,
                to_frame(event, self.epoch, workflow_id, seq, now),
                now,
            )
            for seq, event in enumerate(events, last + 1)
        ]
        connection.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
            [
                (workflow_id, r.seq, r.type, r.is_terminal, now.isoformat(), r.frame)
                for r in recorded
            ],
        )
        if events[-1].is_terminal:
            _finish(connection, workflow_id, events[-1], now)
        return recorded


async def read_epoch(database: Database) -> str:
    """The epoch that this data folder was born with."""
    row = await database.read(
        lambda connection: connection.execute(
            "SELECT value FROM meta WHERE key = 'epoch'"
        ).fetchone()
    )
    return str(row[0])


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return


def _finish(
    connection: sqlite3.Connection, workflow_id: WorkflowId, last: Event, now: datetime
) -> None:
    """A workflow has ended when its terminal event is stored, not a moment later."""
    is_good = last.status is EventStatus.COMPLETED
    connection.execute(
        "UPDATE workflows SET state = ?, finished_at = ?, outcome = ? WHERE workflow_id = ?",
        (
            WorkflowState.COMPLETED if is_good else WorkflowState.FAILED,
            now.isoformat(),
            last.data,
            workflow_id,
        ),
    )
