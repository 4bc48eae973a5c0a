"""What one process does for workflows: runs them, takes over from dead processes, keeps house."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.domain.ports import JobQueue
from app.workflow.delivery import ProposalDelivery
from app.workflow.runner import WorkflowRunner
from app.workflow.takeover import Takeover
from app.workflow.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class WorkflowProcess:
    """The same in a server and in a worker."""

    queue: JobQueue
    runner: WorkflowRunner
    takeover: Takeover
    upkeep: Upkeep
    delivery: ProposalDelivery

    @property
    def trouble(self) -> str | None:
        """Why nothing goes on at present; None when it does."""
        return self.takeover.trouble

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work until left; what is unfinished then goes on elsewhere, or at the next start.

        Raises StorageFailed.
        """
        await self.takeover.register()
        async with asyncio.TaskGroup() as group:
            duties = (self.takeover.run(), self.upkeep.run(), self.delivery.run())
            tasks = [group.create_task(duty) for duty in duties]
            try:
                async with self.queue.consume(self.runner.run):
                    yield
            finally:
                for task in tasks:
                    task.cancel()
