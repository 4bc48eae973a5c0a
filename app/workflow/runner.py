"""Runs one workflow after the other as the queue hands them over, each to its terminal event."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from app.agents.agent import INTERNAL_ERROR, Voice
from app.domain.answer import AgentName
from app.domain.errors import AppError, Conflict, Fenced, NotFound, StorageFailed
from app.domain.events import EventStatus, Recorded
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog, WorkflowStore
from app.domain.workflow import Claim, WorkflowState
from app.intake.batch import read_batch
from app.observability.logging import workflow_context
from app.observability.metrics import Metrics
from app.workflow.admission import TITLE_LENGTH, first_line
from app.workflow.ending import Ending, ended_early
from app.workflow.graph import Graph, forget_place, last_sentence, run_graph
from app.workflow.reactions import Reactions
from app.workflow.state import Run, answers_in, proposals_in
from app.workflow.stopping import Stop, StopReason, Stops

log = logging.getLogger(__name__)

ALL_EVENTS = 100_000
MOST_CLAIMS = 20
"""An input that brings its process down must not bring down one after the other."""
STORAGE_PAUSES_SECONDS = (1.0, 2.0, 5.0, 15.0)


@dataclass(frozen=True, slots=True)
class WorkflowRunner:
    """What every process does with a workflow; the claim decides whose run counts."""

    graph: Graph
    workflows: WorkflowStore
    events: EventLog
    reactions: Reactions
    metrics: Metrics
    limit_seconds: float
    stops: Stops = field(default_factory=Stops)
    _here: dict[WorkflowId, Claim | None] = field(default_factory=dict, init=False)
    """What this process has in hand: after a restart the queue may hold a workflow twice."""

    async def run(self, workflow_id: WorkflowId) -> None:
        """Run it to its terminal event, from where its events say it is; waits for the storage."""
        if workflow_id in self._here:
            return
        self._here[workflow_id] = None
        try:
            with workflow_context(workflow_id):
                await self._run_patiently(workflow_id)
        finally:
            del self._here[workflow_id]

    async def _run_patiently(self, workflow_id: WorkflowId) -> None:
        for pause in chain(STORAGE_PAUSES_SECONDS, repeat(STORAGE_PAUSES_SECONDS[-1])):
            if await self._is_settled(workflow_id):
                return
            await asyncio.sleep(pause)

    async def _is_settled(self, workflow_id: WorkflowId) -> bool:
        """Whether nothing is left to do here; there is when the storage failed."""
        try:
            with self.stops.running(workflow_id, self.limit_seconds) as stop:
                claim = self._here[workflow_id] or await self.workflows.claim(workflow_id)
                self._here[workflow_id] = claim
                await self._end(Voice(workflow_id, self.events, claim), stop)
            await self._finish(workflow_id)
        except Fenced:
            log.warning("workflow belongs to another process")
        except NotFound:
            log.warning("workflow is unknown")
        except Conflict:
            log.info("workflow is over already")
            return await self._is_finished(workflow_id)
        except StorageFailed:
            log.exception("workflow waits for the storage")
            return False
        return True

    async def _finish(self, workflow_id: WorkflowId) -> None:
        """What follows the end, and may be done twice: early decisions are told, the place goes."""
        await self.reactions.note(workflow_id)
        await forget_place(self.graph, workflow_id)

    async def _is_finished(self, workflow_id: WorkflowId) -> bool:
        """Whether nothing of the run is left to do."""
        try:
            await self._finish(workflow_id)
        except StorageFailed:
            return False
        return True

    async def _end(self, voice: Voice, stop: Stop) -> None:
        if voice.workflow_id in await self.workflows.cancel_requests():
            stop.reason = StopReason.CANCELLED
            ending = await self._stopped(voice, stop)
        else:
            ending = await self._ending(voice, stop)
        outcome = ending.outcome(await self._recorded(voice.workflow_id))
        await voice.end(ending.status, ending.sentence, outcome)
        self.metrics.workflow_finished(ending.state)
        log.info("workflow finished", extra={"state": ending.state})

    async def _ending(self, voice: Voice, stop: Stop) -> Ending:
        if voice.claim.number > MOST_CLAIMS:
            return await self._failed(voice, f"it was begun {MOST_CLAIMS} times and never ended.")
        try:
            async with stop.limited():
                return Ending(WorkflowState.COMPLETED, await self._investigate(voice))
        except (StorageFailed, Conflict):
            raise
        except AppError as error:
            log.warning("workflow failed", extra={"reason": str(error)})
            return await self._failed(voice, str(error))
        except Exception:
            if stop.is_due:
                return await self._stopped(voice, stop)
            log.exception("workflow failed by a defect")
            return await self._failed(voice, INTERNAL_ERROR)

    async def _failed(self, voice: Voice, reason: str) -> Ending:
        recorded = await self._recorded(voice.workflow_id)
        return ended_early(WorkflowState.FAILED, f"Workflow failed: {reason}", recorded)

    async def _stopped(self, voice: Voice, stop: Stop) -> Ending:
        recorded = await self._recorded(voice.workflow_id)
        if stop.reason is StopReason.CANCELLED:
            return ended_early(WorkflowState.CANCELLED, "Workflow cancelled by request.", recorded)
        limit = f"{self.limit_seconds:g} s (WORKFLOW_TIMEOUT_SECONDS)"
        sentence = f"Workflow stopped at its time limit of {limit}."
        return ended_early(WorkflowState.FAILED, sentence, recorded)

    async def _investigate(self, voice: Voice) -> str:
        """Run the graph; returns the last sentence."""
        recorded = await self._recorded(voice.workflow_id)
        if voice.claim.number > 1:
            sentence = "Workflow resumed where it was interrupted"
            await voice.say(AgentName.ORCHESTRATOR, EventStatus.INFO, sentence)
        log_input = await self.workflows.input_of(voice.workflow_id)
        batch = await asyncio.to_thread(read_batch, log_input.text, log_input.redactions)
        title = batch.patterns[0].message if batch.patterns else first_line(log_input.text)
        await self.workflows.begin(voice.workflow_id, title[:TITLE_LENGTH])
        announced = frozenset(told["approval_id"] for told in proposals_in(recorded))
        run = Run(voice, batch, lambda: self._read_input(voice.workflow_id), announced)
        state = await run_graph(self.graph, answers_in(recorded), run)
        return last_sentence(state)

    async def _read_input(self, workflow_id: WorkflowId) -> str:
        return (await self.workflows.input_of(workflow_id)).text

    async def _recorded(self, workflow_id: WorkflowId) -> Sequence[Recorded]:
        return await self.events.read(workflow_id, 0, ALL_EVENTS)
