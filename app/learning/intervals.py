"""How sure one can be of a share of commands, at one look (pure).

Commands of one plan are decided by one person in one go, so ten of them tell less than ten plans
with one each. Wilson's interval is therefore taken at the effective number of commands.
"""

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054
"""The normal distribution's 97.5 % point: two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, in the unit of what it is about."""

    low: float
    high: float


@dataclass(slots=True)
class CommandTally:
    """Decided plans and their commands, added up with what tells how alike those of a plan are."""

    plans: int = 0
    approved: float = 0
    """Commands, as is `decided`; a fraction where counts alone do not say which were."""
    decided: int = 0
    approved_squares: float = 0
    """Per plan a = approved and n = decided: here the sum of a², below of a·n and n²."""
    products: float = 0
    decided_squares: int = 0

    def add(self, approved: int, rejected: int) -> None:
        """Count one plan's commands."""
        self.add_of(approved, approved + rejected)

    def add_of(self, approved: float, decided: int) -> None:
        """Count one plan's commands, of which so many were approved."""
        self.plans += 1
        self.approved += approved
        self.decided += decided
        self.approved_squares += approved * approved
        self.products += approved * decided
        self.decided_squares += decided * decided

    def merge(self, other: "CommandTally") -> None:
        """Count another tally's plans as well."""
        self.plans += other.plans
        self.approved += other.approved
        self.decided += other.decided
        self.approved_squares += other.approved_squares
        self.products += other.products
        self.decided_squares += other.decided_squares

    @property
    def rate(self) -> float:
        """The approved share of all decided commands; 0 where there are none."""
        return self.approved / self.decided if self.decided else 0.0

    @property
    def effective(self) -> float:
        """How many independent commands would tell as much: decided / design effect.

        The design effect is the variance of the ratio estimate over plans (linearised, Cochran,
        Sampling Techniques, 3rd ed. 1977, section 11.12) by p(1 - p)/n, at least 1 (Kish, Survey
        Sampling, 1965). Where every command was decided alike nothing tells how alike they are, so
        that each plan counts as one command.
        """
        rate = self.rate
        if self.plans < 2 or rate in {0.0, 1.0}:
            return float(self.plans)
        spread = self.approved_squares - 2 * rate * self.products + rate**2 * self.decided_squares
        within = self.plans / (self.plans - 1) * spread
        effect = within / (self.decided * rate * (1 - rate))
        return self.decided / max(effect, 1.0)

    @property
    def interval(self) -> Interval:
        """A 95 % interval of the rate."""
        return wilson(self.rate, self.effective)


def wilson(rate: float, trials: float, z: float = Z_95) -> Interval:
    """Wilson's score interval of a share seen in `trials` independent trials; [0, 1] without any.

    Wilson, JASA 22 (1927) 209; recommended over the usual one for few trials and shares near 0 or 1
    by Brown, Cai and DasGupta, Statistical Science 16 (2001) 101.
    """
    if trials <= 0:
        return Interval(0.0, 1.0)
    weight = z * z / trials
    centre = (rate + weight / 2) / (1 + weight)
    radius = z / (1 + weight) * sqrt(rate * (1 - rate) / trials + weight / (4 * trials))
    return Interval(max(centre - radius, 0.0), min(centre + radius, 1.0))
