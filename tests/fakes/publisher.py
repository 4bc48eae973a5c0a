"""Events at a pace: the same plan for whichever server is to deliver them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from random import Random

AGENTS = ("MonitoringAgent", "AnalysisAgent", "RemediationAgent", "KubectlCommandAgent")
Emit = Callable[[str, Sequence[str]], Awaitable[None]]
"""Publishes these texts of one agent; returns when they are accepted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many agents, each with a burst of events every interval, for some seconds."""

    seconds: float
    interval: float
    agents: int = 1
    burst: int = 1
    """Calls of `emit` directly after one another."""
    batch: int = 1
    """Events per call."""
    is_irregular: bool = False
    """Whether a burst comes anywhere in its interval; always the same places."""

    @property
    def events(self) -> int:
        """How many it makes."""
        return self.agents * self._rounds * self.burst * self.batch

    @property
    def _rounds(self) -> int:
        return max(1, round(self.seconds / self.interval))

    def said(self) -> dict[str, object]:
        """As JSON can carry it."""
        return asdict(self)

    async def publish(self, emit: Emit) -> int:
        """Keep the pace, or go on without a pause when it cannot be kept."""
        async with asyncio.TaskGroup() as group:
            for number, agent in enumerate(AGENTS[: self.agents]):
                group.create_task(self._publish_one(emit, agent, Random(number)))
        return self.events

    async def _publish_one(self, emit: Emit, agent: str, chance: Random) -> None:
        start = time.monotonic()
        for number in range(self._rounds):
            place = chance.random() if self.is_irregular else 0
            due = start + self.interval * (number + place)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            for _ in range(self.burst):
                await emit(agent, [f"t={time.monotonic_ns()} "] * self.batch)
