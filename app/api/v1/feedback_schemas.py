"""What the feedback endpoints take and answer (contract section 1)."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from app.api.v1.evaluation_schemas import EvaluationAnswer, FromFacts, IntervalAnswer
from app.domain.approval import ApprovalReport, CommandVerdict, Decision, Delivery
from app.domain.feedback import FeedbackRecord, PlanStatus, Rating
from app.domain.ids import ApprovalId
from app.domain.proof import Verification
from app.domain.report import ReportKind
from app.learning.curve import CurvePoint
from app.learning.evaluator import Evaluated
from app.learning.report import Statistics, TopExample

IDENTIFIER_LIMIT = 512
COMMANDS_LIMIT = 1000
KIND_PREFIX = "approval."


def _zero_for_null(value: object) -> object:
    """Clients of the earlier system send null for "none"."""
    return 0 if value is None else value


def _kind_or_none(value: object) -> object:
    """`approval.decided` and the like; another server may mean something of its own by `type`."""
    is_ours = isinstance(value, str) and value.startswith(KIND_PREFIX)
    return str(value).removeprefix(KIND_PREFIX) if is_ours else None


def _ours_or_none(value: object) -> object:
    """Another approval server may mean something else by `commands`; then the counts speak."""
    try:
        return _VERDICTS.validate_python(value)
    except ValidationError:
        return ()


_VERDICTS = TypeAdapter(tuple[CommandVerdict, ...])
Identifier = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_LIMIT)]
Round = Annotated[int, Field(ge=1, le=1_000_000)]
Count = Annotated[int, BeforeValidator(_zero_for_null), Field(ge=0, le=1_000_000)]


class SubmittedFeedback(BaseModel):
    """A person's opinion of a plan; null and absent mean "not said"."""

    feedback_id: Identifier
    rating: int | None = Field(default=None, ge=1, le=5)
    was_helpful: bool | None = None
    feedback_comments: str | None = None
    improvements_suggested: str | None = None

    def to_rating(self) -> Rating:
        """The opinion itself."""
        return Rating(
            rating=self.rating,
            was_helpful=self.was_helpful,
            comments=self.feedback_comments,
            improvements=self.improvements_suggested,
        )


class FeedbackTaken(BaseModel):
    """The opinion is on disk."""

    success: bool = True
    message: str
    feedback_id: str


class ReportedApproval(BaseModel):
    """An approval server's webhook; what comes after the counts is ours, others leave it out."""

    approval_id: Identifier
    status: Decision | Literal["expired"]
    rejection_reason: str | None = None
    approved_count: Count = 0
    rejected_count: Count = 0
    type: Annotated[ReportKind | None, BeforeValidator(_kind_or_none)] = None
    commands: Annotated[
        tuple[CommandVerdict, ...],
        BeforeValidator(_ours_or_none),
        Field(max_length=COMMANDS_LIMIT),
    ] = ()
    reviewer: str | None = None
    round: Round = 1
    verification: Verification | None = None
    is_final: bool | None = None

    @model_validator(mode="after")
    def _is_of_one_mind(self) -> Self:
        if (self.status == "expired") is not (self.type is ReportKind.EXPIRED):
            raise ValueError("status expired and type approval.expired belong together")
        if self.type is ReportKind.VERIFIED and self.verification is None:
            raise ValueError("type approval.verified needs the verification")
        return self

    def to_report(self, delivery: Delivery | None) -> ApprovalReport:
        """The report itself; servers that know no types report once, at the end."""
        return ApprovalReport(
            approval_id=ApprovalId(self.approval_id),
            decision=None if self.status == "expired" else self.status,
            rejection_reason=self.rejection_reason,
            approved_count=self.approved_count,
            rejected_count=self.rejected_count,
            is_signed=delivery is not None and delivery.signed_at is not None,
            commands=self.commands,
            reviewer=self.reviewer,
            kind=self.type or ReportKind.DECIDED,
            round=self.round,
            verification=self.verification,
            is_final=self.type is None if self.is_final is None else self.is_final,
            delivery=delivery,
        )


