"""Takes logs in: redacted, stored with their first event, and queued."""

import asyncio
import logging
from dataclasses import dataclass

from app.domain.answer import AgentName
from app.domain.errors import StorageFailed
from app.domain.events import Event, EventStatus
from app.domain.ids import WorkflowId, new_workflow_id
from app.domain.ports import Clock, JobQueue, WorkflowStore
from app.domain.workflow import WorkflowInput, WorkflowRecord, WorkflowState
from app.intake.decode import decode
from app.observability.metrics import Metrics
from app.security.redaction import redact

log = logging.getLogger(__name__)

TITLE_LENGTH = 120
FIRST_ATTEMPT = 1


@dataclass(frozen=True, slots=True)
class Admission:
    """The door of the workflow queue; `most_waiting` is its bound."""

    workflows: WorkflowStore
    queue: JobQueue
    clock: Clock
    metrics: Metrics
    most_waiting: int

    async def start(self, body: bytes) -> WorkflowId:
        """Take logs in; once this returns they are stored and will be worked on.

        Raises BadInput for a body that is no text, TooBusy when too many wait.
        """
        log_input = await asyncio.to_thread(_read_input, body)
        workflow_id = new_workflow_id()
        record = WorkflowRecord(
            workflow_id,
            WorkflowState.QUEUED,
            self.clock.now(),
            None,
            first_line(log_input.text),
            "",
        )
        await self.workflows.create(record, log_input, _started(workflow_id), self.most_waiting)
        self.metrics.workflow_started()
        try:
            await self.queue.enqueue(workflow_id, FIRST_ATTEMPT)
        except StorageFailed:
            # It is stored, so it is accepted: whoever looks for strays queues it.
            log.exception("workflow not queued yet", extra={"workflow_id": workflow_id})
        return workflow_id


def first_line(text: str) -> str:
    """What stands for a workflow in lists until its first problem is known."""
    return text.lstrip()[:TITLE_LENGTH].splitlines()[0]


def _started(workflow_id: WorkflowId) -> Event:
    sentence = f"Workflow started for id: '{workflow_id}'"
    return Event(AgentName.ORCHESTRATOR, EventStatus.WORKING, sentence)


def _read_input(body: bytes) -> WorkflowInput:
    redacted = redact(decode(body))
    return WorkflowInput(redacted.text, redacted.counts)
