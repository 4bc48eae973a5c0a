"""Reads the earlier system's whole-object records as the events they stand for (pure)."""

import json
import re
from typing import Any

from app.domain.approval import Decision
from app.domain.course import Decided
from app.domain.feedback import (
    Imported,
    Linked,
    PlanEvent,
    PlannedCommand,
    Proposed,
    Rated,
    Signature,
    event_id,
)
from app.domain.ids import ApprovalId
from app.learning.actions import namespace_in, planned_command
from app.learning.environments import OUR_OWN
from app.learning.signature import tokens_of

COMMANDS_LIMIT = 200
IMPORTED_PREFIX = "imported-"
"""Approval ids of records that named none."""

_COMMAND = re.compile(r"kubectl [^\"\\\n`]{1,500}")


def expand(record: Imported) -> tuple[PlanEvent, ...]:
    """The events of an earlier record, all at its time; the ids follow from its own."""
    approvals = tuple(dict.fromkeys(filter(None, (*record.approval_ids, record.approval_id))))
    return (
        _proposed(record),
        *(
            Linked(
                id=event_id(record.id, "linked", approval_id),
                ts=record.ts,
                feedback_id=record.feedback_id,
                approval_id=ApprovalId(approval_id),
            )
            for approval_id in approvals
        ),
        *_decided(record, approvals),
        *_rated(record),
    )


def text_of(value: Any) -> str:
    """The earlier system kept texts and objects alike."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _proposed(record: Imported) -> Proposed:
    problem, plan = text_of(record.input_data), text_of(record.output_data)
    commands = _commands_in(plan)
    kinds = [command.action.partition("/")[2] for command in commands if command.is_change]
    return Proposed(
        id=event_id(record.id, "proposed"),
        ts=record.ts,
        feedback_id=record.feedback_id,
        workflow_id=record.workflow_id,
        issue=_issue_of(record.output_data, problem),
        signature=Signature(
            tokens=tokens_of((problem,), ()),
            environment=OUR_OWN.of(namespace_in(plan)),
            kind=next(iter(kinds), ""),
        ),
        commands=commands,
        input_data=problem,
        output_data=plan,
    )


def _decided(record: Imported, approvals: tuple[str, ...]) -> tuple[Decided, ...]:
    if not isinstance(record.approval_status, Decision):
        return ()
    approval_id = approvals[0] if approvals else f"{IMPORTED_PREFIX}{record.feedback_id}"
    return (
        Decided(
            id=event_id(record.id, "decided"),
            ts=record.ts,
            approval_id=ApprovalId(approval_id),
            feedback_id=record.feedback_id,
            decision=record.approval_status,
            rejection_reason=record.rejection_reason,
            approved_count=max(record.approved_commands_count, 0),
            rejected_count=max(record.rejected_commands_count, 0),
        ),
    )


def _rated(record: Imported) -> tuple[Rated, ...]:
    stars = record.rating if record.rating is not None and 1 <= record.rating <= 5 else None
    rated = Rated(
        id=event_id(record.id, "rated"),
        ts=record.ts,
        feedback_id=record.feedback_id,
        rating=stars,
        was_helpful=record.was_helpful,
        feedback_comments=record.feedback_comments,
        improvements_suggested=record.improvements_suggested,
    )
    said = (stars, rated.was_helpful, rated.feedback_comments, rated.improvements_suggested)
    return (rated,) if any(value is not None for value in said) else ()


def _commands_in(plan: str) -> tuple[PlannedCommand, ...]:
    texts = dict.fromkeys(match.group().strip() for match in _COMMAND.finditer(plan))
    return tuple(planned_command(text) for text in [*texts][:COMMANDS_LIMIT])


def _issue_of(plan: Any, problem: str) -> str:
    """The first plan's issue; else the beginning of the input."""
    match plan:
        case {"remediation_plans": [{"issue": str(issue)}, *_]} | {"issue": str(issue)}:
            return issue
        case _:
            return " ".join(problem[:200].split())
