"""What would have come of always guiding, and of never, from what was recorded (pure).

The logging policy is the product with its holdout, the recorded propensities are its own, and each
of the two policies is evaluated on the same workflows. The intervals hold for one look.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import sqrt

from app.learning.intervals import Z_95, Interval, wilson
from app.learning.trials import Expected, Trial, expected

LEAST_EFFECTIVE = 10.0
"""With a smaller effective sample size nothing is said of how sure a value is."""
ALIKE = 1e-6
"""A standard error below this is none: everything that was seen was alike, but for rounding."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A policy's value, 0 to 1, with an ordinary 95 % interval where there is enough to tell one."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """One policy, evaluated in two ways; None where no recorded workflow followed it."""

    matching: int
    """Recorded workflows to which happened what the policy would have done."""
    effective_sample_size: float
    """(Σw)²/Σw²: so many equally weighted ones would tell as much (Kish, Survey Sampling, 1965)."""
    self_normalised: Estimate | None
    doubly_robust: Estimate | None


@dataclass(slots=True)
class _Sums:
    """What both estimates of a policy are made of; w is 1/propensity where it matches, else 0."""

    trials: int = 0
    matching: int = 0
    weights: float = 0.0
    weighted: float = 0.0
    """Of w·y; below of w², w²·y and w²·y²."""
    squares: float = 0.0
    squares_weighted: float = 0.0
    squares_squared: float = 0.0
    scores: float = 0.0
    """Doubly robust scores, and their squares."""
    scores_squared: float = 0.0

    def add(self, trial: Trial, score: float, *, is_match: bool) -> None:
        self.trials += 1
        self.scores += score
        self.scores_squared += score * score
        if not is_match:
            return
        weight, value = trial.weight, trial.value
        self.matching += 1
        self.weights += weight
        self.weighted += weight * value
        self.squares += weight * weight
        self.squares_weighted += weight * weight * value
        self.squares_squared += weight * weight * value * value

    @property
    def effective(self) -> float:
        """The effective sample size."""
        return self.weights**2 / self.squares

    def value(self) -> PolicyValue:
        if not self.matching:
            return PolicyValue(0, 0.0, None, None)
        return PolicyValue(
            matching=self.matching,
            effective_sample_size=self.effective,
            self_normalised=self._self_normalised(),
            doubly_robust=self._doubly_robust(),
        )

    def _self_normalised(self) -> Estimate:
        """Σwy/Σw, its variance by linearisation: Σw²(y - v)²/(Σw)².

        Swaminathan and Joachims, The self-normalized estimator for counterfactual learning, NIPS
        2015; the variance as in Owen, Monte Carlo theory, methods and examples, 2013, section 9.2.
        """
        value = self.weighted / self.weights
        spread = self.squares_squared - 2 * value * self.squares_weighted + value**2 * self.squares
        return _estimate(value, sqrt(max(spread, 0.0)) / self.weights, self.effective)

    def _doubly_robust(self) -> Estimate:
        """The mean of the scores q̂(policy) + w·(y - q̂); right if q̂ or the propensities are.

        Dudík, Langford and Li, Doubly robust policy evaluation and learning, ICML 2011. Here q̂ is
        made of earlier trials alone, so that none is judged by a guess that has seen it.
        """
        mean = self.scores / self.trials
        variance = max(self.scores_squared / self.trials - mean * mean, 0.0)
        return _estimate(mean, sqrt(variance / self.trials), self.effective)


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """Both policies on the same recorded workflows."""

    workflows: int
    guided: PolicyValue
    held_out: PolicyValue


@dataclass(slots=True)
class PolicySums:
    """Sums over the trials so far, from which both policies can be told."""

    guided: _Sums = field(default_factory=_Sums)
    held_out: _Sums = field(default_factory=_Sums)

    def add(self, one: Expected) -> None:
        """Take the next trial in."""
        is_held_out = one.trial.is_held_out
        self.guided.add(one.trial, one.guided_score, is_match=not is_held_out)
        self.held_out.add(one.trial, one.held_out_score, is_match=is_held_out)

    def off_policy(self) -> OffPolicy:
        """As far as the trials so far tell."""
        return OffPolicy(self.guided.trials, self.guided.value(), self.held_out.value())


def evaluate_policies(trials: Iterable[Trial]) -> OffPolicy:
    """Both policies, from trials in the order in which they were decided."""
    sums = PolicySums()
    for one in expected(trials):
        sums.add(one)
    return sums.off_policy()


def _estimate(value: float, error: float, effective: float) -> Estimate:
    return Estimate(_share(value), _interval(value, error, effective))


def _interval(value: float, error: float, effective: float) -> Interval | None:
    """Where everything was alike nothing tells how unlike the rest is: the widest, that of a share."""
    if effective < LEAST_EFFECTIVE:
        return None
    if error < ALIKE:
        return wilson(_share(value), effective)
    return Interval(_share(value - Z_95 * error), _share(value + Z_95 * error))


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
