"""Workflows and their inputs: made, claimed by processes, listed."""

import asyncio
import json
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.adapters.storage import places, retention
from app.adapters.storage.appending import insert, to_recorded
from app.adapters.storage.database import Database
from app.adapters.storage.events import SqlEventLog
from app.adapters.storage.processes import is_living
from app.adapters.storage.tables import IS_QUEUED, inputs, stamp, storable, workflows
from app.domain.errors import Conflict, Fenced, NotFound, TooBusy
from app.domain.events import Event
from app.domain.ids import ProcessId, WorkflowId
from app.domain.ports import Clock
from app.domain.workflow import Claim, WorkflowInput, WorkflowRecord, WorkflowState

STRAYS = 1_000
YOUNG = timedelta(seconds=5)

THIS = workflows.c.workflow_id == sa.bindparam("id")
IS_UNFINISHED = workflows.c.finished_at.is_(None)
HAS_NO_OWNER = sa.or_(workflows.c.owner.is_(None), ~is_living(workflows.c.owner))
RECORD = (
    workflows.c.workflow_id,
    workflows.c.state,
    workflows.c.created_at,
    workflows.c.finished_at,
    workflows.c.title,
    workflows.c.outcome,
)
GET: sa.Select[Any] = sa.select(*RECORD).where(THIS)
CLAIM = (
    sa.update(workflows)
    .where(THIS, IS_UNFINISHED, sa.or_(workflows.c.owner == sa.bindparam("me"), HAS_NO_OWNER))
    .values(
        owner=sa.bindparam("me"),
        claims=workflows.c.claims + 1,
        claimed_at=sa.bindparam("at"),
        state=WorkflowState.RUNNING.value,
    )
    .returning(workflows.c.claims)
)
COUNT = sa.select(sa.func.count()).where(IS_QUEUED)
CANCEL = (
    sa.update(workflows)
    .where(THIS, IS_UNFINISHED)
    .values(
        cancel_requested_at=sa.func.coalesce(workflows.c.cancel_requested_at, sa.bindparam("at"))
    )
)
CANCELLING = sa.select(workflows.c.workflow_id).where(
    workflows.c.cancel_requested_at.is_not(None),
    IS_UNFINISHED,
    sa.or_(workflows.c.owner.is_(None), workflows.c.owner == sa.bindparam("me")),
)
STRAY = (
    sa.select(workflows.c.workflow_id, workflows.c.claims)
    .where(
        IS_UNFINISHED,
        HAS_NO_OWNER,
        workflows.c.created_at < sa.bindparam("before"),
        sa.func.coalesce(workflows.c.claimed_at, "") < sa.bindparam("before"),
    )
    .order_by(workflows.c.position)
    .limit(STRAYS)
)


