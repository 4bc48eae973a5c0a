"""What a simulated course came to, and means over seeds with their 95 % intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bench.learning_course import Step

LATE = 500
BLOCK = 100
ENOUGH = 0.8
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Measures:
    """One course in numbers; ratios are to what knowing everything would have got."""

    late: float
    """Over the last 500 incidents."""
    turning: float
    """Over the first 500 of the second half, right after a drift where there is one."""
    heard_until_enough: int | None
    """Feedbacks until the last 100 incidents reached .8; None for never."""
    repeats: float
    """Share of late incidents with a rightly rejected last word on which it is proposed again."""
    unexplained: float
    """Share of late incidents with any rejected last word on which it comes again without a word why."""
    reads_alone: float
    """Share of late plans that change nothing."""
    curve: tuple[float, ...]
    """By 100 incidents."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds, and between what it lies with 95 % (bootstrap over the seeds)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.value)} ({_short(self.low)} to {_short(self.high)})"


def measure(steps: Sequence[Step]) -> Measures:
    """A course in numbers."""
    late, middle = steps[-LATE:], len(steps) // 2
    warned = [step for step in late if step.was_just_rejected]
    refused = [step for step in late if step.was_refused]
    blocks = [steps[start : start + BLOCK] for start in range(0, len(steps), BLOCK)]
    return Measures(
        late=_ratio(late),
        turning=_ratio(steps[middle : middle + LATE]),
        heard_until_enough=_heard_until_enough(steps),
        repeats=sum(step.is_repeat for step in warned) / max(len(warned), 1),
        unexplained=sum(step.is_unexplained for step in refused) / max(len(refused), 1),
        reads_alone=sum(step.is_read_only for step in late) / len(late),
        curve=tuple(_ratio(block) for block in blocks),
    )


def mean(values: Sequence[float]) -> Mean:
    """With the interval that drawing the seeds again gives."""
    chance = Random(0)
    count = len(values)
    means = sorted(sum(chance.choices(values, k=count)) / count for _ in range(RESAMPLES))
    low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]
    return Mean(sum(values) / count, low, high)


def median_heard(measures: Sequence[Measures]) -> str:
    """How many feedbacks it took half of the seeds; the others may never get there."""
    known = sorted(one.heard_until_enough or 10**9 for one in measures)
    middle = known[len(known) // 2]
    return "never" if middle == 10**9 else str(middle)


def _heard_until_enough(steps: Sequence[Step]) -> int | None:
    for end in range(BLOCK, len(steps) + 1, 10):
        if _ratio(steps[end - BLOCK : end]) >= ENOUGH:
            return steps[end - 1].heard
    return None


def _ratio(steps: Sequence[Step]) -> float:
    return sum(step.worth for step in steps) / sum(step.oracle for step in steps)


def _short(share: float) -> str:
    return f"{share:.2f}".removeprefix("0") if share < 1 else f"{share:.2f}"
