"""A diagnosis without storage and approvals: for the terminal and for evaluation."""

import asyncio
from dataclasses import dataclass

from app.agents.agent import Voice
from app.domain.errors import AppError
from app.domain.events import EventStatus
from app.domain.ids import WorkflowId, new_process_id
from app.domain.ports import EventLog
from app.domain.workflow import Claim
from app.intake.batch import read_batch
from app.intake.decode import decode
from app.security.redaction import redact
from app.workflow.graph import Graph, last_sentence, run_graph
from app.workflow.state import Run, State


@dataclass(frozen=True, slots=True)
class DryRun:
    """Runs the four agents and proposes nothing."""

    graph: Graph
    events: EventLog

    async def investigate(self, workflow_id: WorkflowId, body: bytes) -> State:
        """The agents' answers; raises what made them fail, after saying so in the events."""
        voice = Voice(workflow_id, self.events, Claim(new_process_id(), 1))
        try:
            redacted = await asyncio.to_thread(lambda: redact(decode(body)))
            batch = await asyncio.to_thread(read_batch, redacted.text, redacted.counts)

            async def read_input() -> str:
                return redacted.text

            state = await run_graph(self.graph, State(), Run(voice, batch, read_input))
        except AppError as error:
            await voice.end(EventStatus.ERROR, f"Diagnosis failed: {error}")
            raise
        await voice.end(EventStatus.COMPLETED, last_sentence(state))
        return state
