"""What people made of plans: events that are never changed, and the record they fold into."""

import hashlib
import json
import sys
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from app.domain.approval import CommandVerdict, Decision
from app.domain.course import Course, FeedbackEventBase, Outcome, Report
from app.domain.guidance import ExampleRole
from app.domain.housekeeping import Compacted, Forgotten, LessonSwitched
from app.domain.ids import ApprovalId, FeedbackId


class Environment(StrEnum):
    """How careful people are where something happens, by labels and names."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"
    UNKNOWN = "unknown"


class PlanStatus(StrEnum):
    """Where a plan stands with people; a plan that was never proposed has none."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DECLINED = "declined"
    """The approval server would not take it."""


Shared = Annotated[str, AfterValidator(sys.intern)]
"""A text that many records have in common; it is held once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """An incident without its identifiers: what makes two incidents alike."""

    tokens: tuple[Shared, ...] = ()
    """Words and neighbouring pairs of the failure's text, identifiers masked."""
    failure_mode: str = "unknown"
    environment: Environment = Environment.UNKNOWN
    kind: str = ""
    """The workload's kind in lower case; empty when unknown."""
    severity: str = ""
    has_recent_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCommand:
    """A plan's command, and what kind of action it is."""

    command: Shared
    action: Shared
    """`verb[ subverb]/kind`."""
    is_change: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownExample:
    """An earlier plan that the reasoner saw when it made this one."""

    feedback_id: str
    role: ExampleRole
    reason: str = ""


class Proposed(FeedbackEventBase):
    """A plan was made for an incident."""

    type: Literal["proposed"] = "proposed"
    feedback_id: FeedbackId
    workflow_id: str
    issue: str = ""
    signature: Signature = Signature()
    commands: tuple[PlannedCommand, ...] = ()
    input_data: str = ""
    output_data: str = ""
    shown: tuple[ShownExample, ...] = ()
    is_held_out: bool | None = None
    """Whether its workflow is in the control group, which is planned without what was learned.

    None where nobody drew, as is `holdout_share`.
    """
    holdout_share: float | None = None
    """How likely its workflow was to be; 0 where it could not be."""
    propensity: float | None = None
    """How likely exactly this (`shown`, or nothing in the control group) was to be shown.

    1 where the control group would have seen the same, as while nothing is known yet; None where
    what was shown is not known any more.
    """


class Linked(FeedbackEventBase):
    """The approval server took the plan under this id."""

    type: Literal["linked"] = "linked"
    feedback_id: FeedbackId
    approval_id: ApprovalId
    commands: tuple[PlannedCommand, ...] = ()
    """What was submitted, where that is known; empty means the whole plan."""


class Rated(FeedbackEventBase):
    """A person rated a plan; what is None leaves earlier values alone."""

    type: Literal["rated"] = "rated"
    feedback_id: FeedbackId
    rating: int | None = Field(default=None, ge=1, le=5)
    was_helpful: bool | None = None
    feedback_comments: str | None = None
    improvements_suggested: str | None = None


class Declined(FeedbackEventBase):
    """The approval server will never take the plan's proposal: nobody can decide on it."""

    type: Literal["declined"] = "declined"
    feedback_id: FeedbackId
    reason: str = ""


class Retracted(FeedbackEventBase):
    """A person took the record out of learning."""

    type: Literal["retracted"] = "retracted"
    feedback_id: FeedbackId
    reason: str = ""


class Imported(FeedbackEventBase):
    """One whole object of the earlier system's file, as it stands there."""

    type: Literal["imported"] = "imported"
    feedback_id: FeedbackId
    workflow_id: str = ""
    input_data: Any = None
    output_data: Any = None
    approval_status: Decision | Literal["pending"] | None = None
    approval_id: str | None = None
    approval_ids: tuple[str, ...] = ()
    rejection_reason: str | None = None
    approved_commands_count: int = 0
    rejected_commands_count: int = 0
    rating: int | None = None
    was_helpful: bool | None = None
    feedback_comments: str | None = None
    improvements_suggested: str | None = None
    reward_score: float | None = None


PlanEvent = Proposed | Linked | Report | Declined | Rated | Retracted | Imported
"""What is said of one plan."""

FeedbackEvent = Annotated[
    PlanEvent | LessonSwitched | Compacted | Forgotten, Field(discriminator="type")
]


@dataclass(frozen=True, slots=True)
class Rating:
    """What the page's form sends; None is "not said"."""

    rating: int | None = None
    was_helpful: bool | None = None
    comments: str | None = None
    improvements: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether anything was said at all."""
        return self != Rating()


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """Everything known about one plan: its events, folded."""

    feedback_id: FeedbackId
    workflow_id: str
    proposed_as: str
    """The id of the event that proposed it; another plan text has another one."""
    proposed_at: datetime
    decided_at: datetime | None
    signature: Signature
    issue: str
    commands: tuple[PlannedCommand, ...]
    input_data: str
    """Empty in a record that is made for counting only; so is `output_data`."""
    output_data: str
    approval_ids: tuple[ApprovalId, ...]
    status: PlanStatus | None
    approved_count: int
    """Commands, not plans."""
    rejected_count: int
    rejection_reason: str | None
    """A person's words, or the approval server's own where it declined."""
    verdicts: tuple[CommandVerdict, ...]
    courses: tuple[Course, ...]
    """What became of each of its approvals."""
    rating: Rating
    outcome: Outcome | None
    is_retracted: bool
    is_signed: bool
    """Whether every decision came with a valid signature."""
    credits: tuple["CommandCredit", ...]
    reward: float | None
    shown: tuple[ShownExample, ...]
    is_held_out: bool | None
    holdout_share: float | None
    propensity: float | None

    @property
    def is_randomised(self) -> bool:
        """Whether chance decided what it was shown, and both sides were possible and different."""
        share = self.holdout_share
        is_drawn = self.is_held_out is not None and share is not None and 0 < share < 1
        return is_drawn and self.propensity is not None and self.propensity < 1

    @property
    def is_late(self) -> bool:
        """Whether it was decided when it had already expired."""
        return any(course.is_late for course in self.courses)

    @property
    def is_decided(self) -> bool:
        """Whether a person said yes or no to it."""
        return self.status in {PlanStatus.APPROVED, PlanStatus.REJECTED}

    @property
    def is_example(self) -> bool:
        """Whether later plans may learn from it; a pending plan never is."""
        return self.is_decided and self.reward is not None and not self.is_retracted


@dataclass(frozen=True, slots=True)
class CommandCredit:
    """How far a command was accepted: 1 is approved, 0 rejected."""

    command: PlannedCommand
    credit: float
    rejected: float
    """The share that was rejected; an edit is neither full credit nor a rejection."""


def event_id(*parts: object) -> str:
    """The same id for the same content, on every machine."""
    text = json.dumps([str(part) for part in parts], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class FeedbackTail:
    """Feedback events after a position, whoever wrote them."""

    events: tuple[FeedbackEvent, ...]
    positions: tuple[int, ...]
    """Where each of them stands, for `FeedbackStore.fetch`."""
    start: int
    """Where it begins: not at the position asked for when the log was replaced by another one."""
    position: int
    """Where to go on; the first read starts at 0."""
    unreadable: tuple[int, ...]
    """Where lines stand that do not parse; they are passed over, and stay."""
    newer: tuple[int, ...]
    """Where lines of a later version of this product stand; they are passed over, and stay."""
    is_end: bool
    """Whether nothing more was committed when it was read."""
