"""Everything we need from outside, on one page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from app.domain.answer import AgentName, Answer
from app.domain.approval import OutgoingProposal, Proposal
from app.domain.events import Event, Recorded
from app.domain.feedback import Decided, FeedbackEvent
from app.domain.guidance import Guidance
from app.domain.ids import ApprovalId, WorkflowId
from app.domain.incident import Analysis, Findings
from app.domain.logbatch import LogBatch
from app.domain.workflow import WorkflowInput, WorkflowRecord

A = TypeVar("A", bound=Answer)


@dataclass(frozen=True, slots=True)
class MonitoringFacts:
    """For: what went wrong in this text?"""

    batch: LogBatch


@dataclass(frozen=True, slots=True)
class AnalysisFacts:
    """For: why did it go wrong?"""

    batch: LogBatch
    findings: Findings


@dataclass(frozen=True, slots=True)
class RemediationFacts:
    """For: what should be done about it?"""

    batch: LogBatch
    analysis: Analysis
    guidance: Guidance


@dataclass(frozen=True, slots=True)
class RepairFacts:
    """For: how else could these refused commands be said? Pairs of command and reason."""

    batch: LogBatch
    refused: tuple[tuple[str, str], ...]


Facts = MonitoringFacts | AnalysisFacts | RemediationFacts | RepairFacts


@dataclass(frozen=True, slots=True)
class Question(Generic[A]):
    """A typed question: hosted models render the prompt, the playbook engine reads the facts."""

    agent: AgentName
    facts: Facts
    answer_type: type[A]


Progress = Callable[[str], Awaitable[None]]
"""Tells the user, in one line, what a reasoner is at."""


class Reasoner(Protocol):
    """The one seam for intelligence."""

    @property
    def name(self) -> str:
        """What users see: `Gemini (<model>)` or `playbooks`."""
        ...

    async def ask(self, question: Question[A], progress: Progress) -> A:
        """Answer, or raise ReasonerFailed."""
        ...

    async def trouble(self) -> str | None:
        """Why the last answer failed, for `/ready`; None when it did not. Never a paid call."""
        ...


class LogSource(Protocol):
    """Where logs can be fetched."""

    async def fetch(self, since: timedelta, query: str) -> Sequence[str]:
        """Messages, oldest first; raises LogSourceFailed, LogSourceTimedOut, or BadInput
        for a query that does not parse.
        """
        ...

    async def trouble(self) -> str | None:
        """Why it cannot be reached; None when it can."""
        ...


class EventLog(Protocol):
    """One numbered, append-only log per workflow."""

    @property
    def epoch(self) -> str:
        """Changes only when the log lost or rewrote history; cursors begin with it."""
        ...

    async def append(self, workflow_id: WorkflowId, events: Sequence[Event]) -> Sequence[Recorded]:
        """Store, then show to whoever follows; raises StorageFailed, or Conflict after the end.

        Storing the terminal event is what ends the workflow's record, too.
        """
        ...

    async def read(self, workflow_id: WorkflowId, after: int, limit: int) -> Sequence[Recorded]:
        """Events with `seq > after`, in order."""
        ...

    def follow(
        self, workflow_id: WorkflowId, after: int, idle_seconds: float
    ) -> AsyncIterator[Sequence[Recorded]]:
        """Events with `seq > after` as they come; an empty batch after so long a silence.

        Ends after the terminal event, or early when the process stops.
        """
        ...

    def end_streams(self) -> None:
        """End everybody's `follow`, because the process stops."""
        ...


class WorkflowStore(Protocol):
    """Records and inputs of workflows."""

    async def create(self, record: WorkflowRecord, log_input: WorkflowInput) -> None:
        """Keep a new workflow and its redacted input."""
        ...

    async def get(self, workflow_id: WorkflowId) -> WorkflowRecord:
        """One record; raises NotFound."""
        ...

    async def input_of(self, workflow_id: WorkflowId) -> WorkflowInput:
        """The redacted input; raises NotFound."""
        ...

    async def begin(self, workflow_id: WorkflowId, title: str) -> None:
        """Note that the workflow runs, and its title."""
        ...

    async def page(
        self, before: int | None, limit: int
    ) -> tuple[Sequence[WorkflowRecord], int | None]:
        """Newest first, and the cursor of the next page, None at the end."""
        ...

    async def unfinished(self) -> Sequence[WorkflowRecord]:
        """Workflows that a stopped process left, oldest first."""
        ...


class ProposalOutbox(Protocol):
    """Proposals on their way: stored before they are sent, each under one idempotency key."""

    async def put(self, proposal: OutgoingProposal) -> ApprovalId | None:
        """Keep a proposal; one with the same key stays as it was, with the approval it has got."""
        ...

    async def delivered(self, key: str, approval_id: ApprovalId) -> None:
        """Note that the approval server has it."""
        ...

    async def undelivered(self, limit: int) -> Sequence[OutgoingProposal]:
        """What still has to be sent, oldest first."""
        ...


class ApprovalGate(Protocol):
    """The approval server, ours or a foreign one."""

    @property
    def page_url(self) -> str:
        """Where a person decides."""
        ...

    async def propose(self, proposal: Proposal, idempotency_key: str) -> ApprovalId:
        """Submit once per key; raises ApprovalGateFailed."""
        ...

    async def trouble(self) -> str | None:
        """Why it cannot be reached; None when it can."""
        ...


@dataclass(frozen=True, slots=True)
class FeedbackTail:
    """Feedback events after a position, whoever wrote them."""

    events: tuple[FeedbackEvent, ...]
    position: int
    """Where to go on; the first read starts at 0."""
    unreadable: int
    """Lines passed over because they do not parse; they stay where they are."""
    is_end: bool
    """Whether nothing more was committed when it was read."""


class FeedbackStore(Protocol):
    """An append-only log of feedback events, shared by several processes."""

    async def append(self, events: Sequence[FeedbackEvent]) -> None:
        """Durable when it returns; raises StorageFailed."""
        ...

    async def read(self, position: int) -> FeedbackTail:
        """A bounded piece of what follows a position."""
        ...

    async def park(self, decision: Decided) -> None:
        """Keep a decision whose proposal is not known yet; only the newest are kept."""
        ...

    async def parked(self) -> Sequence[Decided]:
        """The decisions that wait for their proposal, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of one command on the cluster; not redacted."""

    exit_code: int | None
    """None when the command was stopped before it ended."""
    output: str
    """Both outputs in the order they came, cut at the runner's limit."""
    timed_out: bool

    @property
    def succeeded(self) -> bool:
        """Whether the command ended by itself and says that it worked."""
        return self.exit_code == 0 and not self.timed_out


class CommandRunner(Protocol):
    """The one that touches the cluster: an argument list, never a shell."""

    async def run(self, argv: Sequence[str]) -> CommandResult:
        """Run kubectl with these arguments; raises ExternalFailed when it cannot be started."""
        ...

    async def trouble(self) -> str | None:
        """Why it cannot work; None when it can."""
        ...


class Clock(Protocol):
    """The time, aware and in UTC."""

    def now(self) -> datetime:
        """Now."""
        ...
