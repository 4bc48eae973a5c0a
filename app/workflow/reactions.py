"""What people decide becomes part of the workflow's event log, after the agents' end."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from app.domain.answer import AgentName
from app.domain.errors import Conflict, NotFound
from app.domain.events import Event, EventStatus, EventType, Latecomer, LogBounds
from app.domain.feedback import FeedbackRecord, PlanStatus
from app.domain.ids import ApprovalId, WorkflowId
from app.domain.ports import EventLog
from app.learning.report import FeedbackReport

log = logging.getLogger(__name__)

TRIES = 5
MOST_LATE_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Reactions:
    """Compares what was decided with what the log says, and adds what is missing, once."""

    events: EventLog
    feedback: FeedbackReport

    async def decided(self, approval_id: ApprovalId) -> None:
        """A decision was recorded; an approval that is not ours belongs to no log."""
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
            if not bounds.terminal or bounds.outcome:
                return
            news = await self._news(workflow_id, bounds)
            try:
                if news:
                    await self.events.append(workflow_id, news, Latecomer(bounds.last))
            except Conflict:
                continue  # somebody else was quicker; perhaps nothing is missing any more
            return
        log.warning("a decision is not in the log yet", extra={"workflow_id": workflow_id})

    async def _news(self, workflow_id: WorkflowId, bounds: LogBounds) -> Sequence[Event]:
        frames = [
            orjson.loads(event.frame)
            for event in await self.events.read(workflow_id, bounds.terminal - 1, MOST_LATE_EVENTS)
        ]
        told = {orjson.loads(f["data"])["feedback_id"] for f in frames if f["type"] == "decision"}
        records = await self.feedback.of_workflow(workflow_id)
        decided = [record for record in records if record.is_decided]
        news = [_decision(record) for record in decided if record.feedback_id not in told]
        proposals = (frames[0].get("outcome") or {}).get("proposals", [])
        if proposals and len(decided) >= len(proposals):
            news.append(_outcome(decided))
        return news


def _decision(record: FeedbackRecord) -> Event:
    return _event(
        EventType.DECISION,
        {
            "feedback_id": record.feedback_id,
            "approval_id": next(iter(record.approval_ids), None),
            "status": record.status,
            "rejection_reason": record.rejection_reason,
            "approved_commands": record.approved_count,
            "rejected_commands": record.rejected_count,
        },
    )


def _outcome(decided: Sequence[FeedbackRecord]) -> Event:
    approved = sum(record.status is PlanStatus.APPROVED for record in decided)
    return _event(EventType.OUTCOME, {"approved": approved, "rejected": len(decided) - approved})


def _event(event_type: EventType, data: dict[str, object]) -> Event:
    text = orjson.dumps(data).decode()
    return Event(AgentName.KUBECTL_COMMAND, EventStatus.INFO, text, event_type)
