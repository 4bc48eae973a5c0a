"""One append as a transaction: numbers are taken and events stored only on a valid ground."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import sqlalchemy as sa

from app.adapters.storage.frames import to_frame
from app.adapters.storage.tables import IS_QUEUED, events, stamp, storable, workflows
from app.domain.errors import Conflict, Fenced, NotFound
from app.domain.events import Bystander, Event, EventStatus, EventType, Latecomer, Recorded, Writer
from app.domain.ids import WorkflowId
from app.domain.workflow import Claim, WorkflowState

CHANNEL = "incident_agents_events"
"""PostgreSQL tells other processes here that there are events, without saying which."""

SIGNAL = sa.func.pg_notify(CHANNEL, "")
NOTIFICATION = sa.select(SIGNAL)
INSERT = sa.insert(events)
THIS = workflows.c.workflow_id == sa.bindparam("id")
FINISHED_AT = sa.select(workflows.c.finished_at).where(THIS)
GUARDS = {
    "Claim": sa.and_(
        workflows.c.finished_at.is_(None),
        workflows.c.owner == sa.bindparam("by"),
        workflows.c.claims == sa.bindparam("number"),
    ),
    "Bystander": IS_QUEUED,
    "Latecomer": sa.and_(
        workflows.c.finished_at.is_not(None),
        workflows.c.last_seq == sa.bindparam("seen"),
    ),
}


@dataclass(frozen=True, slots=True)
class Append:
    """Events that somebody wants in a workflow's log."""

    workflow_id: WorkflowId
    events: Sequence[Event]
    writer: Writer
    epoch: str
    now: datetime

    def __call__(self, connection: sa.Connection) -> Sequence[Recorded]:
        """Store them in the connection's transaction; raises NotFound, Conflict or Fenced."""
        last = connection.execute(self._statement(connection), self._values()).scalar()
        if last is None:
            raise self._refusal(connection)
        first = last - len(self.events) + 1
        recorded = to_recorded(self.workflow_id, self.events, first, self.epoch, self.now)
        insert(connection, recorded)
        return recorded

    def _statement(self, connection: sa.Connection) -> sa.Executable:
        ground = type(self.writer).__name__
        ends = any(event.is_terminal for event in self.events)
        concludes = any(event.type is EventType.OUTCOME for event in self.events)
        return _numbering(connection.dialect.name, ground, ends=ends, concludes=concludes)

    def _values(self) -> dict[str, object]:
        values: dict[str, object] = {"id": self.workflow_id, "count": len(self.events)}
        if isinstance(self.writer, Claim):
            values |= {"by": self.writer.owner, "number": self.writer.number}
        if isinstance(self.writer, Latecomer):
            values["seen"] = self.writer.last
        for place, event in enumerate(self.events, 1):
            if event.is_terminal:
                values |= {
                    "ending": place,
                    "at": stamp(self.now),
                    "said": storable(event.data),
                }
                values["final"] = _final_state(event)
            if event.type is EventType.OUTCOME:
                values["concluding"] = place
        return values

    def _refusal(self, connection: sa.Connection) -> Conflict | NotFound:
        """Why no row was there to be numbered."""
        row = connection.execute(FINISHED_AT, {"id": self.workflow_id}).first()
        if row is None:
            return NotFound(f"Workflow '{self.workflow_id}' not found")
        if isinstance(self.writer, Latecomer):
            return Conflict(f"The log of workflow {self.workflow_id} does not end there.")
        if row.finished_at is not None:
            return Conflict(f"Workflow {self.workflow_id} is over; its agents are done.")
        if isinstance(self.writer, Bystander):
            return Conflict(f"Workflow {self.workflow_id} does not wait any more.")
        return Fenced(f"Workflow {self.workflow_id} belongs to another process now.")


def to_recorded(
    workflow_id: WorkflowId, said: Sequence[Event], first: int, epoch: str, now: datetime
) -> Sequence[Recorded]:
    """Events with their numbers, from `first` on."""
    return [
        Recorded(
            workflow_id,
            seq,
            event.type,
            event.is_terminal,
            to_frame(event, epoch, workflow_id, seq, now),
            now,
        )
        for seq, event in enumerate(said, first)
    ]


def insert(connection: sa.Connection, recorded: Sequence[Recorded]) -> None:
    """Store events whose numbers were taken."""
    rows = [
        {
            "workflow_id": event.workflow_id,
            "seq": event.seq,
            "type": event.type,
            "is_terminal": int(event.is_terminal),
            "recorded_at": stamp(event.recorded_at),
            "frame": event.frame,
        }
        for event in recorded
    ]
    # One row alone goes a shorter way through the library.
    connection.execute(INSERT, rows if len(rows) > 1 else rows[0])


def notify(connection: sa.Connection) -> None:
    """Tell other processes of events that are stored beside an append."""
    if connection.dialect.name == "postgresql":
        connection.execute(NOTIFICATION)


@cache
def _numbering(dialect: str, ground: str, *, ends: bool, concludes: bool) -> sa.Executable:
    """Take numbers, and with the terminal event end the workflow, in one statement."""
    last = workflows.c.last_seq
    statement = (
        sa.update(workflows)
        .where(THIS, GUARDS[ground])
        .values(last_seq=last + sa.bindparam("count"))
        .returning(last)
    )
    if ends:
        statement = statement.values(
            state=sa.bindparam("final"),
            finished_at=sa.bindparam("at"),
            outcome=sa.bindparam("said"),
            terminal_seq=last + sa.bindparam("ending"),
            owner=None,
        )
    if concludes:
        statement = statement.where(workflows.c.outcome_seq == 0)
        statement = statement.values(outcome_seq=last + sa.bindparam("concluding"))
    if dialect == "postgresql":
        # However many a transaction sends, one arrives, and only if it is committed.
        statement = statement.returning(SIGNAL)
    return statement


def _final_state(event: Event) -> str:
    if event.outcome is not None and "state" in event.outcome:
        return WorkflowState(str(event.outcome["state"])).value
    is_good = event.status is EventStatus.COMPLETED
    return (WorkflowState.COMPLETED if is_good else WorkflowState.FAILED).value
