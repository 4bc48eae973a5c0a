"""Processes that store workflows, opened in this one: each with a database of its own to talk to."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.adapters.storage.database import Database, open_database
from app.adapters.storage.events import SqlEventLog, read_epoch
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.outbox import SqlProposalOutbox
from app.adapters.storage.processes import SqlProcessTable
from app.adapters.storage.workflows import SqlWorkflowStore
from app.domain.answer import AgentName
from app.domain.approval import OutgoingProposal, Proposal, ProposalMetadata, ProposedCommand
from app.domain.events import Event, EventStatus, EventType, Recorded
from app.domain.ids import FeedbackId, ProcessId, WorkflowId, new_process_id, new_workflow_id
from app.domain.plan import SafetyLevel
from app.domain.workflow import Claim, WorkflowInput, WorkflowRecord, WorkflowState
from app.observability.metrics import Metrics

WORKFLOW = WorkflowId("9f7c1f7e-3c2e-4f2b-9d55-0f2d6f7d2f10")
RESTART = "kubectl rollout restart deployment/checkout -n shop"
INPUT = WorkflowInput("ERROR out of memory \u2028 😀", (("password", 2),))


@dataclass
class SetClock:
    """Stands still until it is moved."""

    time: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def now(self) -> datetime:
        """The time that was set."""
        return self.time

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)


@dataclass(frozen=True)
class StoringProcess:
    """What one process has of the storage."""

    me: ProcessId
    clock: SetClock
    database: Database
    events: SqlEventLog
    workflows: SqlWorkflowStore
    outbox: SqlProposalOutbox
    processes: SqlProcessTable

    async def stored(self, title: str = "a title", most_waiting: int = 1_000) -> WorkflowId:
        """A new workflow that waits."""
        workflow_id = new_workflow_id()
        record = WorkflowRecord(
            workflow_id, WorkflowState.QUEUED, self.clock.now(), None, title, ""
        )
        await self.workflows.create(record, INPUT, said("started"), most_waiting)
        return workflow_id

    async def claimed(self) -> tuple[WorkflowId, Claim]:
        """A new workflow that this process runs."""
        workflow_id = await self.stored()
        return workflow_id, await self.workflows.claim(workflow_id)

    async def ended(self) -> WorkflowId:
        """A new workflow with three events, which is over."""
        workflow_id, claim = await self.claimed()
        await self.events.append(workflow_id, [said("worked"), last_words()], claim)
        return workflow_id

    async def said_in(self, workflow_id: WorkflowId) -> list[Recorded]:
        """Everything that is in the log."""
        return list(await self.events.read(workflow_id, 0, 100_000))


@asynccontextmanager
async def storing_process(
    location: DatabaseLocation,
    clock: SetClock | None = None,
    has_peers: Callable[[], bool] = lambda: True,
) -> AsyncIterator[StoringProcess]:
    """A registered process that follows what others append; `has_peers`: what it knows of them."""
    async with lone_process(location, clock) as process, process.events.following(has_peers):
        yield process


@asynccontextmanager
async def lone_process(
    location: DatabaseLocation, clock: SetClock | None = None
) -> AsyncIterator[StoringProcess]:
    """A registered process without others: its listeners hear exactly what it appends itself."""
    me, clock = new_process_id(), clock or SetClock()
    async with open_database(location) as database:
        events = SqlEventLog(database, clock, await read_epoch(database), Metrics())
        process = StoringProcess(
            me,
            clock,
            database,
            events,
            SqlWorkflowStore(database, clock, me, events),
            SqlProposalOutbox(database, clock, me),
            SqlProcessTable(database, me),
        )
        await process.processes.beat()
        yield process


def said(text: str, type: EventType = EventType.STATUS) -> Event:  # noqa: A002 - the event's own word
    """Something that an agent says."""
    return Event(AgentName.ORCHESTRATOR, EventStatus.WORKING, text, type, input="in")


def last_words(state: WorkflowState = WorkflowState.COMPLETED) -> Event:
    """A terminal event."""
    return Event(
        AgentName.ORCHESTRATOR,
        EventStatus.COMPLETED,
        "The end.",
        is_terminal=True,
        outcome={"state": state, "proposals": []},
    )


def proposal_of(number: int, workflow_id: WorkflowId = WORKFLOW) -> OutgoingProposal:
    """What a workflow proposes for its plan of this number."""
    metadata = ProposalMetadata(
        severity="HIGH",
        priority="P1",
        service="checkout",
        issue="OOM",
        root_cause="the limit is too low",
        phase="REMEDIATE",
        workflow_id=workflow_id,
    )
    command = ProposedCommand(command=RESTART, safety_level=SafetyLevel.CAUTION)
    proposal = Proposal(action="Restart checkout", commands=(command,), metadata=metadata)
    key = f"{workflow_id}_remediation_{number}"
    return OutgoingProposal(key, workflow_id, FeedbackId(key), proposal)
