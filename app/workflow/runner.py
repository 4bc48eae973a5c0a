"""Runs workflows: takes inputs in, runs them within bounds, goes on after a restart."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat

from app.agents.agent import INTERNAL_ERROR, Voice
from app.domain.answer import AgentName
from app.domain.errors import AppError, Conflict, StorageFailed, TooBusy
from app.domain.events import EventStatus
from app.domain.ids import WorkflowId, new_workflow_id
from app.domain.ports import Clock, EventLog, WorkflowStore
from app.domain.workflow import WorkflowInput, WorkflowRecord, WorkflowState
from app.intake.batch import read_batch
from app.intake.decode import decode
from app.observability.logging import workflow_context
from app.observability.metrics import Metrics
from app.security.redaction import redact
from app.workflow.delivery import ProposalDelivery
from app.workflow.graph import Graph, last_sentence, run_graph
from app.workflow.state import Run, answers_in

log = logging.getLogger(__name__)

TITLE_LENGTH = 120
ALL_EVENTS = 100_000
STORAGE_PAUSES_SECONDS = (1.0, 5.0, 15.0, 60.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much runs and waits at once."""

    running: int
    waiting: int


@dataclass(slots=True)
class WorkflowRunner:
    """Owns every running workflow of this process."""

    graph: Graph
    workflows: WorkflowStore
    events: EventLog
    delivery: ProposalDelivery
    clock: Clock
    metrics: Metrics
    limits: Limits
    _waiting: asyncio.Queue[WorkflowId] = field(init=False)
    _running: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Bound the queue."""
        self._waiting = asyncio.Queue(self.limits.waiting)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run workflows until left; what is unfinished then goes on at the next start."""
        left = await self.workflows.unfinished()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._work()) for _ in range(self.limits.running)]
            tasks.append(group.create_task(self._resume(left)))
            tasks.append(group.create_task(self.delivery.run()))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def start(self, body: bytes) -> WorkflowId:
        """Take logs in; once this returns they are stored, redacted, and will be worked on."""
        if self._waiting.full():
            raise TooBusy("Too many workflows wait already; try again in a few seconds.")
        log_input = await asyncio.to_thread(_read_input, body)
        workflow_id = new_workflow_id()
        record = WorkflowRecord(
            workflow_id,
            WorkflowState.QUEUED,
            self.clock.now(),
            None,
            _first_line(log_input.text),
            "",
        )
        await self.workflows.create(record, log_input)
        self.metrics.workflow_started()
        await self._waiting.put(workflow_id)
        self._count()
        return workflow_id

    async def _resume(self, left: Sequence[WorkflowRecord]) -> None:
        for record in left:
            await self._waiting.put(record.workflow_id)

    async def _work(self) -> None:
        while True:
            workflow_id = await self._waiting.get()
            self._running += 1
            self._count()
            with workflow_context(workflow_id):
                await self._run_to_the_end(Voice(workflow_id, self.events))
            self._running -= 1
            self._count()

    def _count(self) -> None:
        self.metrics.workflows_now(running=self._running, queued=self._waiting.qsize())

    async def _run_to_the_end(self, voice: Voice) -> None:
        for pause in chain(STORAGE_PAUSES_SECONDS, repeat(STORAGE_PAUSES_SECONDS[-1])):
            if await self._run(voice):
                return
            await asyncio.sleep(pause)

    async def _run(self, voice: Voice) -> bool:
        """Whether it came to its end; it did not when the storage failed."""
        try:
            await self._end(voice, *await self._outcome(voice))
        except StorageFailed:
            log.exception("workflow waits for the storage")
            return False
        except Conflict:
            log.warning("workflow was over already")
        return True

    async def _outcome(self, voice: Voice) -> tuple[EventStatus, str]:
        try:
            return EventStatus.COMPLETED, await self._investigate(voice)
        except (StorageFailed, Conflict):
            raise
        except AppError as error:
            log.warning("workflow failed", extra={"reason": str(error)})
            return EventStatus.ERROR, f"Workflow failed: {error}"
        except Exception:
            log.exception("workflow failed by a defect")
            return EventStatus.ERROR, f"Workflow failed: {INTERNAL_ERROR}"

    async def _investigate(self, voice: Voice) -> str:
        """Run the graph from where its events say it is; returns the last sentence."""
        recorded = await self.events.read(voice.workflow_id, 0, ALL_EVENTS)
        await self._announce(voice, is_resumed=bool(recorded))
        log_input = await self.workflows.input_of(voice.workflow_id)
        batch = await asyncio.to_thread(read_batch, log_input.text, log_input.redactions)
        title = batch.patterns[0].message if batch.patterns else _first_line(log_input.text)
        await self.workflows.begin(voice.workflow_id, title[:TITLE_LENGTH])
        state = await run_graph(self.graph, answers_in(recorded), Run(voice, batch))
        return last_sentence(state)

    async def _announce(self, voice: Voice, *, is_resumed: bool) -> None:
        if is_resumed:
            status, sentence = EventStatus.INFO, "Workflow resumed where it was interrupted"
        else:
            status = EventStatus.WORKING
            sentence = f"Workflow started for id: '{voice.workflow_id}'"
        await voice.say(AgentName.ORCHESTRATOR, status, sentence)

    async def _end(self, voice: Voice, status: EventStatus, sentence: str) -> None:
        await voice.end(status, sentence)
        self.metrics.workflow_finished(status)
        log.info("workflow finished", extra={"status": status})


def _read_input(body: bytes) -> WorkflowInput:
    redacted = redact(decode(body))
    return WorkflowInput(redacted.text, redacted.counts)


def _first_line(text: str) -> str:
    return text.lstrip()[:TITLE_LENGTH].splitlines()[0]
