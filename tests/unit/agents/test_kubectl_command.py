"""KubectlCommandAgent: every command has a verdict, and only what the policy lets through is proposed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from app.agents.judging import TOO_MANY
from app.agents.kubectl_command import GuardedPlan, PlannedWork, guard_plans
from app.domain.answer import Answer, Entities
from app.domain.approval import MOST_COMMANDS, Judgement
from app.domain.errors import ReasonerFailed
from app.domain.ids import WorkflowId
from app.domain.incident import ErrorFinding, ErrorType, Findings
from app.domain.plan import (
    Command,
    Phase,
    Plan,
    RepairedCommands,
    RollbackCommand,
    SafetyLevel,
    Step,
)
from app.domain.questions import Question, RepairFacts, Usage
from app.intake.batch import read_batch
from app.kubectl.policy import load_policy

WORKFLOW = WorkflowId("9f7c1f7e-3c2e-4f2b-9d55-0f2d6f7d2f10")
REFUSED_CONNECTION = "connection to orders-db refused by the remote host"
LOGS = (
    "2030-05-01T12:00:00Z INFO checkout starts in namespace shop\n"
    f"2030-05-01T12:00:01Z ERROR deployment/checkout {REFUSED_CONNECTION} after 5432 ms\n"
)
READ = "kubectl get pods -n shop"
RESTART = "kubectl rollout restart deployment/checkout -n shop"
UNDO = "kubectl rollout undo deployment/checkout -n shop"
BARE_RESTART = "kubectl rollout restart deployment/checkout"
FORCED = "kubectl delete pod checkout-1 -n shop --force"
ELSEWHERE = "kubectl rollout restart deployment/billing -n shop"

A = TypeVar("A", bound=Answer)


class Repairer:
    """Answers what it was given, in order."""

    name = "scripted"

    def __init__(self, *repairs: str, fails: bool = False) -> None:
        self.repairs = repairs
        self.fails = fails
        self.asked: list[tuple[tuple[str, str], ...]] = []

    async def ask(self, question: Question[A], _: object) -> A:
        assert isinstance(question.facts, RepairFacts)
        self.asked.append(question.facts.refused)
        if self.fails:
            raise ReasonerFailed("nobody is there")
        answer = RepairedCommands(commands=self.repairs)
        assert isinstance(answer, question.answer_type)
        return answer

    async def trouble(self) -> str | None:
        return None


class Quiet:
    """Nobody listens to progress here."""

    async def progress(self, text: str) -> None: ...

    async def token(self, text: str) -> None: ...

    async def usage(self, usage: Usage) -> None: ...


def step(phase: Phase, *texts: str, rollback: Sequence[str] = ()) -> Step:
    return Step(
        phase=phase,
        commands=tuple(Command(command=text, safety_level=SafetyLevel.SAFE) for text in texts),
        rollback_commands=tuple(RollbackCommand(command=text) for text in rollback),
    )


def plan(*steps: Step, service: str = "checkout") -> Plan:
    return Plan(issue="it fails", service=service, steps=steps, entities=Entities(namespace="shop"))


def finding(message: str, service: str = "checkout", **more: object) -> ErrorFinding:
    return ErrorFinding.model_validate({"service": service, "message": message, **more})


async def guarded(
    *plans: Plan,
    repairer: Repairer | None = None,
    text: str = LOGS,
    findings: Findings | None = None,
) -> list[GuardedPlan]:
    async def read_input() -> str:
        return text

    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    work = PlannedWork(WORKFLOW, plans, findings or Findings(), read_batch(text), now, read_input)
    return await guard_plans(work, load_policy(), repairer or Repairer(), Quiet())


async def test_every_command_has_a_verdict_with_both_opinions_of_its_risk():
    (found,) = await guarded(
        plan(step(Phase.INVESTIGATE, READ), step(Phase.REMEDIATE, RESTART, FORCED))
    )

    told = [(one.number, one.phase, one.verdict, one.risk, one.label) for one in found.judged]
    assert told == [
        (1, "INVESTIGATE", "accepted", "SAFE", "SAFE"),
        (2, "REMEDIATE", "accepted", "CAUTION", "SAFE"),
        (3, "REMEDIATE", "refused", "FORBIDDEN", "SAFE"),
    ]
    assert found.judged[1].safety_level == "CAUTION"
    assert found.judged[1].canonical == (
        "kubectl rollout restart deployment/checkout --namespace=shop"
    )
    assert any("--force" in reason for reason in found.judged[2].reasons)
    assert found.proposal is not None
    assert [one.command for one in found.proposal.commands] == [READ, RESTART]
    assert [one.command for one in found.refused] == [FORCED]


async def test_what_is_refused_is_asked_once_with_the_reason_and_shown_as_changed():
    repairer = Repairer(RESTART, "kubectl delete pods --all -n shop")

    (found,) = await guarded(
        plan(step(Phase.REMEDIATE, BARE_RESTART, FORCED, rollback=[UNDO])), repairer=repairer
    )

    ((first, second),) = repairer.asked
    assert first == (BARE_RESTART, "a change needs a namespace (--namespace)")
    assert second[0] == FORCED
    repaired, refused = found.judged
    assert (repaired.verdict, repaired.command) == (Judgement.REPAIRED, RESTART)
    assert repaired.repaired_from == BARE_RESTART
    assert repaired.repaired_because == ("a change needs a namespace (--namespace)",)
    assert (refused.verdict, refused.command) == (Judgement.REFUSED, FORCED)
    assert refused.repair == "kubectl delete pods --all -n shop"
    assert refused.repair_reasons
    assert found.proposal is not None
    assert [one.command for one in found.proposal.commands] == [RESTART]
    metadata = found.proposal.metadata
    assert metadata.rollback == {RESTART: [UNDO]}
    assert metadata.notes[RESTART].startswith(f"changed from: {BARE_RESTART} (")


async def test_a_repair_that_cannot_be_had_costs_the_other_commands_nothing():
    (found,) = await guarded(
        plan(step(Phase.REMEDIATE, RESTART, FORCED)), repairer=Repairer(fails=True)
    )

    assert [one.verdict for one in found.judged] == ["accepted", "refused"]
    assert found.proposal is not None


async def test_a_plan_of_refused_commands_alone_proposes_nothing_and_shows_them():
    (found,) = await guarded(plan(step(Phase.REMEDIATE, FORCED)))

    assert found.proposal is None
    assert [one.command for one in found.refused] == [FORCED]


async def test_an_object_that_nobody_has_seen_is_marked():
    (found,) = await guarded(
        plan(step(Phase.REMEDIATE, RESTART, ELSEWHERE), step(Phase.VERIFY, READ))
    )

    assert [one.in_evidence for one in found.judged] == [True, False, True]
    assert found.proposal is not None
    metadata = found.proposal.metadata
    assert metadata.not_in_evidence == (ELSEWHERE,)
    assert metadata.phases == ("REMEDIATE", "REMEDIATE", "VERIFY")
    assert "not in evidence" in metadata.notes[ELSEWHERE]


@pytest.mark.parametrize("name", ["deployment/billing", "\x1b[31mdeployment/billing\x1b[0m"])
async def test_an_object_in_the_part_that_was_cut_away_is_in_evidence(name: str):
    calm = "".join(f"2030-05-01T12:00:02Z INFO request {n} served\n" for n in range(30_000))
    text = f"{LOGS}{calm}2030-05-01T12:00:03Z INFO {name} scaled\n{calm}{LOGS}"
    batch = read_batch(text)
    assert not any("billing" in line.text for line in batch.excerpt)

    (found,) = await guarded(plan(step(Phase.REMEDIATE, ELSEWHERE)), text=text)

    assert found.judged[0].in_evidence
    assert "billing is not in evidence" not in found.judged[0].reasons


async def test_more_commands_than_a_proposal_holds_are_refused_and_shown():
    texts = [f"kubectl get pod checkout-{number} -n shop" for number in range(MOST_COMMANDS + 2)]

    (found,) = await guarded(plan(step(Phase.INVESTIGATE, *texts)))

    assert found.proposal is not None
    assert len(found.proposal.commands) == MOST_COMMANDS
    assert [one.reasons for one in found.refused] == [(TOO_MANY,)] * 2


async def test_error_patterns_are_what_the_own_findings_say_without_what_varies():
    findings = Findings(
        errors=(
            finding(f"deployment/checkout {REFUSED_CONNECTION} after 5432 ms"),
            finding("the model made up these words alone"),
            finding("Back-off restarting failed container", error_type=ErrorType.KUBERNETES),
            finding("somebody else's trouble, and long enough", service="billing"),
        )
    )
    steps = step(Phase.REMEDIATE, RESTART)

    first, second = await guarded(plan(steps), plan(steps, service="search"), findings=findings)

    assert first.proposal is not None
    assert first.proposal.metadata.error_patterns == (
        f"deployment/checkout {REFUSED_CONNECTION} after",
    )
    assert second.proposal is not None
    assert second.proposal.metadata.error_patterns == ()
