"""What people made of the plans so far, in figures and in their own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain.feedback import FeedbackRecord, PlanStatus
from app.domain.ids import FeedbackId
from app.learning.ledger import FeedbackLedger

PREVIEW_CHARACTERS = 200
SUGGESTIONS_LIMIT = 50
CURVE_WINDOW = 20
CURVE_POINTS = 500
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Approved and rejected count commands; outputs, pending ones and examples count plans."""

    total_outputs: int
    approved_count: int
    rejected_count: int
    pending_count: int
    approval_rate: float
    average_reward: float
    learning_examples: int
    rated_count: int
    unsigned_count: int
    """Decided plans whose decision nobody signed."""
    unreadable_lines: int


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


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """How plans fared up to the nth decided one."""

    number: int
    timestamp: datetime
    approval_rate: float
    """Over all decided commands so far."""
    recent_approval_rate: float
    """Over the last CURVE_WINDOW plans."""
    average_reward: float | None
    recent_average_reward: float | None


class FeedbackReport:
    """Reads the ledger; every figure can be counted again from the feedback file."""

    def __init__(self, ledger: FeedbackLedger) -> None:
        """Nothing is read yet."""
        self._ledger = ledger

    async def statistics(self) -> Statistics:
        """All plans so far."""
        records = await self._records()
        approved = sum(record.approved_count for record in records)
        rejected = sum(record.rejected_count for record in records)
        decided = [record for record in records if record.is_decided]
        return Statistics(
            total_outputs=len(records),
            approved_count=approved,
            rejected_count=rejected,
            pending_count=sum(record.status is PlanStatus.PENDING for record in records),
            approval_rate=_rate(approved, rejected),
            average_reward=_average(records) or 0.0,
            learning_examples=sum(record.is_example for record in records),
            rated_count=sum(record.rating.is_given for record in records),
            unsigned_count=sum(not record.is_signed for record in decided),
            unreadable_lines=self._ledger.unreadable,
        )

    async def improvements(self) -> list[str]:
        """What reviewers want avoided and what raters want better; newest first, each once."""
        newest = sorted(await self._records(), key=_last_said, reverse=True)
        said = [text for record in newest for text in _suggestions(record)]
        return [*dict.fromkeys(said)][:SUGGESTIONS_LIMIT]

    async def top_examples(self, limit: int, min_reward: float) -> list[TopExample]:
        """Decided plans only, the best first."""
        found = [
            example
            for record in await self._records()
            if (example := _top_example(record)) and example.reward_score >= min_reward
        ]
        found.sort(key=lambda example: (example.reward_score, example.timestamp), reverse=True)
        return found[:limit]

    async def of_workflow(self, workflow_id: str) -> list[FeedbackRecord]:
        """The plans of a workflow, in their order; none for an unknown id."""
        records = [found for found in await self._records() if found.workflow_id == workflow_id]
        return sorted(records, key=lambda record: (record.proposed_at, record.feedback_id))

    async def learning_curve(self) -> list[CurvePoint]:
        """A point per decided plan in the order of decisions; evenly thinned when there are many."""
        decided = [record for record in await self._records() if record.is_decided]
        decided.sort(key=lambda record: (record.decided_at or _NEVER, record.feedback_id))
        every = -(-len(decided) // CURVE_POINTS) or 1
        last = len(decided)
        numbers = [number for number in range(1, last + 1) if number % every == 0 or number == last]
        return _curve(decided, numbers)

    async def _records(self) -> list[FeedbackRecord]:
        return [*(await self._ledger.current()).records()]


def _curve(decided: Sequence[FeedbackRecord], numbers: Sequence[int]) -> list[CurvePoint]:
    points: list[CurvePoint] = []
    approved = rejected = start = 0
    total, rewarded = 0.0, 0
    for number in numbers:
        for record in decided[start:number]:
            approved += record.approved_count
            rejected += record.rejected_count
            total += record.reward or 0.0
            rewarded += record.reward is not None
        start = number
        recent = decided[max(number - CURVE_WINDOW, 0) : number]
        points.append(
            CurvePoint(
                number=number,
                timestamp=decided[number - 1].decided_at or _NEVER,
                approval_rate=_rate(approved, rejected),
                recent_approval_rate=_rate(
                    sum(record.approved_count for record in recent),
                    sum(record.rejected_count for record in recent),
                ),
                average_reward=total / rewarded if rewarded else None,
                recent_average_reward=_average(recent),
            )
        )
    return points


def _top_example(record: FeedbackRecord) -> TopExample | None:
    if record.reward is None or record.status is None or not record.is_example:
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


def _suggestions(record: FeedbackRecord) -> list[str]:
    reasons = [record.rejection_reason, *(verdict.reason for verdict in record.verdicts)]
    avoid = [f"Avoid: {reason.strip()}" for reason in reasons if reason and reason.strip()]
    better = (record.rating.improvements or "").strip()
    return [*avoid, *([better] if better else [])]


def _last_said(record: FeedbackRecord) -> datetime:
    return record.decided_at or record.proposed_at


def _preview(text: str) -> str:
    return f"{text[:PREVIEW_CHARACTERS]}..."


def _rate(approved: int, rejected: int) -> float:
    decided = approved + rejected
    return approved / decided if decided else 0.0


def _average(records: Sequence[FeedbackRecord]) -> float | None:
    rewards = [record.reward for record in records if record.reward is not None]
    return sum(rewards) / len(rewards) if rewards else None
