"""What the backend is told of an approval: a report of each kind, in this order, as long as one may follow."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.ids import ApprovalId

KEPT_HEADER = "report-kept"
"""On a 404: the backend does not know the proposal, and does not need the report again."""


class ReportKind(StrEnum):
    """What happened; each report has the whole state."""

    DECIDED = "decided"
    EXPIRED = "expired"
    EXECUTED = "executed"
    VERIFIED = "verified"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class DueReport:
    """A report that the backend has not acknowledged yet."""

    approval_id: ApprovalId
    body: bytes
    created_at: datetime
    attempts: int
    kind: ReportKind = ReportKind.DECIDED
    round: int = 1
    is_final: bool = True
    """Whether none of another kind follows, but the one of an undo."""

    @property
    def message_id(self) -> str:
        """The same on every attempt."""
        return f"{self.kind}_{self.approval_id}_{self.round}"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Reports on their way and reports given up."""

    waiting: int
    abandoned: int
    last_error: str
