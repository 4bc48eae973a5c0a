"""What people decide, and what comes of it, becomes part of the workflow's event log."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

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
    corrected,
    decision_of,
    executions_of,
    is_concluded,
    proposals_of,
    undos_of,
)

log = logging.getLogger(__name__)

TRIES = 20
MOST_LATE_EVENTS = 10_000

FACTS = {EventType.PROPOSAL, EventType.DECISION, EventType.EXECUTION}

Fact = dict[str, Any]
"""What an event's JSON says."""


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
        told = _told(frames, proposals)
        records = await self.feedback.of_workflow(workflow_id)
        news = [event for record in records for event in told.missing(record)]
        proposed = [record for record in records if record.status is not None]
        if bounds.outcome:
            return told.corrected(news, conclusion(proposed))
        is_over = len(proposed) >= len(proposals) and all(map(is_concluded, proposed))
        if proposals and is_over:
            news.append(conclusion(proposed))
        return news


@dataclass(frozen=True, slots=True)
class _Told:
    """What the log says already, by feedback id, round and number of the command."""

    proposals: set[str | None]
    decisions: Mapping[str, Fact]
    """By feedback id the last one."""
    executions: set[Ended]
    undos: set[Ended]
    correction: Fact | None
    """The last decision after the outcome, with what it all came to then."""

    def missing(self, record: FeedbackRecord) -> Iterator[Event]:
        """What of a plan it does not say; a proposal may be delivered after the agents' end."""
        for approval_id, event in proposals_of(record):
            if approval_id not in self.proposals:
                yield event
        for event in decision_of(record):
            if _without_outcome(orjson.loads(event.data)) != self.decisions.get(record.feedback_id):
                yield event
        yield from (event for key, event in executions_of(record) if key not in self.executions)
        yield from (event for key, event in undos_of(record) if key not in self.undos)

    def corrected(self, news: Sequence[Event], concluded: Event) -> Sequence[Event]:
        """The outcome is said once; what a later decision makes of it comes with that decision."""
        came_to = orjson.loads(concluded.data)
        decisions = [orjson.loads(event.data) for event in news if event.type is EventType.DECISION]
        others = [event for event in news if event.type is not EventType.DECISION]
        if not decisions and self.correction and self.correction["outcome"] != came_to:
            decisions = [self.correction]
        return [*(corrected(decision, came_to) for decision in decisions), *others]


def _told(frames: Sequence[Fact], proposals: Sequence[Fact]) -> _Told:
    late = (frame for frame in frames if frame["type"] in FACTS)
    facts = [(frame["type"], orjson.loads(frame["data"])) for frame in late]
    decisions = [fact for kind, fact in facts if kind == EventType.DECISION]
    ends = [fact for kind, fact in facts if kind == EventType.EXECUTION]
    undone = {*UNDONE.values()}
    return _Told(
        {one["approval_id"] for one in proposals}
        | {fact["approval_id"] for kind, fact in facts if kind == EventType.PROPOSAL},
        {fact["feedback_id"]: _without_outcome(fact) for fact in decisions},
        {_key(fact) for fact in ends if fact["status"] not in undone},
        {_key(fact) for fact in ends if fact["status"] in undone},
        next((fact for fact in reversed(decisions) if "outcome" in fact), None),
    )


def _without_outcome(decision: Fact) -> Fact:
    return {name: value for name, value in decision.items() if name != "outcome"}


def _key(fact: Fact) -> Ended:
    return fact["feedback_id"], fact.get("round", 1), fact.get("number", 0)
