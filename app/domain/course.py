"""What approval servers said of one approval: events that are never changed, and their course."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.domain.approval import CommandVerdict, Decision
from app.domain.ids import ApprovalId, FeedbackId
from app.domain.proof import Verification


class Outcome(StrEnum):
    """What the cluster looked like after a plan was carried out."""

    RESOLVED = "resolved"
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"
    EXECUTION_FAILED = "execution_failed"
    MADE_WORSE = "made_worse"


class FeedbackEventBase(BaseModel):
    """What every event carries; `id` is derived from content, so that a repeat is recognised."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: int = 1
    id: str = Field(min_length=1)
    ts: AwareDatetime


class ReportBase(FeedbackEventBase):
    """What an approval server said of one approval.

    Without `feedback_id` it belongs to whatever links the approval.
    """

    approval_id: ApprovalId
    feedback_id: FeedbackId | None = None
    round: int = Field(default=1, ge=1)
    """A later round's decision takes the place of an earlier one, which was void."""
    is_final: bool = False
    """Whether nothing is to follow."""
    is_signed: bool = False
    message_id: str | None = None
    """The webhook's id, the same on every attempt to deliver it."""
    signed_at: int | None = None


class Decided(ReportBase):
    """A person decided."""

    type: Literal["decided"] = "decided"
    is_final: bool = True
    decision: Decision
    rejection_reason: str | None = None
    approved_count: int = Field(default=0, ge=0)
    rejected_count: int = Field(default=0, ge=0)
    commands: tuple[CommandVerdict, ...] = ()
    reviewer: str | None = None


class Executed(ReportBase):
    """The approved commands came to their ends."""

    type: Literal["executed"] = "executed"
    commands: tuple[CommandVerdict, ...] = ()
    """Every command in its order, with status and output."""


class Verified(ReportBase):
    """The outcome in the cluster was measured."""

    type: Literal["verified"] = "verified"
    is_final: bool = True
    outcome: Outcome
    verification: Verification | None = None
    """With the facts that it follows from."""


class Expired(ReportBase):
    """Nobody decided in time."""

    type: Literal["expired"] = "expired"
    is_final: bool = True


class Undone(ReportBase):
    """A person had the changes taken back."""

    type: Literal["undone"] = "undone"
    is_final: bool = True
    commands: tuple[CommandVerdict, ...] = ()
    """Every command in its order, with how its undo ended."""


Report = Decided | Executed | Verified | Expired | Undone
"""What approval servers say; it can come before its proposal is known."""


@dataclass(frozen=True, slots=True)
class Course:
    """What became of one approval, as far as its server said: its latest round alone."""

    approval_id: ApprovalId
    decided: Decided | None = None
    executed: Executed | None = None
    verified: Verified | None = None
    expired: Expired | None = None
    undone: Undone | None = None
    is_late: bool = False
    """Whether it was decided after it had been said to be expired; it counts all the same."""

    @property
    def is_final(self) -> bool:
        """Whether nothing is to follow."""
        said = (self.decided, self.executed, self.verified, self.expired)
        return any(event is not None and event.is_final for event in said)

    @property
    def round(self) -> int:
        """How often it was decided, or would have been."""
        decisive = self.decided or self.expired
        return decisive.round if decisive else 1

    @property
    def is_taken_back(self) -> bool:
        """Whether something of it was taken back, or may have been."""
        undos = self.undone.commands if self.undone else ()
        return any(verdict.undo_status in {"succeeded", "unknown"} for verdict in undos)

    @property
    def ended(self) -> tuple[CommandVerdict, ...]:
        """Every command as the server last reported it."""
        if self.executed is not None:
            return self.executed.commands
        return self.decided.commands if self.decided else ()
