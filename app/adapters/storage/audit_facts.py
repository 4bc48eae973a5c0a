"""What the audit trail says of each change to an approval."""

import hashlib

from pydantic import JsonValue

from app.domain.audit import AuditFact, AuditType
from app.domain.ids import ApprovalId, ProcessId
from app.domain.proof import Verification
from app.domain.review import Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus


def proposed(approval: Approval, key: str | None) -> AuditFact:
    """What came in, and what the policy said."""
    return AuditFact(
        AuditType.PROPOSED,
        approval.approval_id,
        None,
        {
            "action": approval.action,
            "workflow_id": approval.metadata.get("workflow_id"),
            "idempotency_key": key,
            "commands": [
                {"command": command.text, "risk": command.risk, "is_refused": command.is_refused}
                for command in approval.commands
            ],
        },
    )


def decided(approval: Approval) -> AuditFact:
    """Who said what, to each command as it was seen."""
    return AuditFact(
        AuditType.DECIDED,
        approval.approval_id,
        approval.reviewer,
        {
            "status": approval.status,
            "round": approval.round,
            "version": approval.version,
            "reason": approval.reason,
            "commands": [_decision(command) for command in approval.commands],
        },
    )


def void(approval_id: ApprovalId, by: str | None, reason: str) -> AuditFact:
    """A decision that does not count."""
    return AuditFact(AuditType.DECISION_VOID, approval_id, by, {"reason": reason})


def expired(approval_id: ApprovalId) -> AuditFact:
    """Nobody decided."""
    return AuditFact(AuditType.EXPIRED, approval_id, None, {})


def moved(
    approval_id: ApprovalId, by: ProcessId, number: int, status: CommandStatus, output: str
) -> AuditFact:
    """A command that began or ended."""
    is_start = status is CommandStatus.EXECUTING
    type_ = AuditType.EXECUTION_STARTED if is_start else AuditType.EXECUTION_ENDED
    return AuditFact(type_, approval_id, by, _step(number, status, output))


def undo_begun(approval: Approval, *, is_confirmed: bool) -> AuditFact:
    """Somebody wants it taken back; confirmed, over what others changed since."""
    said: dict[str, JsonValue] = {"is_confirmed": is_confirmed}
    return AuditFact(AuditType.UNDO_BEGUN, approval.approval_id, approval.undone_by, said)


def undo_moved(
    approval_id: ApprovalId, by: ProcessId, number: int, status: CommandStatus, output: str
) -> AuditFact:
    """The undo of a command began or ended."""
    is_start = status is CommandStatus.EXECUTING
    type_ = AuditType.UNDO_STARTED if is_start else AuditType.UNDO_ENDED
    return AuditFact(type_, approval_id, by, _step(number, status, output))


def verified(approval_id: ApprovalId, by: ProcessId, verification: Verification) -> AuditFact:
    """What came of it all."""
    facts = verification.model_dump(mode="json", include={"recovery", "sentence", "facts"})
    return AuditFact(AuditType.VERIFIED, approval_id, by, facts)


def _decision(command: ReviewedCommand) -> dict[str, JsonValue]:
    return {
        "command": command.text,
        "decision": command.decision,
        "edited_to": command.edited_to,
        "reason": command.reason,
    }


def _step(number: int, status: CommandStatus, output: str) -> dict[str, JsonValue]:
    """An output can be long: its hash tells whether the kept one was changed."""
    digest = hashlib.sha256(output.encode("utf-8", "replace")).hexdigest()
    return {"number": number, "status": status, "output_sha256": digest}
