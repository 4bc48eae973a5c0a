"""KubectlCommandAgent: plans in, judged proposals out; what the policy refuses is asked once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from app.domain.answer import AgentName
from app.domain.approval import Proposal, ProposalMetadata, ProposedCommand, RefusedCommand
from app.domain.ids import WorkflowId
from app.domain.logbatch import LogBatch
from app.domain.plan import Command, Phase, Plan, RepairedCommands, SafetyLevel
from app.domain.ports import Reasoner
from app.domain.questions import Question, RepairFacts, Teller
from app.domain.words import counted
from app.kubectl.case import LiveFacts
from app.kubectl.evidence import Evidence
from app.kubectl.guard import Verdict, judge_text
from app.kubectl.policy import Policy, Risk, higher_risk


@dataclass(frozen=True, slots=True)
class GuardedPlan:
    """A plan's number, what of it may be proposed, and what the policy refused."""

    number: int
    service: str
    proposal: Proposal | None
    """None when no command is left to propose."""
    refused: tuple[RefusedCommand, ...]


@dataclass(frozen=True, slots=True)
class CommandGuard:
    """Judges commands by the policy and by what stands in the workflow's text."""

    policy: Policy
    evidence: Evidence
    facts: LiveFacts

    @classmethod
    def of_batch(cls, policy: Policy, batch: LogBatch, at: datetime) -> Self:
        """A guard who knows these logs and what time it is."""
        evidence = Evidence.from_text(line.text for line in batch.excerpt)
        return cls(policy, evidence, LiveFacts(at=at))

    def judge(self, text: str) -> Verdict:
        """The verdict on one command's text."""
        return judge_text(text, self.policy, self.evidence, self.facts)[1]

    def is_refused(self, text: str) -> bool:
        """Whether the command must not be proposed."""
        return self.judge(text).risk is Risk.FORBIDDEN


async def guard_plans(
    plans: Sequence[Plan],
    batch: LogBatch,
    guard: CommandGuard,
    reasoner: Reasoner,
    teller: Teller,
    workflow_id: WorkflowId,
) -> list[GuardedPlan]:
    """Judge every command; refused ones go back to the reasoner once, with the reason."""
    commands = [command for plan in plans for step in plan.steps for command in step.commands]
    refused = [command.command for command in commands if guard.is_refused(command.command)]
    repaired = await _repair(dict.fromkeys(refused), guard, batch, reasoner, teller)
    return [
        _guarded(number, plan, guard, repaired, workflow_id) for number, plan in enumerate(plans, 1)
    ]


async def _repair(
    refused: dict[str, None],
    guard: CommandGuard,
    batch: LogBatch,
    reasoner: Reasoner,
    teller: Teller,
) -> dict[str, str]:
    """Refused text → accepted text, for those that could be repaired."""
    if not refused:
        return {}
    await teller.progress(
        f"The policy refuses {counted(len(refused), 'command')}; asking for a repair"
    )
    pairs = tuple((text, "; ".join(guard.judge(text).reasons)) for text in refused)
    question = Question(AgentName.KUBECTL_COMMAND, RepairFacts(batch, pairs), RepairedCommands)
    answer = await reasoner.ask(question, teller)
    tries = zip(refused, answer.commands, strict=False)
    return {text: better for text, better in tries if better and not guard.is_refused(better)}


def _guarded(
    number: int,
    plan: Plan,
    guard: CommandGuard,
    repaired: dict[str, str],
    workflow_id: WorkflowId,
) -> GuardedPlan:
    accepted: list[ProposedCommand] = []
    refused: list[RefusedCommand] = []
    notes: dict[str, str] = {}
    for step in plan.steps:
        for command in step.commands:
            text = repaired.get(command.command, command.command)
            verdict = guard.judge(text)
            if verdict.risk is Risk.FORBIDDEN:
                refused.append(RefusedCommand(command=text, reasons=verdict.reasons))
                continue
            accepted.append(_proposed(command, text, verdict))
            if not verdict.in_evidence:
                notes[text] = "not in evidence: the logs do not name this object or namespace"
    proposal = _proposal(plan, accepted, notes, guard, workflow_id) if accepted else None
    return GuardedPlan(number, plan.service, proposal, tuple(refused))


def _proposed(command: Command, text: str, verdict: Verdict) -> ProposedCommand:
    return ProposedCommand(
        command=text,
        explanation=command.explanation,
        safety_level=SafetyLevel(higher_risk(verdict.risk, command.safety_level)),
    )


def _proposal(
    plan: Plan,
    commands: Sequence[ProposedCommand],
    notes: dict[str, str],
    guard: CommandGuard,
    workflow_id: WorkflowId,
) -> Proposal:
    has_change = any(step.phase is Phase.REMEDIATE and step.commands for step in plan.steps)
    metadata = ProposalMetadata(
        severity=plan.severity,
        priority=plan.priority,
        service=plan.service,
        issue=plan.issue,
        root_cause=plan.root_cause,
        phase=Phase.REMEDIATE if has_change else Phase.INVESTIGATE,
        workflow_id=workflow_id,
        namespace=plan.entities.namespace,
        notes=notes,
        rollback=_rollback(plan, guard),
    )
    return Proposal(action=plan.issue, commands=tuple(commands), metadata=metadata)


def _rollback(plan: Plan, guard: CommandGuard) -> dict[str, list[str]]:
    """Per changing command, how its step is taken back, as far as the policy allows it."""
    rollback: dict[str, list[str]] = {}
    for step in plan.steps:
        undo = [
            item.command for item in step.rollback_commands if not guard.is_refused(item.command)
        ]
        if undo:
            rollback |= {command.command: undo for command in step.commands}
    return rollback
