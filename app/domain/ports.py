"""Everything we need from outside, on one page."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from app.domain.answer import Answer
from app.domain.approval import OutgoingProposal, Proposal
from app.domain.command_result import CommandResult
from app.domain.course import Report
from app.domain.events import Event, LogBounds, Recorded, Writer
from app.domain.feedback import FeedbackEvent, FeedbackTail
from app.domain.ids import ApprovalId, ProcessId, WorkflowId
from app.domain.questions import Question, Teller
from app.domain.workflow import Claim, WorkflowInput, WorkflowRecord

A = TypeVar("A", bound=Answer)


class Reasoner(Protocol):
    """The one seam for intelligence."""

    @property
    def name(self) -> str:
        """What users see: `Gemini (<model>)` or `playbooks`."""
        ...

    async def ask(self, question: Question[A], teller: Teller) -> A:
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


Listener = Callable[[Sequence[Recorded]], None]
"""Is called in the event loop with new events of one workflow, in order; it may see gaps."""


class EventLog(Protocol):
    """One numbered, append-only log per workflow, shared by every process on one database."""

    @property
    def epoch(self) -> str:
        """Changes only when the log lost or rewrote history; cursors begin with it."""
        ...

    async def append(
        self, workflow_id: WorkflowId, events: Sequence[Event], writer: Writer
    ) -> Sequence[Recorded]:
        """Store, then show to listeners, here and in other processes.

        Raises Fenced when the claim is no longer the workflow's, Conflict when the workflow is
        not in the state that the writer needs, StorageFailed when nothing was written.
        Storing the terminal event is what ends the workflow's record, too.
        """
        ...

    async def read(self, workflow_id: WorkflowId, after: int, limit: int) -> Sequence[Recorded]:
        """Events with `seq > after`, in order."""
        ...

    async def bounds(self, workflow_id: WorkflowId) -> LogBounds:
        """Where the log begins and ends; raises NotFound."""
        ...

    def subscribe(
        self, workflow_id: WorkflowId, listener: Listener
    ) -> AbstractContextManager[None]:
        """Call the listener with what is appended, whichever process does it, until left."""
        ...


class WorkflowStore(Protocol):
    """Records and inputs of workflows."""

    async def create(
        self, record: WorkflowRecord, log_input: WorkflowInput, first: Event, most_waiting: int
    ) -> int:
        """Keep a new workflow, its redacted input and its first event, all or nothing.

        Returns how many workflows wait before it; raises TooBusy when so many do already.
        """
        ...

    async def get(self, workflow_id: WorkflowId) -> WorkflowRecord:
        """One record; raises NotFound."""
        ...

    async def input_of(self, workflow_id: WorkflowId) -> WorkflowInput:
        """The redacted input; raises NotFound, also when retention has taken it away."""
        ...

    async def claim(self, workflow_id: WorkflowId) -> Claim:
        """Make it this process's to run; raises Fenced when a living process has it, Conflict
        when it is over.
        """
        ...

    async def begin(self, workflow_id: WorkflowId, title: str) -> None:
        """Note its title."""
        ...

    async def page(
        self, before: int | None, limit: int
    ) -> tuple[Sequence[WorkflowRecord], int | None]:
        """Newest first, and the cursor of the next page, None at the end."""
        ...

    async def count_waiting(self) -> int:
        """How many are queued, in all processes."""
        ...

    async def tell_positions(self, limit: int) -> None:
        """Append a `progress` event with its place to each waiting workflow that has moved to
        half of the place it was told last, or to the first; so many at most in one go.
        """
        ...

    async def request_cancel(self, workflow_id: WorkflowId) -> WorkflowRecord:
        """Ask whoever runs it to stop; once is as good as often. Raises NotFound."""
        ...

    async def cancel_requests(self) -> Sequence[WorkflowId]:
        """Workflows that are to be stopped, and which this process runs or nobody does."""
        ...

    async def strays(self) -> Sequence[tuple[WorkflowId, int]]:
        """Unfinished workflows that no living process has, with the number of their last claim,
        oldest first, at most 1,000; not those created or claimed in the last few seconds.
        """
        ...

    async def purge(self, finished_before: datetime, limit: int) -> int:
        """Take away inputs, proposals' payloads and all events but the terminal one of workflows
        that ended before; returns how many workflows were purged in this go.
        """
        ...


class ProcessTable(Protocol):
    """Which of our processes live, as far as the database shows: no clock is compared."""

    @property
    def me(self) -> ProcessId:
        """This process."""
        ...

    async def beat(self) -> Sequence[tuple[ProcessId, int]]:
        """Count this process's beat up, registering it if need be; returns everybody's count."""
        ...

    async def bury(self, dead: ProcessId) -> None:
        """Void the claims of a process that no longer beats; safe to repeat."""
        ...

    async def forget(self, process: ProcessId) -> None:
        """Take it off the table, its work being in other hands or done."""
        ...


Work = Callable[[WorkflowId], Awaitable[None]]


class JobQueue(Protocol):
    """Hands workflows to processes: first come first served, each to one process at a time."""

    async def enqueue(self, workflow_id: WorkflowId, attempt: int) -> None:
        """Hand over durably; the same attempt twice is one. Raises StorageFailed."""
        ...

    async def holders(self) -> frozenset[ProcessId]:
        """Who has taken something out and not finished it. Raises StorageFailed."""
        ...

    async def recover(self, dead: ProcessId) -> None:
        """Queue again, at the front, what a dead process was running; safe to repeat."""
        ...

    def consume(self, work: Work) -> AbstractAsyncContextManager[None]:
        """Call `work` in this event loop for what is queued, within the bound on concurrency.

        Leaving cancels what still runs; it is queued again when this process is found dead,
        or at once if that can be done.
        """
        ...


class ProposalOutbox(Protocol):
    """Proposals on their way: stored before they are sent, each under one idempotency key."""

    async def put(self, proposal: OutgoingProposal) -> ApprovalId | None:
        """Keep a proposal; one with the same key stays as it was, with the approval it has got."""
        ...

    async def lease(self, key: str, seconds: float) -> bool:
        """Whether this process may send it now; no other process may for so long."""
        ...

    async def release(self, key: str) -> None:
        """Give a lease back before its time, so that others may try."""
        ...

    async def delivered(self, key: str, approval_id: ApprovalId) -> None:
        """Note that the approval server has it."""
        ...

    async def declined(self, key: str, reason: str) -> None:
        """Note that the approval server will never take it; it is not sent again."""
        ...

    async def undecided(self, limit: int) -> Sequence[WorkflowId]:
        """Workflows with a proposal at the approval server and an open outcome, newest first."""
        ...

    async def undelivered(self, limit: int) -> Sequence[OutgoingProposal]:
        """What still has to be sent and nobody is sending, oldest first."""
        ...


class ApprovalGate(Protocol):
    """The approval server, ours or a foreign one."""

    @property
    def page_url(self) -> str:
        """Where a person decides."""
        ...

    @property
    def lacks(self) -> tuple[str, ...]:
        """What its protocol does not know, as far as it was asked; ours knows everything."""
        ...

    async def propose(self, proposal: Proposal, idempotency_key: str) -> ApprovalId:
        """Submit once per key; raises ApprovalGateFailed."""
        ...

    async def trouble(self) -> str | None:
        """Why it cannot be reached; None when it can."""
        ...


class FeedbackStore(Protocol):
    """An append-only log of feedback events, shared by several processes."""

    async def append(self, events: Sequence[FeedbackEvent]) -> None:
        """Durable when it returns; raises StorageFailed."""
        ...

    async def read(self, position: int) -> FeedbackTail:
        """A bounded piece of what follows a position."""
        ...

    async def fetch(self, positions: Sequence[int]) -> Sequence[FeedbackEvent | None]:
        """The events at positions that `read` gave, in that order; None where none is any more."""
        ...

    async def park(self, report: Report) -> None:
        """Keep a report whose proposal is not known yet; only the newest are kept."""
        ...

    async def parked(self) -> Sequence[Report]:
        """The reports that wait for their proposal, oldest first."""
        ...


class CommandRunner(Protocol):
    """The one that touches the cluster: an argument list, never a shell."""

    async def run(self, argv: Sequence[str], stdin: str = "") -> CommandResult:
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
