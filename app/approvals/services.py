"""The parts list of the approval server."""

from dataclasses import dataclass

from app.approvals.asking import ForbiddenProposals
from app.approvals.copying import AuditCopying
from app.approvals.desk import ApprovalDesk
from app.approvals.reading import ReadOnlyCommands
from app.approvals.reports import DecisionReports
from app.domain.ports import Clock


@dataclass(frozen=True, slots=True)
class ApprovalServices:
    """What the routes and the tools may use; execution runs beside them."""

    desk: ApprovalDesk
    reports: DecisionReports
    reads: ReadOnlyCommands
    forbidden: ForbiddenProposals
    audit: AuditCopying
    clock: Clock
    mode: str
    """What may run at all: `suggest`, `read-only` or `approve`."""
