"""Incidents, plans and a clock for tests of feedback."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.adapters.storage.feedback_jsonl import open_feedback_file
from app.domain.answer import Entities
from app.domain.approval import ApprovalReport, CommandVerdict, Decision
from app.domain.course import Report
from app.domain.feedback import FeedbackEvent, FeedbackRecord, FeedbackTail
from app.domain.guidance import Guidance
from app.domain.ids import ApprovalId, FeedbackId, WorkflowId
from app.domain.incident import Analysis, RootCause
from app.domain.plan import Command, Phase, Plan, SafetyLevel, Step
from app.domain.ports import FeedbackStore
from app.domain.snapshots import FeedbackSnapshots
from app.learning.keeping import SAVE_AFTER
from app.learning.ledger import FeedbackLedger
from app.learning.lesson_desk import LessonDesk
from app.learning.lessons import LessonBook
from app.learning.recorder import FeedbackRecorder
from app.learning.report import FeedbackReport
from app.learning.selector import ExampleSelector

WORKFLOW = WorkflowId("0b0c6c6e-3f4e-4c5a-9d52-2f1f0d3c9a11")
READ = "kubectl get pods -n shop-prod"
RESTART = "kubectl rollout restart deployment/checkout -n shop-prod"
UNDO = "kubectl rollout undo deployment/checkout -n shop-prod"
OUT_OF_MEMORY = "container checkout was OOMKilled: exit code 137, memory limit reached"


@dataclass
class TickingClock:
    """A clock that goes on by a second whenever somebody looks."""

    time: datetime = field(default_factory=lambda: datetime(2030, 5, 1, 12, tzinfo=UTC))

    def now(self) -> datetime:
        """A second later than the last time."""
        self.time += timedelta(seconds=1)
        return self.time


@dataclass(frozen=True)
class Learning:
    """All of learning over one store."""

    recorder: FeedbackRecorder
    selector: ExampleSelector
    report: FeedbackReport
    ledger: FeedbackLedger
    lessons: LessonDesk

    async def plan(
        self,
        number: int,
        plan: Plan | None = None,
        analysis: Analysis | None = None,
        workflow_id: WorkflowId = WORKFLOW,
    ) -> tuple[FeedbackId, ApprovalId]:
        """Propose a plan and link it to an approval of its own."""
        feedback_id = await self.recorder.propose(
            workflow_id, number, analysis or analysis_of(), plan or plan_of(), Guidance()
        )
        approval_id = ApprovalId(f"approval-{number}")
        await self.recorder.link(feedback_id, approval_id)
        return feedback_id, approval_id

    async def records(self) -> list[FeedbackRecord]:
        """Every record, texts included."""
        async with self.ledger.reading() as turn:
            return [record async for record in turn.every()]

    async def record(self, feedback_id: FeedbackId) -> FeedbackRecord:
        """The record of a plan that is there."""
        (found,) = [one for one in await self.records() if one.feedback_id == feedback_id]
        return found


@asynccontextmanager
async def open_learning(path: Path) -> AsyncIterator[Learning]:
    """All of learning over the file at a path."""
    async with open_feedback_file(path) as file:
        yield learning_on(file)


def learning_on(
    store: FeedbackStore, snapshots: FeedbackSnapshots | None = None, save_after: int = SAVE_AFTER
) -> Learning:
    """All of learning over a store."""
    ledger = FeedbackLedger(store, snapshots, save_after)
    book, clock = LessonBook(), TickingClock()
    ledger.watch(book)
    return Learning(
        recorder=FeedbackRecorder(ledger, clock),
        selector=ExampleSelector(ledger, book=book),
        report=FeedbackReport(ledger),
        ledger=ledger,
        lessons=LessonDesk(ledger, book, clock),
    )


class FeedbackInMemory:
    """A FeedbackStore that gives what it has in small pieces."""

    def __init__(self, events: Iterable[FeedbackEvent] = (), piece: int = 3) -> None:
        """With events from the beginning."""
        self.events = [*events]
        self._piece = piece
        self._early: list[Report] = []

    async def append(self, events: Sequence[FeedbackEvent]) -> None:
        """Keep them."""
        self.events += events

    async def read(self, position: int) -> FeedbackTail:
        """The next few."""
        end = min(position + self._piece, len(self.events))
        return FeedbackTail(
            events=tuple(self.events[position:end]),
            positions=tuple(range(position, end)),
            start=position,
            position=end,
            unreadable=(),
            newer=(),
            is_end=end == len(self.events),
        )

    async def fetch(self, positions: Sequence[int]) -> Sequence[FeedbackEvent | None]:
        """Those asked for."""
        return [self.events[position] for position in positions]

    async def park(self, report: Report) -> None:
        """Keep it apart."""
        self._early.append(report)

    async def parked(self) -> Sequence[Report]:
        """What was kept apart."""
        return self._early


def folded(events: Iterable[FeedbackEvent]) -> list[FeedbackRecord]:
    """The records that events make."""
    return asyncio.run(learning_on(FeedbackInMemory(events)).records())


def plan_of(*commands: str, service: str = "checkout", mode: str = "oom_killed") -> Plan:
    """A plan of the given commands; without any, a read and a restart."""
    texts = commands or (READ, RESTART)
    steps = Step(
        phase=Phase.REMEDIATE,
        commands=tuple(Command(command=text, safety_level=SafetyLevel.CAUTION) for text in texts),
    )
    return Plan(
        issue="checkout runs out of memory", service=service, steps=(steps,), failure_mode=mode
    )


def analysis_of(
    message: str = OUT_OF_MEMORY,
    *,
    service: str = "checkout",
    namespace: str = "shop-prod",
    kind: str = "deployment",
    mode: str = "oom_killed",
) -> Analysis:
    """An analysis with one root cause."""
    cause = RootCause(
        service=service,
        error_message=message,
        root_cause=f"The cause is: {message}",
        failure_mode=mode,
        entities=Entities(namespace=namespace, workload_kind=kind, workload=service),
    )
    return Analysis(root_cause_analysis=(cause,))


def report_of(
    approval_id: str,
    decision: Decision = Decision.APPROVED,
    *,
    reason: str | None = None,
    approved: int = 0,
    rejected: int = 0,
    commands: Sequence[CommandVerdict] = (),
) -> ApprovalReport:
    """A decision as an unsigned webhook brings it."""
    return ApprovalReport(
        approval_id=ApprovalId(approval_id),
        decision=decision,
        rejection_reason=reason,
        approved_count=approved,
        rejected_count=rejected,
        is_signed=False,
        commands=tuple(commands),
    )
