"""KubectlCommandAgent: plans in, judged proposals out; what the policy refuses is asked once more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.agents.judging import CommandGuard, judged_commands
from app.agents.proposing import proposal_of
from app.agents.sighting import ReadInput, widened
from app.agents.symptoms import error_patterns
from app.domain.answer import AgentName
from app.domain.approval import JudgedCommand, Judgement, Proposal, RefusedCommand
from app.domain.errors import ReasonerFailed
from app.domain.ids import WorkflowId
from app.domain.incident import Findings
from app.domain.logbatch import LogBatch
from app.domain.plan import Plan, RepairedCommands
from app.domain.ports import Reasoner
from app.domain.questions import Question, RepairFacts, Teller
from app.domain.words import counted
from app.kubectl.case import LiveFacts
from app.kubectl.evidence import Evidence
from app.kubectl.policy import Policy


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """The plans, and what the workflow has seen."""

    workflow_id: WorkflowId
    plans: Sequence[Plan]
    findings: Findings
    batch: LogBatch
    at: datetime
    """Now: a team may allow changes at certain times only."""
    read_input: ReadInput
    """For the whole input, of which the batch may show a part."""


@dataclass(frozen=True, slots=True)
class GuardedPlan:
    """A plan's number, the verdict on each of its commands, and what of it may be proposed."""

    number: int
    service: str
    judged: tuple[JudgedCommand, ...]
    proposal: Proposal | None
    """None when no command is left to propose."""

    @property
    def refused(self) -> tuple[RefusedCommand, ...]:
        """What is shown and never submitted."""
        return tuple(
            RefusedCommand(
                command=one.command,
                reasons=one.reasons,
                repair=one.repair,
                repair_reasons=one.repair_reasons,
            )
            for one in self.judged
            if one.verdict is Judgement.REFUSED
        )


async def guard_plans(
    work: PlannedWork, policy: Policy, reasoner: Reasoner, teller: Teller
) -> list[GuardedPlan]:
    """Judge every command; refused ones go back to the reasoner once, with the reason."""
    text = "\n".join(line.text for line in work.batch.excerpt)
    facts = LiveFacts(at=work.at)
    guard = CommandGuard(policy, Evidence(text), facts)
    commands = dict.fromkeys(_texts(work.plans))
    refused = [command for command in commands if guard.is_refused(command)]
    repairs = await _repairs(refused, guard, work.batch, reasoner, teller)
    seen = await widened(guard.evidence, [*commands, *repairs.values()], work.read_input)
    guard = CommandGuard(policy, seen, facts)
    guarded = []
    for number, plan in enumerate(work.plans, 1):
        judged = judged_commands(number, plan, guard, repairs)
        patterns = error_patterns(plan, work.plans, work.findings, text)
        proposal = proposal_of(work.workflow_id, plan, judged, guard, patterns)
        guarded.append(GuardedPlan(number, plan.service, judged, proposal))
    return guarded


def _texts(plans: Sequence[Plan]) -> Iterable[str]:
    return (command.command for plan in plans for step in plan.steps for command in step.commands)


async def _repairs(
    refused: Sequence[str],
    guard: CommandGuard,
    batch: LogBatch,
    reasoner: Reasoner,
    teller: Teller,
) -> dict[str, str]:
    """Refused text → what the reasoner offers instead, good or not."""
    if not refused:
        return {}
    await teller.progress(
        f"The policy refuses {counted(len(refused), 'command')}; asking for a repair"
    )
    pairs = tuple((text, "; ".join(guard.judge(text).reasons)) for text in refused)
    question = Question(AgentName.KUBECTL_COMMAND, RepairFacts(batch, pairs), RepairedCommands)
    try:
        answer = await reasoner.ask(question, teller)
    except ReasonerFailed as error:
        # The other commands are good, and these are shown as they are: refused.
        await teller.progress(f"No repair could be had: {error}")
        return {}
    return {text: better for text, better in zip(refused, answer.commands, strict=False) if better}