class ReportTaken(BaseModel):
    """What was reported is on disk."""

    success: bool = True
    message: str
    approval_id: str


class AgentStatistics(EvaluationAnswer):
    """Counts of approved and rejected are commands; the others are plans.

    `change_approval_rate` is over the decided commands that change something; null while there is
    none.
    """

    total_outputs: int
    approved_count: int
    rejected_count: int
    pending_count: int
    approval_rate: float
    change_approval_rate: float | None
    average_reward: float
    learning_examples: int
    rated_count: int
    unsigned_count: int
    late_count: int
    unreadable_lines: int
    newer_lines: int


class NoLearning(BaseModel):
    """An agent that does not learn from people."""

    message: str = "This agent doesn't use reinforcement learning"


class AllStatistics(BaseModel):
    """Statistics of every agent that learns."""

    agent_statistics: dict[str, AgentStatistics]
    total_feedbacks: int
    average_reward: float


class StatisticsOfAgent(BaseModel):
    """Statistics of one agent."""

    agent_name: str
    statistics: AgentStatistics | NoLearning


class Improvements(BaseModel):
    """What people want avoided or better."""

    agent_name: str
    improvement_suggestions: list[str]
    count: int
    message: str | None = None


class TopExampleAnswer(FromFacts):
    """A decided plan with a high reward; previews are the first 200 characters."""

    feedback_id: str
    timestamp: datetime
    rating: int | None
    reward_score: float
    was_helpful: bool | None
    approval_status: PlanStatus
    approved_commands: int
    rejected_commands: int
    input_preview: str
    output_preview: str


class TopExamples(BaseModel):
    """The best examples an agent learns from."""

    agent_name: str
    examples_count: int
    examples: list[TopExampleAnswer]


class Opportunity(BaseModel):
    """A plan of a workflow that a person may rate."""

    feedback_id: str
    agent_name: str
    timestamp: datetime
    has_ui_feedback: bool
    approval_status: PlanStatus | None
    is_late: bool
    """Whether it was decided after it had expired."""
    approval_id: str | None
    issue: str
    reward_score: float | None


class Opportunities(BaseModel):
    """All plans of a workflow."""

    workflow_id: str
    feedback_opportunities: list[Opportunity]
    count: int


class CurvePointAnswer(FromFacts):
    """How plans fared up to the nth decided one; `recent_` is over the last `window` plans.

    `change_` is over the commands alone that change something; null while none was decided.
    """

    number: int
    timestamp: datetime
    approval_rate: float
    recent_approval_rate: float
    recent_interval: IntervalAnswer
    average_reward: float | None
    recent_average_reward: float | None
    change_approval_rate: float | None
    recent_change_approval_rate: float | None
    recent_change_interval: IntervalAnswer | None


class LearningCurve(BaseModel):
    """Approval and reward over the decided plans, oldest first."""

    window: int
    points: list[CurvePointAnswer]


def to_statistics(statistics: Statistics, evaluated: Evaluated) -> AgentStatistics:
    """As the contract names it, and how sure it is."""
    evaluation = EvaluationAnswer.of(evaluated)
    return AgentStatistics.model_validate(asdict(statistics) | dict(evaluation))


def to_example(example: TopExample) -> TopExampleAnswer:
    """As the contract names it."""
    return TopExampleAnswer.model_validate(example)


def to_point(point: CurvePoint) -> CurvePointAnswer:
    """As the page draws it."""
    return CurvePointAnswer.model_validate(point)


def to_opportunity(record: FeedbackRecord, agent_name: str) -> Opportunity:
    """As the contract names it."""
    return Opportunity(
        feedback_id=record.feedback_id,
        agent_name=agent_name,
        timestamp=record.proposed_at,
        has_ui_feedback=record.rating.is_given,
        approval_status=record.status,
        is_late=record.is_late,
        approval_id=next(iter(record.approval_ids), None),
        issue=record.issue,
        reward_score=record.reward,
    )
