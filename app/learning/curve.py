"""The learning curve: how plans fared up to each decided one (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.learning.entries import Entries
from app.learning.intervals import CommandTally, Interval

CURVE_WINDOW = 20
CURVE_POINTS = 500


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """How plans fared up to the nth decided one."""

    number: int
    timestamp: datetime
    approval_rate: float
    """Over all decided commands so far."""
    recent_approval_rate: float
    """Over the last CURVE_WINDOW plans."""
    recent_interval: Interval
    """95 %, Wilson's, at one look."""
    average_reward: float | None
    recent_average_reward: float | None


def curve_of(entries: Entries) -> list[CurvePoint]:
    """A point per decided plan in the order of decisions; evenly thinned when there are many."""
    decided = entries.decided()
    every = -(-len(decided) // CURVE_POINTS) or 1
    last = len(decided)
    numbers = [number for number in range(1, last + 1) if number % every == 0 or number == last]
    so_far, start = _Stretch(), 0
    points: list[CurvePoint] = []
    for number in numbers:
        so_far.add(entries, decided[start:number])
        start = number
        points.append(_point(entries, decided, number, so_far))
    return points


@dataclass(slots=True)
class _Stretch:
    """Plans in a row, added up."""

    approved: int = 0
    decided: int = 0
    total: float = 0.0
    """Of rewards."""
    rewarded: int = 0

    def add(self, entries: Entries, plans: Sequence[int]) -> None:
        for plan in plans:
            self.approved += entries.approved[plan]
            self.decided += entries.approved[plan] + entries.rejected[plan]
            reward = entries.reward(plan)
            if reward is not None:
                self.total += reward
                self.rewarded += 1

    @property
    def rate(self) -> float:
        return self.approved / self.decided if self.decided else 0.0

    @property
    def average(self) -> float | None:
        return self.total / self.rewarded if self.rewarded else None


def _point(entries: Entries, decided: Sequence[int], number: int, so_far: _Stretch) -> CurvePoint:
    window = decided[max(number - CURVE_WINDOW, 0) : number]
    recent, tally = _Stretch(), CommandTally()
    recent.add(entries, window)
    for plan in window:
        tally.add(entries.approved[plan], entries.rejected[plan])
    return CurvePoint(
        number=number,
        timestamp=entries.decided_at(decided[number - 1]),
        approval_rate=so_far.rate,
        recent_approval_rate=recent.rate,
        recent_interval=tally.interval,
        average_reward=so_far.average,
        recent_average_reward=recent.average,
    )
