"""The learning curve: how plans fared up to each decided one (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
    change_approval_rate: float | None
    """Over the commands alone that change something: approved reads say little of a plan.

    None while none was decided, as are the next two, which are over the last CURVE_WINDOW plans.
    """
    recent_change_approval_rate: float | None
    recent_change_interval: Interval | None


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

    commands: CommandTally = field(default_factory=CommandTally)
    changes: CommandTally = field(default_factory=CommandTally)
    """Of plans that have decided changing commands, those alone."""
    total: float = 0.0
    """Of rewards."""
    rewarded: int = 0

    def add(self, entries: Entries, plans: Iterable[int]) -> None:
        """Add these plans."""
        for plan in plans:
            self.commands.add(entries.approved[plan], entries.rejected[plan])
            if changes := entries.changes[plan]:
                self.changes.add_of(entries.accepted_changes(plan), changes)
            reward = entries.reward(plan)
            if reward is not None:
                self.total += reward
                self.rewarded += 1

    @property
    def change_rate(self) -> float | None:
        """The approved share of the changing commands."""
        return self.changes.rate if self.changes.decided else None

    @property
    def average(self) -> float | None:
        """The mean reward."""
        return self.total / self.rewarded if self.rewarded else None


def _point(entries: Entries, decided: Sequence[int], number: int, so_far: _Stretch) -> CurvePoint:
    recent = _Stretch()
    recent.add(entries, decided[max(number - CURVE_WINDOW, 0) : number])
    return CurvePoint(
        number=number,
        timestamp=entries.decided_at(decided[number - 1]),
        approval_rate=so_far.commands.rate,
        recent_approval_rate=recent.commands.rate,
        recent_interval=recent.commands.interval,
        average_reward=so_far.average,
        recent_average_reward=recent.average,
        change_approval_rate=so_far.change_rate,
        recent_change_approval_rate=recent.change_rate,
        recent_change_interval=recent.changes.interval if recent.changes.decided else None,
    )
