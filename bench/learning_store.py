"""A feedback store in memory: the simulation measures what is learned, not the disk."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.course import Report
from app.domain.feedback import FeedbackEvent, FeedbackTail


@dataclass
class MemoryStore:
    """Implements the FeedbackStore port."""

    events: list[FeedbackEvent] = field(default_factory=list)
    _parked: list[Report] = field(default_factory=list)

    async def append(self, events: Sequence[FeedbackEvent]) -> None:
        self.events += events

    async def read(self, position: int) -> FeedbackTail:
        end = len(self.events)
        return FeedbackTail(
            events=tuple(self.events[position:]),
            positions=tuple(range(position, end)),
            start=position,
            position=end,
            unreadable=(),
            newer=(),
            is_end=True,
        )

    async def fetch(self, positions: Sequence[int]) -> Sequence[FeedbackEvent | None]:
        return [self.events[position] for position in positions]

    async def park(self, report: Report) -> None:
        self._parked.append(report)

    async def parked(self) -> Sequence[Report]:
        return self._parked
