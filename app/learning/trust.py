"""How far a reviewer's word counts: by agreement with others on like cases, as exact counts.

The order of events changes nothing, and neither do retracted ones: every sum is of whole numbers.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import median_high
from typing import NamedTuple

from app.domain.feedback import Environment

FLOOR = 0.02
"""Nobody is silenced: who begins to agree is heard again."""
DOUBT = 2.0
"""Standard errors in a reviewer's favour: only what chance hardly explains lowers trust."""
FEWEST_COMPARISONS = 5
FEWEST_REVIEWERS = 3
"""Of two who contradict each other nobody can say who is right."""
_UNIT = 1 << 20


class LikeCases(NamedTuple):
    """Decisions that are alike; of one quarter, because teams change their minds."""

    failure_mode: str
    environment: Environment
    is_stateful: bool
    action: str
    quarter: int


@dataclass(slots=True)
class _Votes:
    """One reviewer's decisions on like cases."""

    approvals: int = 0
    rejections: int = 0


class _Agreement(NamedTuple):
    """One's decisions beside the share of others who approved the same, as sums."""

    decisions: int = 0
    approvals: int = 0
    shares: int = 0
    """In units, as the next two; the second one in their squares."""
    squares: int = 0
    products: int = 0
    """Of own approvals and shares."""

    def plus(self, other: "_Agreement", times: int = 1) -> "_Agreement":
        return _Agreement(*(one + times * two for one, two in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class _Slope:
    """How much likelier somebody's yes is where all others say yes than where all say no.

    The plain share of agreement would flatter who approves everything; here that is 0, and the
    opposite of what others say is below.
    """

    value: float
    error: float


class ReviewerTrust:
    """Counts every decision; a reviewer's trust is worked out when somebody asks."""

    def __init__(self) -> None:
        """Nobody has decided anything."""
        self._votes: dict[LikeCases, dict[int, _Votes]] = {}
        self._counted: dict[LikeCases, dict[int, _Agreement]] = {}
        """What each group of cases adds to the agreements, as long as it does not change."""
        self._agreements: defaultdict[int, _Agreement] = defaultdict(_Agreement)
        self._touched: set[LikeCases] = set()
        self._trust: dict[int, float] = {}

    def count(self, cases: LikeCases, reviewer: int, *, is_approval: bool, times: int) -> None:
        """Take a decision in; with -1, take it back."""
        votes = self._votes.setdefault(cases, {}).setdefault(reviewer, _Votes())
        if is_approval:
            votes.approvals += times
        else:
            votes.rejections += times
        self._touched.add(cases)

    def of(self, reviewer: int) -> float:
        """1 for who agrees with others like everybody does, or was never compared."""
        if self._touched:
            self._catch_up()
        return self._trust.get(reviewer, 1.0)

    def _catch_up(self) -> None:
        for cases in self._touched:
            for reviewer, before in self._counted.pop(cases, {}).items():
                self._agreements[reviewer] = self._agreements[reviewer].plus(before, -1)
            now = dict(_compare(self._votes[cases]))
            for reviewer, agreement in now.items():
                self._agreements[reviewer] = self._agreements[reviewer].plus(agreement)
            if now:
                self._counted[cases] = now
        self._touched.clear()
        self._trust = _trusts(self._agreements)


def _compare(votes: Mapping[int, _Votes]) -> Iterator[tuple[int, _Agreement]]:
    """Everybody's decisions beside all others' on the same cases."""
    approvals = sum(one.approvals for one in votes.values())
    rejections = sum(one.rejections for one in votes.values())
    for reviewer, own in votes.items():
        yes, no = approvals - own.approvals, rejections - own.rejections
        decisions = own.approvals + own.rejections
        if yes + no and decisions:
            share = _UNIT * yes // (yes + no)
            yield (
                reviewer,
                _Agreement(
                    decisions,
                    own.approvals,
                    decisions * share,
                    decisions * share * share,
                    own.approvals * share,
                ),
            )


def _trusts(agreements: Mapping[int, _Agreement]) -> dict[int, float]:
    """Everybody's slope beside the usual one: the median, which a few of bad faith cannot move."""
    slopes = {
        reviewer: slope
        for reviewer, agreement in agreements.items()
        if (slope := _slope(agreement)) is not None
    }
    if len(slopes) < FEWEST_REVIEWERS:
        return {}
    usual = min(median_high(slope.value for slope in slopes.values()), 1.0)
    if usual <= 0:
        return {}
    return {
        reviewer: min(max((slope.value + DOUBT * slope.error) / usual, FLOOR), 1.0)
        for reviewer, slope in slopes.items()
    }


def _slope(agreement: _Agreement) -> _Slope | None:
    """The regression of own decisions on others'; None where it says nothing."""
    count = agreement.decisions
    if count < FEWEST_COMPARISONS:
        return None
    share, approved = agreement.shares / _UNIT / count, agreement.approvals / count
    spread = agreement.squares / _UNIT**2 / count - share**2
    if spread <= 1 / _UNIT:
        return None
    together = agreement.products / _UNIT / count - share * approved
    guess = (agreement.approvals + 1) / (count + 2)
    return _Slope(together / spread, sqrt(guess * (1 - guess) / (count * spread)))
