"""A decided plan as a case, and how near it is to an incident."""

from dataclasses import dataclass

from app.domain.feedback import Signature
from app.learning.judgement import Judgement

LIKE = 0.5
LIKE_FACETS = 0.7
"""Another environment or statefulness is below; an unknown environment or another severity is not."""


@dataclass(frozen=True, slots=True)
class Case:
    """A decided plan, as far as the estimator needs it."""

    plan: int
    """Its number in the ledger."""
    facets: Signature
    """Without its tokens."""
    judgement: Judgement
    decided_at: int
    reward: float
    trust: float
    """How far its reviewer's word counts, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A case like the incident at hand."""

    case: Case
    anywhere: float
    """Similarity of the failures, 0 to 1."""
    here: float
    """The same, less where environment, kind or severity differ."""

    @property
    def is_like(self) -> bool:
        """Whether it is the same failure in the same circumstances, but for what hardly matters."""
        return _is_like(self.anywhere, self.here)


def nearness(anywhere: float, here: float, decided_at: int) -> tuple[float, int]:
    """Of like cases the newest first, so that the last word on such an incident is among them."""
    return 1.0 if _is_like(anywhere, here) else here, decided_at


def _is_like(anywhere: float, here: float) -> bool:
    return anywhere >= LIKE and here >= LIKE_FACETS * anywhere
