"""The small duties: what stops one of them stops no other."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from app.bootstrap.ground import SystemClock
from app.observability.metrics import Metrics
from app.workflow.upkeep import Upkeep


@dataclass
class Duties:
    """Stands for everything that upkeep looks after, and has nothing to do."""

    has_failed: asyncio.Event = field(default_factory=asyncio.Event)
    went_on: asyncio.Event = field(default_factory=asyncio.Event)
    stops: tuple[str, ...] = ()

    @property
    def runner(self) -> "Duties":
        return self

    async def carry_out(self) -> None:
        if self.has_failed.is_set():
            self.went_on.set()

    async def count_waiting(self) -> int:
        return 0

    async def purge(self, before: datetime, most: int) -> int:
        return 0

    async def learn(self) -> None:
        self.has_failed.set()
        raise KeyError("a record that nobody foresaw")


async def test_feedback_that_cannot_be_understood_ends_no_process():
    duties = Duties()
    parts = cast("Any", duties)
    upkeep = Upkeep(parts, parts, SystemClock(), Metrics(), timedelta(days=30), duties.learn)
    running = asyncio.create_task(upkeep.run())

    async with asyncio.timeout(10):
        waiting = asyncio.create_task(duties.went_on.wait())
        done, _ = await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)

    assert waiting in done
    assert running not in done
    running.cancel()
