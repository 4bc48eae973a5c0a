"""What was just rejected comes again only with a word about it, whatever an engine answers."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from app.agents.remediation import plan_remedies
from app.domain.answer import Entities
from app.domain.guidance import Guidance, JustRejected
from app.domain.incident import Analysis
from app.domain.logbatch import LogBatch
from app.domain.plan import Command, Phase, Plan, Remediation, SafetyLevel, Step
from app.domain.questions import Question, Usage

RESTART = "kubectl rollout restart deployment/checkout -n shop"
REJECTED = JustRejected("rollout restart/deployment", "w_remediation_1", "drops carts")
TOLD = "rollout restart/deployment was rejected the last time on an incident like this"


@dataclass(frozen=True)
class Scripted:
    """Answers what it was given."""

    answer: Remediation
    name: str = "scripted"

    async def ask(self, question: Question[Any], teller: object) -> Any:
        return self.answer

    async def trouble(self) -> str | None:
        return None


@dataclass(frozen=True)
class Heard:
    """Keeps what is told."""

    said: list[str] = field(default_factory=list)

    async def progress(self, text: str) -> None:
        self.said.append(text)

    async def token(self, text: str) -> None: ...

    async def usage(self, usage: Usage) -> None: ...


def answer_of(*descriptions: str, command: str = RESTART) -> Remediation:
    steps = tuple(
        Step(
            phase=Phase.REMEDIATE,
            description=text,
            commands=(Command(command=command, safety_level=SafetyLevel.CAUTION),),
        )
        for text in descriptions
    )
    return Remediation(remediation_plans=(Plan(issue="memory", service="checkout", steps=steps),))


async def planned(answer: Remediation, guidance: Guidance) -> tuple[list[str], list[str]]:
    """The steps' descriptions, and what was told."""
    heard, batch = Heard(), LogBatch(0, 0, (), 0, (), True, Entities(), ())
    found = await plan_remedies(batch, Analysis(), guidance, Scripted(answer), heard)
    steps = [step.description for plan in found.remediation_plans for step in plan.steps]
    return steps, heard.said


async def test_a_repetition_without_a_reason_is_noted_once_and_written_into_the_plan():
    steps, said = await planned(
        answer_of("Restart it.", "And again."), Guidance(just_rejected=(REJECTED,))
    )

    assert steps == [
        f"Restart it. The plan does not say why it repeats this: {TOLD} (“drops carts”).",
        f"And again. The plan does not say why it repeats this: {TOLD} (“drops carts”).",
    ]
    assert said == [f"planned again: {TOLD} (“drops carts”)"]


async def test_a_repetition_that_says_why_stays_as_it_is_and_is_noted():
    reason = "It was rejected during the sale, which is over."

    steps, said = await planned(answer_of(reason), Guidance(just_rejected=(REJECTED,)))

    assert steps == [reason]
    assert len(said) == 1


async def test_that_people_changed_it_is_said_once():
    scale = "kubectl scale deployment/checkout --replicas=4 -n shop"
    changed = JustRejected(REJECTED.action, REJECTED.feedback_id, "one more", changed_to=scale)
    told = f"Restart it. {changed.sentence}."

    steps, _ = await planned(answer_of(told, "Again."), Guidance(just_rejected=(changed,)))

    assert steps == [told, f"Again. The plan does not say why it repeats this: {changed.sentence}."]


@pytest.mark.parametrize(
    ("command", "guidance"),
    [
        (
            "kubectl scale deployment/checkout --replicas=3 -n shop",
            Guidance(just_rejected=(REJECTED,)),
        ),
        ("no command at all", Guidance(just_rejected=(REJECTED,))),
        (RESTART, Guidance()),
    ],
)
async def test_without_a_repetition_nothing_is_said(command: str, guidance: Guidance):
    assert await planned(answer_of("Do it.", command=command), guidance) == (["Do it."], [])
