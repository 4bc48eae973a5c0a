"""What learning gains: the guided workflows against the holdout, whenever one looks (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from app.learning.anytime import anytime_radius
from app.learning.intervals import Interval
from app.learning.trials import Expected, Trial, expected

LEAST_WORKFLOWS = 10
"""In each arm; the guesses of fewer say more of chance than the workflows do."""


class Verdict(StrEnum):
    """What the interval says about the difference."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"
    """The interval includes no difference: there are too few to tell, or there is none."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of the experiment."""

    workflows: int
    mean: float | None
    """Plain mean of the values, 0 to 1; None without any."""


@dataclass(frozen=True, slots=True)
class Lift:
    """The mean difference that guidance makes, with a 95 % interval that holds at every look."""

    guided: Arm
    held_out: Arm
    difference: float | None
    """Guided minus held out, -1 to 1, adjusted for which incidents each arm happened to get.

    None while an arm has fewer than LEAST_WORKFLOWS, as is its interval.
    """
    interval: Interval | None

    @property
    def plain_difference(self) -> float | None:
        """Of the arms' means, adjusted for nothing; None while an arm is empty."""
        if self.guided.mean is None or self.held_out.mean is None:
            return None
        return self.guided.mean - self.held_out.mean

    @property
    def workflows(self) -> int:
        """Both arms together."""
        return self.guided.workflows + self.held_out.workflows

    @property
    def verdict(self) -> Verdict:
        """Which way it goes, if that is sure."""
        if self.interval is not None and self.interval.low > 0:
            return Verdict.BETTER
        if self.interval is not None and self.interval.high < 0:
            return Verdict.WORSE
        return Verdict.UNDECIDED


@dataclass(slots=True)
class Comparison:
    """Sums over the trials so far, from which the lift can be told at any time.

    Each trial gives an unbiased score of the difference, the augmented inverse-probability-weighted
    one of Robins, Rotnitzky and Zhao, JASA 89 (1994) 846, whose guesses know earlier trials only.
    Its mean is the average effect over these workflows, also while that changes.
    """

    counts: list[int] = field(default_factory=lambda: [0, 0])
    """Guided, held out; so are the `totals` of their values."""
    totals: list[float] = field(default_factory=lambda: [0.0, 0.0])
    score: float = 0.0
    variation: float = 0.0
    """The sum of squared residuals: the V of `anytime_radius`."""
    scale: float = 1.0
    """The largest weight: no residual is larger, as values and guesses are from 0 to 1."""

    def add(self, one: Expected) -> None:
        """Take the next trial in."""
        trial, residual = one.trial, one.residual
        self.counts[trial.is_held_out] += 1
        self.totals[trial.is_held_out] += trial.value
        self.score += one.guided_score - one.held_out_score
        self.variation += residual * residual
        self.scale = max(self.scale, 1 / trial.holdout_share, 1 / (1 - trial.holdout_share))

    def lift(self) -> Lift:
        """As far as the trials so far tell."""
        guided, held_out = (
            Arm(count, total / count if count else None)
            for count, total in zip(self.counts, self.totals, strict=True)
        )
        if min(self.counts) < LEAST_WORKFLOWS:
            return Lift(guided, held_out, None, None)
        number = sum(self.counts)
        mean = self.score / number
        radius = anytime_radius(self.variation, self.scale) / number
        return Lift(
            guided, held_out, _clip(mean), Interval(_clip(mean - radius), _clip(mean + radius))
        )


def lift_of(trials: Iterable[Trial]) -> Lift:
    """The lift over trials in the order in which they were decided."""
    comparison = Comparison()
    for one in expected(trials):
        comparison.add(one)
    return comparison.lift()


def _clip(difference: float) -> float:
    return min(max(difference, -1.0), 1.0)
