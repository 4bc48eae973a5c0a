"""The randomised experiment's observations, and what was to be expected of each before it (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

PRIOR = 0.5
STRENGTH = 2.0
"""Each level of the guess starts from what the wider one says, as if seen so often."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One workflow that chance put into one of the two arms, and how its plans fared."""

    is_held_out: bool
    holdout_share: float
    """The recorded probability of the holdout, over 0 and under 1."""
    value: float
    """0 to 1: the mean over its decided plans."""
    context: int = 0
    """Workflows that are alike before anything is shown, such as of one failure mode."""

    @property
    def weight(self) -> float:
        """One by the probability of the arm that it is in."""
        return 1 / (self.holdout_share if self.is_held_out else 1 - self.holdout_share)


@dataclass(frozen=True, slots=True)
class Expected:
    """A trial, and what each arm was expected to give; both guesses know earlier trials only."""

    trial: Trial
    guided: float
    held_out: float
    residual: float
    """The trial's value over what was expected of its arm, by the arm's probability."""

    @property
    def guided_score(self) -> float:
        """An unbiased guess of what the trial gives when guided, whatever happened to it."""
        return self.guided + (0.0 if self.trial.is_held_out else self.residual)

    @property
    def held_out_score(self) -> float:
        """The same for the holdout."""
        return self.held_out + (self.residual if self.trial.is_held_out else 0.0)


@dataclass(slots=True)
class _Mean:
    """A running mean."""

    count: int = 0
    total: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value

    def from_prior(self, prior: float) -> float:
        """The mean, starting from what a wider level says."""
        return (STRENGTH * prior + self.total) / (STRENGTH + self.count)


@dataclass(slots=True)
class _Outlook:
    """Means so far: of all trials, of an arm, of an arm in a context; each backs off to the last."""

    overall: _Mean = field(default_factory=_Mean)
    arms: defaultdict[bool, _Mean] = field(default_factory=lambda: defaultdict(_Mean))
    contexts: defaultdict[tuple[bool, int], _Mean] = field(
        default_factory=lambda: defaultdict(_Mean)
    )

    def expect(self, context: int, *, is_held_out: bool) -> float:
        """What an arm gives in a context, from 0 to 1."""
        overall = self.overall.from_prior(PRIOR)
        arm = self.arms[is_held_out].from_prior(overall)
        return self.contexts[is_held_out, context].from_prior(arm)

    def learn(self, trial: Trial) -> None:
        """Take one more in."""
        self.overall.add(trial.value)
        self.arms[trial.is_held_out].add(trial.value)
        self.contexts[trial.is_held_out, trial.context].add(trial.value)


def expected(trials: Iterable[Trial]) -> Iterator[Expected]:
    """Each trial, in its order, with the guesses that those before it allow."""
    outlook = _Outlook()
    for trial in trials:
        guided = outlook.expect(trial.context, is_held_out=False)
        held_out = outlook.expect(trial.context, is_held_out=True)
        guess = held_out if trial.is_held_out else guided
        yield Expected(trial, guided, held_out, (trial.value - guess) * trial.weight)
        outlook.learn(trial)
