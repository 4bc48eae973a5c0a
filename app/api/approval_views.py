"""Approvals as pages and scripts see them."""

from datetime import UTC, datetime

from app.domain.proof import Proof
from app.domain.review import Approval, ReviewedCommand


def approval_view(approval: Approval) -> dict[str, object]:
    """An approval; the first five keys are the contract's."""
    outcome = approval.outcome
    return {
        "id": approval.approval_id,
        "action": approval.action,
        "commands": [
            _command_view(number, command) for number, command in enumerate(approval.commands)
        ],
        "timestamp": iso(approval.proposed_at),
        "metadata": approval.metadata,
        "status": approval.status,
        "decided_at": iso(approval.decided_at),
        "reviewer": approval.reviewer,
        "reason": approval.reason,
        "approved_count": approval.approved_count,
        "rejected_count": approval.rejected_count,
        "version": approval.version,
        "expires_at": iso(approval.expires_at),
        "round": approval.round,
        "void_reason": approval.void_reason,
        "verification": outcome.model_dump(mode="json") if outcome else None,
        "outcome": _outcome_view(approval),
        "can_undo": approval.can_undo,
        "undo": _undo_view(approval),
    }


def iso(moment: datetime | None) -> str | None:
    """UTC with milliseconds, as the earlier server wrote it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _undo_view(approval: Approval) -> dict[str, str | None] | None:
    if approval.undone_at is None:
        return None
    return {"at": iso(approval.undone_at), "by": approval.undone_by}


def _outcome_view(approval: Approval) -> str | None:
    """In one word: `undone`, else whether it helped."""
    if approval.is_taken_back:
        return "undone"
    return approval.verification.recovery if approval.verification else None


def _command_view(number: int, command: ReviewedCommand) -> dict[str, object]:
    return {
        "number": number,
        "command": command.text,
        "explanation": command.explanation,
        "safety_level": command.safety_level,
        "risk": command.risk,
        "policy_risk": command.policy_risk,
        "reasons": command.reasons,
        "is_refused": command.is_refused,
        "status": command.status,
        "output": command.output,
        "phase": command.phase,
        "in_evidence": command.in_evidence,
        "decision": command.decision,
        "edited_to": command.edited_to,
        "reason": command.reason,
        "proof": _proof_view(command.proof) if command.proof else None,
        "undo_status": command.undo_status,
        "undo_output": command.undo_output,
    }


def _proof_view(proof: Proof) -> dict[str, object]:
    """Without what only the server compares."""
    return proof.model_dump(mode="json", exclude={"left": True, "undo": {"fields"}})
