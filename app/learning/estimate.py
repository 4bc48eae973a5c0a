"""How likely people accept an action on this incident: counts, backed off over three levels (pure)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.feedback import Signature
from app.domain.guidance import ActionScore
from app.learning.cases import CaseIndex, Neighbour

PRIOR = 0.5
TOLERANCE_STRENGTH = 2.0
ANYWHERE_STRENGTH = 2.0
HERE_STRENGTH = 1.0
SHARPNESS = 2.5
DECAY = 0.9


@dataclass(slots=True)
class _Sum:
    """Weighted acceptance of one action."""

    weight: float = 0.0
    credit: float = 0.0
    cases: int = 0
    approved: int = 0
    rejected: int = 0


def scoreboard(
    signature: Signature, neighbours: Sequence[Neighbour], index: CaseIndex
) -> tuple[ActionScore, ...]:
    """Every action tried on incidents like this one, best first."""
    anywhere: defaultdict[str, _Sum] = defaultdict(_Sum)
    here: defaultdict[str, _Sum] = defaultdict(_Sum)
    newest_first = sorted(neighbours, key=_decided_at, reverse=True)
    for neighbour in newest_first:
        _add(anywhere, neighbour, neighbour.anywhere)
        _add(here, neighbour, neighbour.here)
    scores = [
        ActionScore(
            action=action,
            score=_back_off(
                [
                    (_tolerance(signature, action, index), TOLERANCE_STRENGTH),
                    (anywhere[action], ANYWHERE_STRENGTH),
                    (near, HERE_STRENGTH),
                ]
            ),
            approved=near.approved,
            rejected=near.rejected,
        )
        for action, near in here.items()
    ]
    return tuple(sorted(scores, key=lambda line: (-line.score, line.action)))


def _add(sums: defaultdict[str, _Sum], neighbour: Neighbour, similarity: float) -> None:
    for evidence in neighbour.case.judgement.evidence:
        known = sums[evidence.action]
        weight = similarity**SHARPNESS * DECAY**known.cases
        known.weight += weight
        known.credit += weight * evidence.credit
        known.cases += 1
        known.approved += evidence.approved
        known.rejected += evidence.rejected


def _tolerance(signature: Signature, action: str, index: CaseIndex) -> _Sum:
    """What this team allows in such an environment, whatever the failure."""
    known = index.tolerance(signature.environment, action)
    return _Sum(known.cases, known.credit)


def _back_off(levels: Sequence[tuple[_Sum, float]]) -> float:
    """Each level starts from what the wider one says, as if seen `strength` times."""
    mean = PRIOR
    for known, strength in levels:
        mean = (strength * mean + known.credit) / (strength + known.weight)
    return mean


def _decided_at(neighbour: Neighbour) -> int:
    return neighbour.case.decided_at
