"""The control group: some workflows get nothing of what was learned, so that its worth can be measured.

A randomised experiment with the workflow as its unit. Who is held out follows from the workflow's
id alone, so that every process, restart and audit comes to the same answer.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from app.domain.answer import Entities
from app.domain.guidance import Guidance
from app.domain.ids import WorkflowId
from app.domain.incident import Analysis, Findings
from app.learning.selector import ExampleSelector

SALT = "holdout"
_SPAN = 1 << 64


@dataclass(frozen=True, slots=True)
class Holdout:
    """Which workflows are held out."""

    share: float
    """The probability of a workflow that may be, 0 to 1."""
    is_protected: Callable[[str], bool]
    """Whether a namespace is one where nothing is tried out."""

    def share_in(self, namespaces: Iterable[str]) -> float:
        """The probability for an incident in these namespaces; 0 where one of them is protected."""
        return 0.0 if any(map(self.is_protected, namespaces)) else self.share


@dataclass(frozen=True, slots=True)
class HoldoutSelector:
    """The selector's guidance, or none of it where the workflow is held out."""

    selector: ExampleSelector
    holdout: Holdout

    async def guide(
        self, workflow_id: WorkflowId, analysis: Analysis, findings: Findings, entities: Entities
    ) -> Guidance:
        """What this workflow may know of earlier decisions, with the probability that it does."""
        found = await self.selector.guide(analysis, findings, entities)
        share = self.holdout.share_in(namespaces_of(analysis, entities))
        return assign(found, share, is_held_out=draw(workflow_id) < share)


def draw(workflow_id: str) -> float:
    """A number from 0 up to 1, uniform over ids and always the same for one.

    Below a larger share are all those below a smaller one: a new setting moves as few as it can.
    """
    digest = hashlib.sha256(f"{SALT}:{workflow_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) / _SPAN


def assign(found: Guidance, share: float, *, is_held_out: bool) -> Guidance:
    """The guidance that is shown, and how likely it was to be.

    Where nothing is known both arms show the same, so that was certain.
    """
    if found.is_empty:
        return replace(found, is_held_out=is_held_out, holdout_share=share, propensity=1.0)
    if is_held_out:
        return Guidance(
            is_held_out=True, holdout_share=share, propensity=share, withheld=len(found.examples)
        )
    chosen = 1.0 if found.propensity is None else found.propensity
    return replace(found, is_held_out=False, holdout_share=share, propensity=(1 - share) * chosen)


def sentence_of(guidance: Guidance) -> str:
    """What a held-out workflow's watchers are told; they must not think that nothing was learned."""
    withheld = (
        "what people decided on earlier incidents is not used"
        if guidance.propensity != 1.0
        else "nothing that people decided earlier would have been used anyway"
    )
    share = round(100 * (guidance.holdout_share or 0))
    return (
        f"This workflow is in the holdout: {withheld} for it. {share} % of the workflows are "
        "planned without examples, so that what learning gains can be measured."
    )


def namespaces_of(analysis: Analysis, entities: Entities) -> set[str]:
    """Every namespace that an incident is known to be in."""
    causes = (cause.entities.namespace for cause in analysis.root_cause_analysis)
    return {name for name in (entities.namespace, *causes) if name}
