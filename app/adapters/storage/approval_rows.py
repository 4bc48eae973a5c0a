"""Approvals with their commands as they stand in the tables, each read at one moment."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from app.adapters.storage.approval_tables import approvals, commands, kept_words
from app.adapters.storage.tables import stamp
from app.domain.approval import CommandDecision
from app.domain.ids import ApprovalId
from app.domain.proof import Proof, Verification
from app.domain.review import Approval, ReviewedCommand
from app.domain.review_moves import ApprovalStatus, CommandStatus

BATCH = 100
NOT_READ = {"idempotency_key", "executor", "is_closed"}
_APPROVAL = tuple(column for column in approvals.c if column.name not in NOT_READ)
_COMMAND = tuple(column for column in commands.c if column.name not in {"approval_id", "number"})


def fetch_approvals(
    connection: sa.Connection,
    condition: sa.ColumnElement[bool],
    order: sa.ColumnElement[Any],
    limit: int | None = None,
    **values: object,
) -> list[tuple[int, Approval]]:
    """Approvals with their positions; `values` are those that the condition leaves open."""
    chosen = sa.select(approvals.c.approval_id).where(condition).order_by(order).limit(limit)
    query = (
        sa.select(*_APPROVAL, *_COMMAND)
        .outerjoin_from(approvals, commands, approvals.c.approval_id == commands.c.approval_id)
        .where(approvals.c.approval_id.in_(chosen))
        .order_by(order, approvals.c.position, commands.c.number)
    )
    rows: list[tuple[Any, ...]] = [tuple(row) for row in connection.execute(query, values)]
    return [
        (position, _to_approval([*found])) for position, found in groupby(rows, key=itemgetter(0))
    ]


def fetch_one(connection: sa.Connection, approval_id: ApprovalId) -> Approval | None:
    """One approval."""
    condition = approvals.c.approval_id == approval_id
    found = fetch_approvals(connection, condition, approvals.c.position.asc())
    return found[0][1] if found else None


def is_as_proposed(kept: Approval, other: Approval) -> bool:
    """Whether both were proposed in the same words, as far as the tables keep them."""
    return _words(kept) == _words(other)


def to_row(approval: Approval, idempotency_key: str | None) -> dict[str, object]:
    """A row of `approvals`."""
    return {
        "approval_id": approval.approval_id,
        "idempotency_key": idempotency_key,
        "action": approval.action,
        "metadata": json.dumps(approval.metadata),
        "proposed_at": stamp(approval.proposed_at),
        **to_decision(approval),
    }


def to_decision(approval: Approval) -> dict[str, object]:
    """What a decision, its expiry or its end as void changes in a row of `approvals`."""
    return {
        "status": approval.status,
        "decided_at": _stamp(approval.decided_at),
        "reviewer": approval.reviewer,
        "reason": approval.reason,
        "expires_at": _stamp(approval.expires_at),
        "round": approval.round,
        "void_reason": approval.void_reason,
    }


def to_command_rows(approval: Approval) -> list[dict[str, object]]:
    """Rows of `commands`."""
    return [
        {
            "approval_id": approval.approval_id,
            "number": number,
            "text": command.text,
            "explanation": command.explanation,
            "safety_level": command.safety_level,
            "phase": command.phase,
            "proof": command.proof.model_dump_json() if command.proof else None,
            **to_command_decision(command),
        }
        for number, command in enumerate(approval.commands)
    ]


def to_command_decision(command: ReviewedCommand) -> dict[str, object]:
    """What a decision changes in a row of `commands`."""
    return {
        "risk": command.risk,
        "policy_risk": command.policy_risk,
        "reasons": json.dumps(command.reasons),
        "is_refused": int(command.is_refused),
        "object_reference": command.object_reference,
        "in_evidence": None if command.in_evidence is None else int(command.in_evidence),
        "status": command.status,
        "output": command.output,
        "decision": command.decision,
        "edited_to": command.edited_to,
        "reason": command.reason,
    }


def _to_approval(rows: Sequence[tuple[Any, ...]]) -> Approval:
    """One approval, of which each row has a command, if it has any."""
    row = _named(_APPROVAL, rows[0][: len(_APPROVAL)])
    of_commands = [_named(_COMMAND, found[len(_APPROVAL) :]) for found in rows]
    verification = row["verification"]
    return Approval(
        approval_id=ApprovalId(row["approval_id"]),
        action=row["action"],
        commands=tuple(_to_command(found) for found in of_commands if found["text"] is not None),
        metadata=json.loads(row["metadata"]),
        proposed_at=datetime.fromisoformat(row["proposed_at"]),
        status=ApprovalStatus(row["status"]),
        decided_at=_time(row["decided_at"]),
        reviewer=row["reviewer"],
        reason=row["reason"],
        expires_at=_time(row["expires_at"]),
        round=row["round"],
        void_reason=row["void_reason"],
        verification=Verification.model_validate_json(verification) if verification else None,
        undone_at=_time(row["undone_at"]),
        undone_by=row["undone_by"],
    )


def _to_command(row: Mapping[str, Any]) -> ReviewedCommand:
    in_evidence, decision, undo_status = row["in_evidence"], row["decision"], row["undo_status"]
    return ReviewedCommand(
        text=row["text"],
        explanation=row["explanation"],
        safety_level=row["safety_level"],
        risk=row["risk"],
        reasons=tuple(json.loads(row["reasons"])),
        is_refused=bool(row["is_refused"]),
        status=CommandStatus(row["status"]),
        output=row["output"],
        policy_risk=row["policy_risk"],
        phase=row["phase"],
        in_evidence=None if in_evidence is None else bool(in_evidence),
        object_reference=row["object_reference"],
        decision=CommandDecision(decision) if decision else None,
        edited_to=row["edited_to"],
        reason=row["reason"],
        proof=Proof.model_validate_json(row["proof"]) if row["proof"] else None,
        undo_status=CommandStatus(undo_status) if undo_status else None,
        undo_output=row["undo_output"],
    )


def _words(approval: Approval) -> list[object]:
    words = [
        [kept_words(part) for part in (one.text, one.explanation, one.safety_level)]
        for one in approval.commands
    ]
    return [kept_words(approval.action), approval.metadata, words]


def _named(columns: Sequence[sa.Column[Any]], row: Sequence[Any]) -> dict[str, Any]:
    return {column.name: value for column, value in zip(columns, row, strict=True)}


def _time(stamped: str | None) -> datetime | None:
    return datetime.fromisoformat(stamped) if stamped else None


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)
