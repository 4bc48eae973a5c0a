"""What people decide, and what comes of it, becomes part of the workflow's event log."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from app.domain.errors import Conflict, NotFound
from app.domain.events import Event, EventType, Latecomer, LogBounds
from app.domain.feedback import FeedbackRecord
from app.domain.ids import ApprovalId, WorkflowId
from app.domain.ports import EventLog
from app.learning.report import FeedbackReport
from app.observability.metrics import Metrics
from app.workflow.conclusion import (
    UNDONE,
    Ended,
    conclusion,
    decision_of,
    executions_of,
    is_concluded,
    proposals_of,
    undos_of,
)

log = logging.getLogger(__name__)

TRIES = 20
MOST_LATE_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Reactions:
    """Compares what was reported with what the log says, and adds what is missing, once."""

    events: EventLog
    feedback: FeedbackReport
    metrics: Metrics

    async def reported(self, approval_id: ApprovalId) -> None:
        """Something was recorded; an approval that is not ours belongs to no log."""
        workflow_id = await self.feedback.workflow_of(approval_id)
        if workflow_id is not None:
            await self.note(workflow_id)

    async def note(self, workflow_id: WorkflowId) -> None:
        """Bring the log up to date; before the agents' end there is nothing to add yet."""
        with suppress(NotFound):  # an imported record's workflow was never ours
            await self._note(workflow_id)

    async def _note(self, workflow_id: WorkflowId) -> None:
        for _ in range(TRIES):
            bounds = await self.events.bounds(workflow_id)
            if not bounds.terminal:
                return
            news = await self._news(workflow_id, bounds)
            try:
                if news:
                    await self.events.append(workflow_id, news, Latecomer(bounds.last))
            except Conflict:
                continue  # somebody else was quicker; perhaps nothing is missing any more
            self._count(news)
            return
        log.warning("a decision is not in the log yet", extra={"workflow_id": workflow_id})

    def _count(self, news: Sequence[Event]) -> None:
        """Each end of a command is told once, whoever heard of it."""
        for event in news:
            if event.type is EventType.EXECUTION:
                self.metrics.command_ended(orjson.loads(event.data)["status"])

    async def _news(self, workflow_id: WorkflowId, bounds: LogBounds) -> Sequence[Event]:
        recorded = await self.events.read(workflow_id, bounds.terminal - 1, MOST_LATE_EVENTS)
        frames = [orjson.loads(event.frame) for event in recorded]
        proposals = (frames[0].get("outcome") or {}).get("proposals", [])
        late = [orjson.loads(f["data"]) for f in frames if f["type"] == EventType.PROPOSAL]
        told = _Told(
            {proposal["approval_id"] for proposal in (*proposals, *late)},
            {_key(frame) for frame in frames if frame["type"] == EventType.DECISION},
            {_key(frame) for frame in frames if _is_end(frame)},
            {_key(frame) for frame in frames if _is_undo(frame)},
        )
        records = await self.feedback.of_workflow(workflow_id)
        if bounds.outcome:
            return [event for record in records for event in told.taken_back(record)]
        news = [event for record in records for event in told.missing(record)]
        proposed = [record for record in records if record.status is not None]
        is_over = len(proposed) >= len(proposals) and all(map(is_concluded, proposed))
        if proposals and is_over:
            news.append(conclusion(proposed))
        return news


@dataclass(frozen=True, slots=True)
class _Told:
    """What the log says already, by feedback id, round and number of the command."""

    proposals: set[str | None]
    decisions: set[Ended]
    executions: set[Ended]
    undos: set[Ended]

    def missing(self, record: FeedbackRecord) -> Iterator[Event]:
        """What of a plan it does not say; a proposal may be delivered after the agents' end."""
        for approval_id, event in proposals_of(record):
            if approval_id not in self.proposals:
                yield event
        for key, event in decision_of(record):
            if key not in self.decisions:
                yield event
        for key, event in executions_of(record):
            if key not in self.executions:
                yield event
        yield from self.taken_back(record)

    def taken_back(self, record: FeedbackRecord) -> Iterator[Event]:
        """All that can follow the outcome."""
        for key, event in undos_of(record):
            if key not in self.undos:
                yield event


def _is_end(frame: dict[str, str]) -> bool:
    return frame["type"] == EventType.EXECUTION and not _is_undo(frame)


def _is_undo(frame: dict[str, str]) -> bool:
    is_execution = frame["type"] == EventType.EXECUTION
    return is_execution and orjson.loads(frame["data"])["status"] in UNDONE.values()


def _key(frame: dict[str, str]) -> Ended:
    data = orjson.loads(frame["data"])
    return data["feedback_id"], data.get("round", 1), data.get("number", 0)
