"""How likely people accept an action on this incident: counts, backed off over three levels (pure)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from app.domain.feedback import Signature
from app.domain.guidance import ActionScore
from app.learning.cases import CaseIndex, Neighbour
from app.learning.change import Word, validity

PRIOR = 0.5
TOLERANCE_STRENGTH = 2.0
ANYWHERE_STRENGTH = 2.0
HERE_STRENGTH = 1.0
SHARPNESS = 2.5
DECAY = 0.9
OPTIMISM = 0.1
"""Standard deviations: decides between equals in favour of what is less known, overrides nobody."""


@dataclass(slots=True)
class _Sum:
    """Weighted acceptance of one action."""

    weight: float = 0.0
    credit: float = 0.0
    cases: int = 0
    approved: int = 0
    rejected: int = 0


def scoreboard(
    signature: Signature,
    neighbours: Sequence[Neighbour],
    index: CaseIndex,
    optimism: float = 0.0,
) -> tuple[ActionScore, ...]:
    """Every action tried on incidents like this one, best first."""
    anywhere: defaultdict[str, _Sum] = defaultdict(_Sum)
    here: defaultdict[str, _Sum] = defaultdict(_Sum)
    newest_first = sorted(neighbours, key=_decided_at, reverse=True)
    valid = validity([_words(neighbour) for neighbour in newest_first])
    for neighbour, still in zip(newest_first, valid, strict=True):
        _add(anywhere, neighbour, still * _weight(neighbour, neighbour.anywhere))
        _add(here, neighbour, still * _weight(neighbour, neighbour.here))
    scores = [
        ActionScore(
            action=action,
            score=_hopeful(
                _back_off(
                    [
                        (_tolerance(signature, action, index), TOLERANCE_STRENGTH),
                        (anywhere[action], ANYWHERE_STRENGTH),
                        (near, HERE_STRENGTH),
                    ]
                ),
                near.weight,
                optimism,
            ),
            approved=near.approved,
            rejected=near.rejected,
        )
        for action, near in here.items()
    ]
    return tuple(sorted(scores, key=lambda line: (-line.score, line.action)))


def _words(neighbour: Neighbour) -> list[Word]:
    weight = _weight(neighbour, neighbour.here)
    return [
        Word(evidence.action, weight * evidence.credit, weight * (1 - evidence.credit))
        for evidence in neighbour.case.judgement.evidence
    ]


def _weight(neighbour: Neighbour, similarity: float) -> float:
    sharpened: float = similarity**SHARPNESS
    return sharpened * neighbour.case.trust


def _add(sums: defaultdict[str, _Sum], neighbour: Neighbour, weight: float) -> None:
    for evidence in neighbour.case.judgement.evidence:
        known = sums[evidence.action]
        decayed = weight * DECAY**known.cases
        known.weight += decayed
        known.credit += decayed * evidence.credit
        known.cases += 1
        known.approved += evidence.approved
        known.rejected += evidence.rejected


def _tolerance(signature: Signature, action: str, index: CaseIndex) -> _Sum:
    """What this team allows in such an environment, whatever the failure."""
    return _Sum(*index.trusted_tolerance(signature.environment, action))


def _back_off(levels: Sequence[tuple[_Sum, float]]) -> float:
    """Each level starts from what the wider one says, as if seen `strength` times."""
    mean = PRIOR
    for known, strength in levels:
        mean = (strength * mean + known.credit) / (strength + known.weight)
    return mean


def _hopeful(mean: float, weight: float, optimism: float) -> float:
    """A little more where little is known: the deviation of a Beta with this mean and weight."""
    deviation = sqrt(mean * (1 - mean) / (HERE_STRENGTH + weight + 1))
    return min(mean + optimism * deviation, 1.0)


def _decided_at(neighbour: Neighbour) -> int:
    return neighbour.case.decided_at
