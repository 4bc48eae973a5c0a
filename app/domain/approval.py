"""Proposals and what the approval server says to them."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from app.domain.answer import Answer
from app.domain.ids import ApprovalId, FeedbackId, WorkflowId
from app.domain.plan import SafetyLevel
from app.domain.proof import Verification
from app.domain.report import ReportKind

MOST_COMMANDS = 100
"""More than these no approval server takes in one proposal."""


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
    phases: tuple[str, ...] = ()
    """The phase of each command, in their order."""
    not_in_evidence: tuple[str, ...] = ()
    """Texts of the commands whose object or namespace the workflow has not seen."""
    error_patterns: tuple[str, ...] = ()
    """What the failing workload's own logs said; gone when it is well again."""
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
    repair: str | None = None
    """What the reasoner offered instead, where that was refused, too."""
    repair_reasons: tuple[str, ...] = ()


class Judgement(StrEnum):
    """What became of a planned command at the policy."""

    ACCEPTED = "accepted"
    REPAIRED = "repaired"
    REFUSED = "refused"


class JudgedCommand(Answer):
    """One planned command and what the policy says of it, for whoever watches."""

    plan: int
    """From 1, as in the feedback id."""
    number: int
    """From 1, within the plan."""
    service: str
    phase: str
    command: str
    """As it would be proposed: the repaired text where there is one."""
    canonical: str | None
    """Every spelling made the same; None for text that is no command."""
    risk: str
    """The policy's own word."""
    label: str
    """The plan author's own word."""
    safety_level: str
    """The higher of the two, which counts."""
    explanation: str = ""
    reasons: tuple[str, ...]
    in_evidence: bool
    verdict: Judgement
    repaired_from: str | None = None
    repaired_because: tuple[str, ...] = ()
    """Why the text that it was repaired from was refused."""
    repair: str | None = None
    """For a refused one: what the reasoner offered instead, and that was refused, too."""
    repair_reasons: tuple[str, ...] = ()


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
    judged: tuple[JudgedCommand, ...] = ()
    """Every command of every plan."""
    lacks: tuple[str, ...] = ()
    """What the approval server's protocol does not know."""


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
    output: str | None = None
    undo_status: str | None = Field(default=None, repr=False)
    """How far its undo came; ids are made of what is shown, and this is new to those of before."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a webhook: its message's id, and when it was signed."""

    message_id: str
    signed_at: int | None = None
    """Seconds since 1970; None where no signature proves it."""
    is_recent: bool = True
    """Whether it was signed so lately that it may be a retry whose answer got lost."""


@dataclass(frozen=True, slots=True)
class ApprovalReport:
    """How an approval stands, as the webhook brings it (contract section 1, `/feedback/mcp-approval`)."""

    approval_id: ApprovalId
    decision: Decision | None
    """None when nobody decided in time."""
    rejection_reason: str | None
    approved_count: int
    rejected_count: int
    is_signed: bool
    """Whether a valid webhook signature proved the sender."""
    commands: tuple[CommandVerdict, ...] = ()
    """Per command, where the sender says it; the counts alone otherwise."""
    reviewer: str | None = None
    kind: ReportKind = ReportKind.DECIDED
    round: int = 1
    """Goes up when a decision was void and had to be made again."""
    verification: Verification | None = None
    is_final: bool = True
    """Whether nothing is to follow; servers of the older kind report once."""
    delivery: Delivery | None = None
