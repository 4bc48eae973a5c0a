"""How likely people accept an action on this incident: counts, backed off over three levels (pure)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from app.domain.feedback import Signature
from app.domain.guidance import ActionScore
from app.learning.actions import takes_back
from app.learning.case import Neighbour
from app.learning.cases import CaseIndex
from app.learning.change import Word, validity
from app.learning.judgement import Evidence, carried_over

PRIOR = 0.5
TOLERANCE_STRENGTH = 2.0
ANYWHERE_STRENGTH = 2.0
HERE_STRENGTH = 0.5
SHARPNESS = 2.5
FACETS_SHARPNESS = 5.0
"""Of what differs in the circumstances, for the third level: what was decided in others is in the
second one already, and dozens of such cases must not outvote the few from just here."""
DECAY = 0.9
STANDS = 2 / 3
"""An action that scores as much after it was just rejected was hardly rejected for good."""
OPTIMISM = 0.1
"""Standard deviations: decides between equals in favour of what is less known, overrides nobody."""


@dataclass(slots=True)
class _Sum:
    """Weighted acceptance of one action."""

    weight: float = 0.0
    credit: float = 0.0
    newer: float = 0.0
    """Likeness of the cases that were added, the newest first."""
    approved: int = 0
    rejected: int = 0
    """Commands on like incidents: those from elsewhere weigh, and are not told as if from here."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How likely people accept an action here, and how much that rests on."""

    action: str
    mean: float
    weight: float
    """Of the decisions in the same circumstances."""
    approved: int
    rejected: int


def estimates(
    signature: Signature, neighbours: Sequence[Neighbour], index: CaseIndex
) -> list[Estimate]:
    """One for every action tried on incidents like this one."""
    anywhere: defaultdict[str, _Sum] = defaultdict(_Sum)
    here: defaultdict[str, _Sum] = defaultdict(_Sum)
    newest_first = sorted(neighbours, key=_decided_at, reverse=True)
    said = [said_here(neighbour, signature) for neighbour in newest_first]
    wide, near = [*map(_weight_anywhere, newest_first)], [*map(_weight_here, newest_first)]
    valid = validity([*map(_words, said, near)])
    _add_up(anywhere, said, wide, valid)
    _add_up(here, said, near, valid)
    for neighbour, evidence in zip(newest_first, said, strict=True):
        for one in evidence if neighbour.is_like else ():
            here[one.action].approved += one.approved
            here[one.action].rejected += one.rejected
    return [
        Estimate(
            action=action,
            mean=_back_off(
                [
                    (_tolerance(signature, action, index), TOLERANCE_STRENGTH),
                    (anywhere[action], ANYWHERE_STRENGTH),
                    (near, HERE_STRENGTH),
                ]
            ),
            weight=near.weight,
            approved=near.approved,
            rejected=near.rejected,
        )
        for action, near in here.items()
    ]


def scoreboard(found: Iterable[Estimate], optimism: float = 0.0) -> tuple[ActionScore, ...]:
    """The actions, best first."""
    scores = (
        ActionScore(one.action, _hopeful(one, optimism), one.approved, one.rejected)
        for one in found
    )
    return tuple(sorted(scores, key=_place))


def put_down(
    scores: Iterable[ActionScore], just_rejected: Collection[str]
) -> tuple[ActionScore, ...]:
    """What was just rejected behind the rest, unless a long record speaks for it all the same."""
    found = (
        replace(line, is_put_down=line.action in just_rejected and line.score < STANDS)
        for line in scores
    )
    return tuple(sorted(found, key=_place))


def said_here(neighbour: Neighbour, signature: Signature) -> tuple[Evidence, ...]:
    """What people said in a case, as it reads for the incident at hand.

    Taking a change back makes sense after one alone: a word on that with one tells nothing without.
    """
    case = neighbour.case
    said = carried_over(case.judgement.evidence, case.facets.kind, signature.kind)
    if case.facets.has_recent_change is signature.has_recent_change:
        return said
    return tuple(one for one in said if not takes_back(one.action))


def _words(said: Sequence[Evidence], weight: float) -> list[Word]:
    return [Word(one.action, weight * one.credit, weight * (1 - one.credit)) for one in said]


def _weight_anywhere(neighbour: Neighbour) -> float:
    weight: float = neighbour.anywhere**SHARPNESS * neighbour.case.trust
    return weight


def _weight_here(neighbour: Neighbour) -> float:
    facets: float = (neighbour.here / neighbour.anywhere) ** FACETS_SHARPNESS
    return facets * _weight_anywhere(neighbour)


def _add_up(
    sums: defaultdict[str, _Sum],
    newest_first: Sequence[Sequence[Evidence]],
    weights: Sequence[float],
    valid: Sequence[float],
) -> None:
    """Every case fades by how many newer ones are like the incident, each as far as it is."""
    for said, weight, still in zip(newest_first, weights, valid, strict=True):
        for evidence in said:
            known = sums[evidence.action]
            decayed = still * weight * DECAY**known.newer
            known.weight += decayed
            known.credit += decayed * evidence.credit
            known.newer += weight


def _tolerance(signature: Signature, action: str, index: CaseIndex) -> _Sum:
    """What this team allows in such an environment on such a workload, whatever the failure."""
    return _Sum(*index.trusted_tolerance(signature, action))


def _back_off(levels: Sequence[tuple[_Sum, float]]) -> float:
    """Each level starts from what the wider one says, as if seen `strength` times."""
    mean = PRIOR
    for known, strength in levels:
        mean = (strength * mean + known.credit) / (strength + known.weight)
    return mean


def _hopeful(one: Estimate, optimism: float) -> float:
    """A little more where little is known: the deviation of a Beta with this mean and weight."""
    deviation = sqrt(one.mean * (1 - one.mean) / (HERE_STRENGTH + one.weight + 1))
    return min(one.mean + optimism * deviation, 1.0)


def _place(line: ActionScore) -> tuple[bool, float, str]:
    return line.is_put_down, -line.score, line.action


def _decided_at(neighbour: Neighbour) -> int:
    return neighbour.case.decided_at
