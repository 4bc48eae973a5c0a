"""Approvals as they stand in the tables."""

import json
import sqlite3
from datetime import datetime
from typing import Any

from app.domain.ids import ApprovalId
from app.domain.review import Approval, ApprovalStatus, CommandStatus, ReviewedCommand

SELECT = "SELECT a.* FROM approvals a "
UNSETTLED = "EXISTS (SELECT 1 FROM commands c WHERE c.approval_id = a.approval_id AND c.status {})"
IS_OPEN = UNSETTLED.format("IN ('waiting', 'executing')")
IS_WAITING = UNSETTLED.format("= 'waiting'")
BATCH = 100


def fetch_approvals(
    connection: sqlite3.Connection, condition: str, *parameters: object
) -> list[tuple[int, Approval]]:
    """Approvals with their positions, all from one moment."""
    connection.execute("BEGIN")
    try:
        rows = connection.execute(SELECT + condition, parameters).fetchall()
        return [(row[0], _to_approval(connection, row)) for row in rows]
    finally:
        connection.execute("COMMIT")


def _to_approval(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Approval:
    _, approval_id, _, action, metadata, proposed_at, status, decided_at, reviewer, reason = row
    commands = connection.execute(
        "SELECT text, explanation, safety_level, risk, reasons, is_refused, status, output"
        " FROM commands WHERE approval_id = ? ORDER BY number",
        (approval_id,),
    ).fetchall()
    return Approval(
        approval_id=ApprovalId(approval_id),
        action=action,
        commands=tuple(_to_command(command) for command in commands),
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