class SqlWorkflowStore:
    """WorkflowStore of one of the processes that share a database."""

    def __init__(
        self, database: Database, clock: Clock, process_id: ProcessId, events: SqlEventLog
    ) -> None:
        """Take an open database and the log of the same one."""
        self._database = database
        self._clock = clock
        self._me = process_id
        self._events = events

    async def create(
        self, record: WorkflowRecord, log_input: WorkflowInput, first: Event, most_waiting: int
    ) -> int:
        """Keep a new workflow, its redacted input and its first event; TooBusy beyond the bound."""
        text = await asyncio.to_thread(zlib.compress, log_input.text.encode(), 1)
        said = to_recorded(record.workflow_id, [first], 1, self._events.epoch, self._clock.now())

        def store(connection: sa.Connection) -> int:
            waiting: int = connection.execute(COUNT).scalar_one()
            if waiting >= most_waiting:
                raise TooBusy(f"{waiting} workflows wait already; try again in a minute.")
            connection.execute(sa.insert(workflows), _row(record))
            connection.execute(sa.insert(inputs), _input_row(record.workflow_id, log_input, text))
            insert(connection, said)
            return waiting

        waiting = await self._database.write(store)
        self._events.show(said)
        return waiting

    async def get(self, workflow_id: WorkflowId) -> WorkflowRecord:
        """One record; raises NotFound."""
        return await self._database.read(lambda connection: _get(connection, workflow_id))

    async def input_of(self, workflow_id: WorkflowId) -> WorkflowInput:
        """The redacted input; raises NotFound, also when retention has taken it away."""
        query = sa.select(inputs.c.text, inputs.c.redactions).where(
            inputs.c.workflow_id == workflow_id
        )

        def fetch(connection: sa.Connection) -> WorkflowInput:
            row = connection.execute(query).first()
            if row is None:
                raise NotFound(f"Workflow '{workflow_id}' not found")
            redactions = json.loads(row.redactions)
            return WorkflowInput(zlib.decompress(row.text).decode(), tuple(redactions.items()))

        return await self._database.read(fetch)

    async def claim(self, workflow_id: WorkflowId) -> Claim:
        """Make it this process's to run; raises Fenced, or Conflict when it is over."""
        values = {"id": workflow_id, "me": self._me, "at": self._now()}

        def take(connection: sa.Connection) -> Claim:
            number = connection.execute(CLAIM, values).scalar()
            if number is not None:
                return Claim(self._me, number)
            if _get(connection, workflow_id).finished_at is not None:
                raise Conflict(f"Workflow {workflow_id} is over.")
            raise Fenced(f"Workflow {workflow_id} belongs to another process.")

        return await self._database.write(take)

    async def begin(self, workflow_id: WorkflowId, title: str) -> None:
        """Note its title."""
        statement = sa.update(workflows).where(workflows.c.workflow_id == workflow_id)
        values = {"title": storable(title)}
        await self._database.write(lambda connection: connection.execute(statement.values(values)))

    async def page(
        self, before: int | None, limit: int
    ) -> tuple[Sequence[WorkflowRecord], int | None]:
        """Newest first, and the cursor of the next page, None at the end."""
        query = sa.select(*RECORD, workflows.c.position).order_by(workflows.c.position.desc())
        if before is not None:
            query = query.where(workflows.c.position < before)
        rows = await self._rows(query.limit(limit + 1))
        cursor = rows[limit - 1].position if len(rows) > limit else None
        return [_record(row) for row in rows[:limit]], cursor

    async def count_waiting(self) -> int:
        """How many are queued, in all processes."""
        (row,) = await self._rows(COUNT)
        return int(row[0])

    async def tell_positions(self, limit: int) -> None:
        """Append its place to each waiting workflow that has moved far enough to be told."""
        now, epoch = self._clock.now(), self._events.epoch
        for recorded in await self._database.write(
            lambda connection: places.tell(connection, limit, epoch, now)
        ):
            self._events.show(recorded)

    async def request_cancel(self, workflow_id: WorkflowId) -> WorkflowRecord:
        """Ask whoever runs it to stop; once is as good as often. Raises NotFound."""

        def note(connection: sa.Connection) -> WorkflowRecord:
            connection.execute(CANCEL, {"id": workflow_id, "at": self._now()})
            return _get(connection, workflow_id)

        return await self._database.write(note)

    async def cancel_requests(self) -> Sequence[WorkflowId]:
        """Workflows that are to be stopped, and which this process runs or nobody does."""
        return [row.workflow_id for row in await self._rows(CANCELLING, me=self._me)]

    async def strays(self) -> Sequence[tuple[WorkflowId, int]]:
        """Unfinished workflows that no living process has, but for the youngest."""
        before = stamp(self._clock.now() - YOUNG)
        return [(row.workflow_id, row.claims) for row in await self._rows(STRAY, before=before)]

    async def purge(self, finished_before: datetime, limit: int) -> int:
        """Take away the bulk of workflows that ended before; returns of how many."""
        now = self._clock.now()
        return await self._database.write(
            lambda connection: retention.purge(connection, finished_before, limit, now)
        )

    async def _rows(self, query: sa.Select[Any], **values: object) -> Sequence[sa.Row[Any]]:
        return await self._database.read(lambda connection: connection.execute(query, values).all())

    def _now(self) -> str:
        return stamp(self._clock.now())


def _row(record: WorkflowRecord) -> dict[str, object]:
    return {
        "workflow_id": record.workflow_id,
        "state": record.state.value,
        "created_at": stamp(record.created_at),
        "title": storable(record.title),
        "outcome": "",
        "last_seq": 1,
    }


def _input_row(workflow_id: WorkflowId, log_input: WorkflowInput, text: bytes) -> dict[str, object]:
    redactions = json.dumps(dict(log_input.redactions))
    return {"workflow_id": workflow_id, "text": text, "redactions": redactions}


def _get(connection: sa.Connection, workflow_id: WorkflowId) -> WorkflowRecord:
    row = connection.execute(GET, {"id": workflow_id}).first()
    if row is None:
        raise NotFound(f"Workflow '{workflow_id}' not found")
    return _record(row)


def _record(row: sa.Row[Any]) -> WorkflowRecord:
    return WorkflowRecord(
        WorkflowId(row.workflow_id),
        WorkflowState(row.state),
        datetime.fromisoformat(row.created_at),
        datetime.fromisoformat(row.finished_at) if row.finished_at else None,
        row.title,
        row.outcome,
    )
