"""Proposals and what the approval server says to them."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from app.domain.answer import Answer
from app.domain.ids import ApprovalId, FeedbackId, WorkflowId
from app.domain.plan import SafetyLevel


class ProposedCommand(Answer):
    """A judged command as it goes to the approval server."""

    command: str
    explanation: str = ""
    safety_level: SafetyLevel


class ProposalMetadata(Answer):
    """What the approval page shows around the commands; more keys than the contract demands."""

    severity: str
    priority: str
    service: str
    issue: str
    root_cause: str
    phase: str
    workflow_id: WorkflowId
    namespace: str | None = None
    notes: dict[str, str] = Field(default_factory=dict)
    """Per command text, what the reviewer must know, such as `not in evidence`."""
    rollback: dict[str, list[str]] = Field(default_factory=dict)
    """Per command text, the commands that take it back."""


class Proposal(Answer):
    """One payload per plan (contract section 3)."""

    action: str
    commands: tuple[ProposedCommand, ...]
    metadata: ProposalMetadata


@dataclass(frozen=True, slots=True)
class OutgoingProposal:
    """A proposal on its way to the approval server, under the key that makes it one."""

    key: str
    workflow_id: WorkflowId
    feedback_id: FeedbackId
    proposal: Proposal


class SubmissionStatus(StrEnum):
    """Whether the approval server has a proposal."""

    SUBMITTED = "submitted"
    ERROR = "error"


class Submission(Answer):
    """What became of one proposal."""

    service: str
    status: SubmissionStatus
    approval_id: str | None = None
    error: str | None = None


class RefusedCommand(Answer):
    """A command that the policy refused, also after one repair; it is shown, never submitted."""

    command: str
    reasons: tuple[str, ...]


class SubmissionReport(Answer):
    """KubectlCommandAgent's answer."""

    status: str = "completed"
    submissions: tuple[Submission, ...] = ()
    total_submissions: int = 0
    success_count: int = 0
    error_count: int = 0
    accepted: tuple[str, ...] = ()
    """The commands that the policy let through, repaired where that was needed."""
    refused: tuple[RefusedCommand, ...] = ()


class Decision(StrEnum):
    """What a person said to a proposal."""

    APPROVED = "approved"
    REJECTED = "rejected"


class CommandDecision(StrEnum):
    """What a person said to one command."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EDITED = "edited"
    UNDECIDED = "undecided"
    """The request was approved without a word about this one; it does not run."""


class CommandVerdict(Answer):
    """What became of one proposed command."""

    command: str
    """As it was proposed."""
    decision: CommandDecision
    edited_to: str | None = None
    reason: str | None = None
    status: str | None = None
    """How far its execution came, in the approval server's words."""


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """A decision as the webhook brings it (contract section 1, `/feedback/mcp-approval`)."""

    approval_id: ApprovalId
    decision: Decision
    rejection_reason: str | None
    approved_count: int
    rejected_count: int
    is_signed: bool
    """Whether a valid webhook signature proved the sender."""
    commands: tuple[CommandVerdict, ...] = ()
    """Per command, where the sender says it; the counts alone otherwise."""
    reviewer: str | None = None
