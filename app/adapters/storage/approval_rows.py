"""Approvals with their commands as they stand in the tables, each read at one moment."""

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from app.adapters.storage.approval_tables import approvals, commands
from app.adapters.storage.tables import stamp
from app.domain.ids import ApprovalId
from app.domain.review import Approval, ApprovalStatus, CommandStatus, ReviewedCommand

BATCH = 100
_APPROVAL = (
    approvals.c.position,
    approvals.c.approval_id,
    approvals.c.action,
    approvals.c.metadata,
    approvals.c.proposed_at,
    approvals.c.status,
    approvals.c.decided_at,
    approvals.c.reviewer,
    approvals.c.reason,
)
_COMMAND = (
    commands.c.text,
    commands.c.explanation,
    commands.c.safety_level,
    commands.c.risk,
    commands.c.reasons,
    commands.c.is_refused,
    commands.c.status,
    commands.c.output,
)


def has_command(*statuses: CommandStatus) -> sa.ColumnElement[bool]:
    """Whether an approval has a command in one of the states."""
    its = commands.alias("its")
    return sa.exists().where(
        its.c.approval_id == approvals.c.approval_id,
        its.c.status.in_([status.value for status in statuses]),
    )


def fetch_approvals(
    connection: sa.Connection,
    condition: sa.ColumnElement[bool],
    order: sa.ColumnElement[Any],
    limit: int | None = None,
) -> list[tuple[int, Approval]]:
    """Approvals with their positions."""
    chosen = sa.select(approvals.c.approval_id).where(condition).order_by(order).limit(limit)
    query = (
        sa.select(*_APPROVAL, *_COMMAND)
        .outerjoin_from(approvals, commands, approvals.c.approval_id == commands.c.approval_id)
        .where(approvals.c.approval_id.in_(chosen))
        .order_by(order, approvals.c.position, commands.c.number)
    )
    rows: list[tuple[Any, ...]] = [tuple(row) for row in connection.execute(query)]
    return [
        (position, _to_approval([*found])) for position, found in groupby(rows, key=itemgetter(0))
    ]


def to_row(approval: Approval, idempotency_key: str | None) -> dict[str, object]:
    """A row of `approvals`."""
    return {
        "approval_id": approval.approval_id,
        "idempotency_key": idempotency_key,
        "action": approval.action,
        "metadata": json.dumps(approval.metadata),
        "proposed_at": stamp(approval.proposed_at),
        "status": approval.status,
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
            "risk": command.risk,
            "reasons": json.dumps(command.reasons),
            "is_refused": int(command.is_refused),
            "status": command.status,
            "output": command.output,
        }
        for number, command in enumerate(approval.commands)
    ]


def _to_approval(rows: Sequence[tuple[Any, ...]]) -> Approval:
    """One approval, of which each row has a command, if it has any."""
    _, approval_id, action, metadata, proposed_at, status, decided_at, reviewer, reason = rows[0][
        : len(_APPROVAL)
    ]
    rows_of_commands = [row[len(_APPROVAL) :] for row in rows]
    return Approval(
        approval_id=ApprovalId(approval_id),
        action=action,
        commands=tuple(_to_command(found) for found in rows_of_commands if found[0] is not None),
        metadata=json.loads(metadata),
        proposed_at=datetime.fromisoformat(proposed_at),
        status=ApprovalStatus(status),
        decided_at=datetime.fromisoformat(decided_at) if decided_at else None,
        reviewer=reviewer,
        reason=reason,
    )


def _to_command(row: tuple[Any, ...]) -> ReviewedCommand:
    text, explanation, safety_level, risk, reasons, is_refused, status, output = row
    return ReviewedCommand(
        text=text,
        explanation=explanation,
        safety_level=safety_level,
        risk=risk,
        reasons=tuple(json.loads(reasons)),
        is_refused=bool(is_refused),
        status=CommandStatus(status),
        output=output,
    )
