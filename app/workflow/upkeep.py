"""What every process does beside the workflows: cancel, tell places, learn, purge."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from app.domain.errors import StorageFailed
from app.domain.ports import Clock, WorkflowStore
from app.observability.metrics import Metrics
from app.workflow.cancellation import Cancellation

log = logging.getLogger(__name__)

CANCEL_SECONDS = 0.5
PLACES_SECONDS = 1.0
PURGE_SECONDS = 600.0
LEARN_SECONDS = 10.0
PLACES_AT_ONCE = 200
PURGED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Small duties at their intervals; a storage that fails delays them, and no more."""

    workflows: WorkflowStore
    cancellation: Cancellation
    clock: Clock
    metrics: Metrics
    retain: timedelta
    learn: Callable[[], Awaitable[None]]
    """Reads what people decided since the last time, so that no workflow waits for it."""

    async def run(self) -> None:
        """For as long as the process lives."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_every(CANCEL_SECONDS, self.cancellation.carry_out))
            group.create_task(_every(PLACES_SECONDS, self._tell_places))
            group.create_task(_every(LEARN_SECONDS, self._learn))
            group.create_task(_every(PURGE_SECONDS, self._purge))

    async def _learn(self) -> None:
        try:
            await self.learn()
        except StorageFailed:
            raise
        except Exception:
            # A record that the fold does not foresee would end every process at each of its starts;
            # whoever needs what people decided says so, and approvals go on.
            log.exception("what people decided cannot be read")

    async def _tell_places(self) -> None:
        waiting = await self.workflows.count_waiting()
        running = len(self.cancellation.runner.stops)
        self.metrics.workflows_now(running=running, queued=waiting)
        if waiting:
            await self.workflows.tell_positions(PLACES_AT_ONCE)

    async def _purge(self) -> None:
        before = self.clock.now() - self.retain
        while purged := await self.workflows.purge(before, PURGED_AT_ONCE):
            log.info("old workflows purged", extra={"workflows": purged})


async def _every(seconds: float, duty: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await duty()
        except StorageFailed as error:
            log.warning("a duty waits for the storage", extra={"reason": str(error)})
        await asyncio.sleep(seconds)
