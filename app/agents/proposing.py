"""The proposal of a plan: what the policy let through, and what the reviewer must know (pure)."""

from collections.abc import Sequence

from app.agents.judging import CommandGuard
from app.domain.approval import (
    JudgedCommand,
    Judgement,
    Proposal,
    ProposalMetadata,
    ProposedCommand,
)
from app.domain.ids import WorkflowId
from app.domain.plan import Phase, Plan, SafetyLevel

NOT_IN_EVIDENCE = "not in evidence: the logs do not name this object or namespace"


def proposal_of(
    workflow_id: WorkflowId,
    plan: Plan,
    judged: Sequence[JudgedCommand],
    guard: CommandGuard,
    error_patterns: tuple[str, ...],
) -> Proposal | None:
    """None when no command is left to propose."""
    commands = [one for one in judged if one.verdict is not Judgement.REFUSED]
    if not commands:
        return None
    has_change = any(one.phase == Phase.REMEDIATE for one in commands)
    unseen = dict.fromkeys(one.command for one in commands if not one.in_evidence)
    metadata = ProposalMetadata(
        severity=plan.severity,
        priority=plan.priority,
        service=plan.service,
        issue=plan.issue,
        root_cause=plan.root_cause,
        phase=Phase.REMEDIATE if has_change else Phase.INVESTIGATE,
        workflow_id=workflow_id,
        namespace=plan.entities.namespace,
        phases=tuple(one.phase for one in commands),
        not_in_evidence=tuple(unseen),
        error_patterns=error_patterns,
        notes=dict.fromkeys(unseen, NOT_IN_EVIDENCE) | _changes(commands),
        rollback=_rollback(plan, judged, guard),
    )
    return Proposal(
        action=plan.issue, commands=tuple(_proposed(one) for one in commands), metadata=metadata
    )


def _proposed(one: JudgedCommand) -> ProposedCommand:
    return ProposedCommand(
        command=one.command,
        explanation=one.explanation,
        safety_level=SafetyLevel(one.safety_level),
    )


def _changes(commands: Sequence[JudgedCommand]) -> dict[str, str]:
    """What was repaired is said, and whether its object was seen as well."""
    return {
        one.command: f"changed from: {one.repaired_from} ({'; '.join(one.repaired_because)})"
        + ("" if one.in_evidence else f"; {NOT_IN_EVIDENCE}")
        for one in commands
        if one.repaired_from is not None
    }


def _rollback(
    plan: Plan, judged: Sequence[JudgedCommand], guard: CommandGuard
) -> dict[str, list[str]]:
    """Per proposed command that is not safe, how its step is taken back, as far as the policy allows."""
    rollback: dict[str, list[str]] = {}
    following = iter(judged)
    for step in plan.steps:
        own = [next(following) for _ in step.commands]
        undo = [one.command for one in step.rollback_commands if not guard.is_refused(one.command)]
        for one in own if undo else ():
            if one.verdict is not Judgement.REFUSED and one.safety_level != SafetyLevel.SAFE:
                rollback[one.command] = undo
    return rollback
