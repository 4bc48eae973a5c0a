"""The verdict on every command of a plan, for whoever watches and for what is proposed (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.domain.approval import MOST_COMMANDS, JudgedCommand, Judgement
from app.domain.plan import Command, Phase, Plan
from app.kubectl.case import LiveFacts
from app.kubectl.command import ParsedCommand
from app.kubectl.evidence import Evidence
from app.kubectl.guard import Verdict, judge_text
from app.kubectl.policy import Policy, Risk, higher_risk

TOO_MANY = f"a proposal holds at most {MOST_COMMANDS} commands"


@dataclass(frozen=True, slots=True)
class CommandGuard:
    """Judges commands by the policy and by what stands in the workflow's text."""

    policy: Policy
    evidence: Evidence
    facts: LiveFacts

    def look(self, text: str) -> tuple[ParsedCommand | None, Verdict]:
        """One command's text as it was understood, and the verdict on it."""
        return judge_text(text, self.policy, self.evidence, self.facts)

    def judge(self, text: str) -> Verdict:
        """The verdict alone."""
        return self.look(text)[1]

    def is_refused(self, text: str) -> bool:
        """Whether the command must not be proposed."""
        return self.judge(text).risk is Risk.FORBIDDEN


def judged_commands(
    number: int, plan: Plan, guard: CommandGuard, repairs: Mapping[str, str]
) -> tuple[JudgedCommand, ...]:
    """Every command of a plan, in its order; none is left out."""
    return tuple(_judged(number, plan, guard, repairs))


def _judged(
    plan_number: int, plan: Plan, guard: CommandGuard, repairs: Mapping[str, str]
) -> Iterator[JudgedCommand]:
    commands = ((step.phase, command) for step in plan.steps for command in step.commands)
    proposable = 0
    for number, (phase, command) in enumerate(commands, 1):
        place = _Place(plan_number, number, plan.service, phase)
        judged = _one(place, command, guard, repairs.get(command.command))
        if judged.verdict is not Judgement.REFUSED:
            proposable += 1
            if proposable > MOST_COMMANDS:
                over = {"verdict": Judgement.REFUSED, "reasons": (TOO_MANY,)}
                judged = judged.model_copy(update=over)
        yield judged


@dataclass(frozen=True, slots=True)
class _Place:
    plan: int
    number: int
    service: str
    phase: Phase


def _one(place: _Place, command: Command, guard: CommandGuard, repair: str | None) -> JudgedCommand:
    first = _said(place, command, command.command, guard)
    if first.verdict is not Judgement.REFUSED or repair is None:
        return first
    second = _said(place, command, repair, guard)
    if second.verdict is Judgement.REFUSED:
        return first.model_copy(update={"repair": repair, "repair_reasons": second.reasons})
    return second.model_copy(
        update={
            "verdict": Judgement.REPAIRED,
            "repaired_from": command.command,
            "repaired_because": first.reasons,
        }
    )


def _said(place: _Place, command: Command, text: str, guard: CommandGuard) -> JudgedCommand:
    parsed, verdict = guard.look(text)
    is_refused = verdict.risk is Risk.FORBIDDEN
    return JudgedCommand(
        plan=place.plan,
        number=place.number,
        service=place.service,
        phase=place.phase,
        command=text,
        canonical=parsed.render() if parsed else None,
        risk=verdict.risk,
        label=command.safety_level,
        safety_level=higher_risk(verdict.risk, command.safety_level),
        explanation=command.explanation,
        reasons=verdict.reasons,
        in_evidence=verdict.in_evidence,
        verdict=Judgement.REFUSED if is_refused else Judgement.ACCEPTED,
    )
