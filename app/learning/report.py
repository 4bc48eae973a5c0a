"""What people made of the plans so far, in figures and in their own words."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.feedback import FeedbackRecord, PlanStatus
from app.domain.ids import ApprovalId, FeedbackId, WorkflowId
from app.learning.again import again_if_rewritten
from app.learning.curve import CurvePoint, curve_of
from app.learning.entries import Entries, suggestions_of
from app.learning.evaluator import Evaluated, Evaluator
from app.learning.ledger import FeedbackLedger

PREVIEW_CHARACTERS = 200
SUGGESTIONS_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Statistics:
    """Approved and rejected count commands; outputs, pending ones and examples count plans."""

    total_outputs: int
    approved_count: int
    rejected_count: int
    pending_count: int
    approval_rate: float
    change_approval_rate: float | None
    """Over the commands alone that change something; None while none was decided."""
    average_reward: float
    learning_examples: int
    rated_count: int
    unsigned_count: int
    """Decided plans whose decision nobody signed."""
    late_count: int
    """Plans that were decided when they had expired; they count like the others."""
    unreadable_lines: int
    newer_lines: int
    """Of a later version of this product; they are kept and passed over."""


@dataclass(frozen=True, slots=True)
class TopExample:
    """A decided plan with a high reward."""

    feedback_id: FeedbackId
    timestamp: datetime
    rating: int | None
    reward_score: float
    was_helpful: bool | None
    approval_status: PlanStatus
    approved_commands: int
    rejected_commands: int
    input_preview: str
    output_preview: str


class FeedbackReport:
    """Reads the ledger; every figure can be counted again from the feedback file."""

    def __init__(self, ledger: FeedbackLedger) -> None:
        """Nothing is read yet."""
        self._ledger = ledger
        self._evaluator = Evaluator(ledger)

    async def statistics(self) -> Statistics:
        """All plans so far."""
        async with self._ledger.reading() as turn:
            entries = turn.entries
            approved, rejected = sum(entries.approved), sum(entries.rejected)
            return Statistics(
                total_outputs=sum(entries.is_known),
                approved_count=approved,
                rejected_count=rejected,
                pending_count=sum(entries.is_pending),
                approval_rate=_rate(approved, rejected),
                change_approval_rate=_change_rate(entries),
                average_reward=_average(entries.rewards()) or 0.0,
                learning_examples=sum(entries.is_example),
                rated_count=sum(entries.is_rated),
                unsigned_count=sum(entries.is_unsigned),
                late_count=sum(entries.is_late),
                unreadable_lines=turn.unreadable,
                newer_lines=turn.newer,
            )

    @again_if_rewritten
    async def evaluated(self) -> Evaluated:
        """What is known of how sure the figures are, and of what learning gains."""
        return await self._evaluator.evaluated()

    @again_if_rewritten
    async def improvements(self) -> list[str]:
        """What reviewers want avoided and what raters want better; newest first, each once."""
        said: dict[str, None] = {}
        async with self._ledger.reading() as turn:
            plans = turn.entries.newest_said()
            for start in range(0, len(plans), SUGGESTIONS_LIMIT):
                for record in await turn.records(plans[start : start + SUGGESTIONS_LIMIT]):
                    said |= dict.fromkeys(suggestions_of(record))
                if len(said) >= SUGGESTIONS_LIMIT:
                    break
        return [*said][:SUGGESTIONS_LIMIT]

    @again_if_rewritten
    async def top_examples(self, limit: int, min_reward: float) -> list[TopExample]:
        """Decided plans only, the best first."""
        async with self._ledger.reading() as turn:
            records = await turn.records(turn.entries.best(limit, min_reward))
        return [example for record in records if (example := _top_example(record))]

    @again_if_rewritten
    async def workflow_of(self, approval_id: ApprovalId) -> WorkflowId | None:
        """Whose proposal an approval is; None when it is unknown here."""
        async with self._ledger.reading() as turn:
            records = await turn.under(approval_id)
        return WorkflowId(records[0].workflow_id) if records else None

    @again_if_rewritten
    async def of_workflow(self, workflow_id: str) -> list[FeedbackRecord]:
        """The plans of a workflow, in their order; none for an unknown id."""
        async with self._ledger.reading() as turn:
            records = await turn.records(turn.entries.of_workflow(workflow_id))
        found = (record for record in records if record.workflow_id == workflow_id)
        return sorted(found, key=lambda record: (record.proposed_at, record.feedback_id))

    @again_if_rewritten
    async def learning_curve(self) -> list[CurvePoint]:
        """A point per decided plan in the order of decisions; evenly thinned when there are many."""
        async with self._ledger.reading() as turn:
            columns = turn.entries.copy()
        return await asyncio.to_thread(curve_of, columns)


def _top_example(record: FeedbackRecord) -> TopExample | None:
    if record.reward is None or record.status is None:
        return None
    return TopExample(
        feedback_id=record.feedback_id,
        timestamp=record.proposed_at,
        rating=record.rating.rating,
        reward_score=record.reward,
        was_helpful=record.rating.was_helpful,
        approval_status=record.status,
        approved_commands=record.approved_count,
        rejected_commands=record.rejected_count,
        input_preview=_preview(record.input_data),
        output_preview=_preview(record.output_data),
    )


def _preview(text: str) -> str:
    return f"{text[:PREVIEW_CHARACTERS]}..."


def _rate(approved: int, rejected: int) -> float:
    decided = approved + rejected
    return approved / decided if decided else 0.0


def _change_rate(entries: Entries) -> float | None:
    decided = sum(entries.changes)
    return 1 - sum(entries.refusals) / decided if decided else None


def _average(rewards: Sequence[float]) -> float | None:
    return sum(rewards) / len(rewards) if rewards else None
