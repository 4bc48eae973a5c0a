"""What can be read of workflows: pages of records, and one in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app.domain.answer import AgentName
from app.domain.errors import NotFound
from app.domain.events import EventStatus, EventType, Recorded
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog, WorkflowStore
from app.domain.workflow import WorkflowInput, WorkflowRecord
from app.workflow.state import State, answers_in

ALL_EVENTS = 100_000
AFTERWARDS = {EventType.DECISION, EventType.EXECUTION, EventType.OUTCOME}


@dataclass(frozen=True, slots=True)
class WorkflowDetail:
    """One workflow with the answers so far and the seconds each agent took."""

    record: WorkflowRecord
    answers: State
    timings: dict[str, float]
    log_input: WorkflowInput | None
    """None once retention has taken it away."""
    afterwards: Sequence[Recorded]
    """What was told after the agents were done."""
    holdout: dict[str, Any] | None
    """What the events say of it where the workflow is held out of learning."""
    guidance: dict[str, Any] | None
    """What it was planned with of earlier decisions, and why; None where that was nothing."""

    def told(self, event_type: EventType) -> list[dict[str, Any]]:
        """The facts of every event of a type."""
        found = (event for event in self.afterwards if event.type is event_type)
        return [_fact(event) for event in found]

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """Of each plan and round what counts now: somebody may have said something else since."""
        told = self.told(EventType.DECISION)
        last = {(one["feedback_id"], one.get("round", 1)): one for one in told}
        return [{name: one[name] for name in one if name != "outcome"} for one in last.values()]

    @property
    def outcome(self) -> dict[str, Any] | None:
        """What it all came to, a decision after that included; None while something is open."""
        late = [one["outcome"] for one in self.told(EventType.DECISION) if "outcome" in one]
        return next(iter([*reversed(late), *self.told(EventType.OUTCOME)]), None)


@dataclass(frozen=True, slots=True)
class WorkflowReader:
    """Reads what runs have written."""

    workflows: WorkflowStore
    events: EventLog

    async def page(
        self, before: int | None, limit: int
    ) -> tuple[Sequence[WorkflowRecord], int | None]:
        """Newest first, and the cursor of the next page."""
        return await self.workflows.page(before, limit)

    async def record(self, workflow_id: WorkflowId) -> WorkflowRecord:
        """One record; raises NotFound."""
        return await self.workflows.get(workflow_id)

    async def detail(self, workflow_id: WorkflowId) -> WorkflowDetail:
        """Everything about one workflow; raises NotFound."""
        record = await self.workflows.get(workflow_id)
        recorded = await self.events.read(workflow_id, 0, ALL_EVENTS)
        return WorkflowDetail(
            record,
            answers_in(recorded),
            _timings(recorded),
            await self._input_of(workflow_id),
            [event for event in recorded if event.type in AFTERWARDS],
            _progress_with("is_held_out", recorded),
            _guidance(recorded),
        )

    async def _input_of(self, workflow_id: WorkflowId) -> WorkflowInput | None:
        try:
            return await self.workflows.input_of(workflow_id)
        except NotFound:
            return None


def _progress_with(key: str, recorded: Sequence[Recorded]) -> dict[str, Any] | None:
    """The last such fact, as an agent that was begun anew tells it again."""
    facts = (_fact(event) for event in reversed(recorded) if event.type is EventType.PROGRESS)
    return next((fact for fact in facts if fact.get(key)), None)


def _guidance(recorded: Sequence[Recorded]) -> dict[str, Any] | None:
    found = _progress_with("guidance", recorded)
    if found is None:
        return None
    told = (_fact(event) for event in recorded if event.type is EventType.EXAMPLE_USED)
    examples = {(one["feedback_id"], one["role"]): one for one in told}
    return {**found["guidance"], "examples": [*examples.values()]}


def _fact(event: Recorded) -> dict[str, Any]:
    fact: dict[str, Any] = orjson.loads(orjson.loads(event.frame)["data"])
    return fact


def _timings(recorded: Sequence[Recorded]) -> dict[str, float]:
    """Seconds from an agent's last start to its end."""
    started: dict[str, datetime] = {}
    timings: dict[str, float] = {}
    for event in recorded:
        if event.type is not EventType.STATUS:
            continue
        frame = orjson.loads(event.frame)
        agent, status = frame["agent_name"], frame["status"]
        if agent == AgentName.ORCHESTRATOR:
            continue
        if status == EventStatus.WORKING:
            started[agent] = event.recorded_at
        elif status in {EventStatus.COMPLETED, EventStatus.ERROR} and agent in started:
            timings[agent] = (event.recorded_at - started[agent]).total_seconds()
    return timings
