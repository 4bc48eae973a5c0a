"""Stops workflows that a person does not want any more, wherever they run or wait."""

from dataclasses import dataclass

from app.domain.ids import WorkflowId
from app.domain.ports import WorkflowStore
from app.domain.workflow import WorkflowRecord
from app.workflow.runner import WorkflowRunner


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The request is stored; the process that has the workflow finds it there."""

    workflows: WorkflowStore
    runner: WorkflowRunner

    async def request(self, workflow_id: WorkflowId) -> WorkflowRecord:
        """Ask for it; twice is once, and too late changes nothing. Raises NotFound."""
        record = await self.workflows.request_cancel(workflow_id)
        self.runner.stops.cancel(workflow_id)
        return record

    async def carry_out(self) -> None:
        """Stop what runs here, and end what waits and nobody runs."""
        for workflow_id in await self.workflows.cancel_requests():
            if not self.runner.stops.cancel(workflow_id):
                await self.runner.run(workflow_id)
