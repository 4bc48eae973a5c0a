"""What is told after the agents are done: each thing once, whatever comes twice, late or in between."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import orjson
import pytest

from app.adapters.storage.memory import MemoryEventLog
from app.domain.answer import AgentName
from app.domain.approval import ApprovalReport, CommandDecision, CommandVerdict, Decision
from app.domain.events import Event, EventStatus
from app.domain.guidance import Guidance
from app.domain.ids import ApprovalId, ProcessId
from app.domain.proof import Fact, Recovery, Verification
from app.domain.report import ReportKind
from app.domain.workflow import Claim
from app.observability.metrics import Metrics
from app.workflow.reactions import Reactions
from tests.fakes.feedback import (
    READ,
    RESTART,
    WORKFLOW,
    FeedbackInMemory,
    Learning,
    TickingClock,
    analysis_of,
    learning_on,
    plan_of,
    report_of,
)

AT = datetime(2030, 5, 1, tzinfo=UTC)
FACT = Fact(reference="shop/deployment/checkout", name="pods ready", holds=True)
RECOVERED = Verification(
    recovery=Recovery.RECOVERED, at=AT, facts=(FACT,), sentence="3 of 3 pods are ready."
)


def said(read: str, restart: str, output: str = "") -> tuple[CommandVerdict, ...]:
    """How two approved commands stand."""
    return tuple(
        CommandVerdict(
            command=command, decision=CommandDecision.APPROVED, status=status, output=output
        )
        for command, status in ((READ, read), (RESTART, restart))
    )


def story(approval_id: str = "approval-1") -> list[ApprovalReport]:
    """What our own server tells of an approval that is carried out."""
    decided = replace(report_of(approval_id), commands=said("waiting", "waiting"), is_final=False)
    executed = replace(
        decided, kind=ReportKind.EXECUTED, commands=said("succeeded", "succeeded", "x" * 5000)
    )
    verified = replace(executed, kind=ReportKind.VERIFIED, verification=RECOVERED, is_final=True)
    return [decided, executed, verified]


@dataclass
class Told:
    """A workflow whose agents are done, and what is told after that."""

    learning: Learning
    log: MemoryEventLog
    metrics: Metrics = field(default_factory=Metrics)

    async def end(self, *proposals: str) -> None:
        """The agents' end."""
        outcome = {"proposals": [{"approval_id": name} for name in proposals]}
        over = Event(
            AgentName.ORCHESTRATOR, EventStatus.COMPLETED, "over", is_terminal=True, outcome=outcome
        )
        await self.log.append(WORKFLOW, [over], Claim(ProcessId("test"), 1))

    @property
    def reactions(self) -> Reactions:
        """Those of one more process."""
        return Reactions(self.log, self.learning.report, self.metrics)

    async def hear(self, report: ApprovalReport) -> None:
        """As a webhook does it."""
        await self.learning.recorder.hear(report)
        await self.reactions.reported(report.approval_id)

    async def facts(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and data of each event after the agents' end."""
        frames = [orjson.loads(event.frame) for event in await self.log.read(WORKFLOW, 1, 999)]
        return [(frame["type"], orjson.loads(frame["data"])) for frame in frames]

    async def kinds(self) -> list[str]:
        """The types alone."""
        return [kind for kind, _ in await self.facts()]


@pytest.fixture
def told() -> Told:
    return Told(learning_on(FeedbackInMemory()), MemoryEventLog(TickingClock()))


async def test_decision_executions_and_outcome_are_told_as_they_come(told: Told):
    await told.learning.plan(1)
    await told.end("approval-1")
    decided, executed, verified = story()

    await told.hear(decided)
    assert await told.kinds() == ["decision"]
    await told.hear(executed)
    assert await told.kinds() == ["decision", "execution", "execution"]
    await told.hear(verified)

    facts = await told.facts()
    assert [kind for kind, _ in facts] == ["decision", "execution", "execution", "outcome"]
    execution = facts[2][1]
    assert (execution["number"], execution["command"]) == (1, RESTART)
    assert (execution["status"], len(execution["output"])) == ("succeeded", 2048)
    outcome = facts[3][1]
    assert (outcome["approved"], outcome["recovery"]) == (1, "recovered")
    assert outcome["facts"] == [FACT.model_dump(mode="json")]
    assert outcome["plans"][0]["sentence"] == "3 of 3 pods are ready."


@pytest.mark.parametrize("order", [*permutations(range(3))])
async def test_in_any_order_each_is_told_once(told: Told, order: tuple[int, ...]):
    await told.learning.plan(1)
    await told.end("approval-1")

    for number in order:
        for _ in range(2):
            await told.hear(story()[number])

    assert sorted(await told.kinds()) == ["decision", "execution", "execution", "outcome"]


async def test_processes_that_hear_at_once_tell_each_once(told: Told):
    await told.learning.plan(1)
    await told.end("approval-1")

    await asyncio.gather(*(told.hear(report) for report in story() * 4))

    assert sorted(await told.kinds()) == ["decision", "execution", "execution", "outcome"]
    counted = b'incident_agents_commands_ended_total{status="succeeded"} 2.0'
    assert counted in told.metrics.render()


@pytest.mark.parametrize("others", [0, 2, 3])
async def test_an_undo_is_told_once_before_or_after_the_outcome(told: Told, others: int):
    await told.learning.plan(1)
    await told.end("approval-1")
    verified = story()[-1]
    restarted = verified.commands[1].model_copy(update={"undo_status": "succeeded"})
    commands = (verified.commands[0], restarted)
    undone = replace(verified, kind=ReportKind.UNDONE, verification=None, commands=commands)
    if others < len(story()):
        undone = replace(undone, is_final=False)

    for report in [*story()[:others], undone, undone, *story()[others:]]:
        await told.hear(report)

    executions = [fact for kind, fact in await told.facts() if kind == "execution"]
    assert [(fact["number"], fact["status"]) for fact in executions] == [
        (0, "succeeded"),
        (1, "succeeded"),
        (1, "undone"),
    ]
    assert (await told.kinds()).count("outcome") == 1


async def test_a_proposal_that_is_delivered_after_the_agents_end_is_told(told: Told):
    await told.end("approval-0")
    await told.learning.plan(1)

    for _ in range(2):
        await told.reactions.note(WORKFLOW)

    assert [fact["approval_id"] for _, fact in await told.facts()] == ["approval-1"]
    assert await told.kinds() == ["proposal"]


async def test_what_was_noted_before_a_crash_is_told_after_it(told: Told):
    await told.learning.plan(1)
    for report in story():
        await told.learning.recorder.hear(report)
    await told.end("approval-1")

    await told.reactions.note(WORKFLOW)

    assert await told.kinds() == ["decision", "execution", "execution", "outcome"]


async def test_the_outcome_waits_for_the_last_plan(told: Told):
    await told.learning.plan(1)
    await told.learning.plan(2)
    await told.end("approval-1", "approval-2")
    for report in story():
        await told.hear(report)
    assert "outcome" not in await told.kinds()

    await told.hear(report_of("approval-2", Decision.REJECTED, reason="not now"))

    outcome = (await told.facts())[-1][1]
    assert (outcome["approved"], outcome["rejected"], outcome["recovery"]) == (1, 1, "recovered")
    assert outcome["plans"][1]["sentence"] == "Rejected: not now; nothing was run."


async def test_a_server_of_the_older_kind_ends_without_claims(told: Told):
    await told.learning.plan(1)
    await told.end("approval-1")

    await told.hear(report_of("approval-1", approved=2))

    assert await told.kinds() == ["decision", "outcome"]
    outcome = (await told.facts())[-1][1]
    assert (outcome["approved"], outcome["recovery"], outcome["facts"]) == (1, None, [])
    assert "does not say what became" in outcome["plans"][0]["sentence"]


async def test_a_proposal_that_expired_ends(told: Told):
    await told.learning.plan(1)
    await told.end("approval-1")

    await told.hear(replace(report_of("approval-1"), kind=ReportKind.EXPIRED, decision=None))

    (_, decision), (_, outcome) = await told.facts()
    assert decision["status"] == "expired"
    assert (outcome["approved"], outcome["expired"], outcome["recovery"]) == (0, 1, None)


async def test_a_decision_after_the_expiry_brings_what_it_came_to_along(told: Told):
    await told.learning.plan(1)
    await told.end("approval-1")
    await told.hear(replace(report_of("approval-1"), kind=ReportKind.EXPIRED, decision=None))

    for _ in range(2):
        await told.hear(report_of("approval-1", Decision.REJECTED, reason="not now"))

    assert await told.kinds() == ["decision", "outcome", "decision"]
    late = (await told.facts())[-1][1]
    assert (late["status"], late["is_late"]) == ("rejected", True)
    assert (late["outcome"]["rejected"], late["outcome"]["expired"]) == (1, 0)
    (plan,) = late["outcome"]["plans"]
    assert (plan["status"], plan["is_late"]) == ("rejected", True)
    assert plan["sentence"] == (
        "Rejected: not now; nothing was run. The decision came when the request had expired."
    )


async def test_what_comes_of_a_late_approval_is_told_as_it_comes(told: Told):
    await told.learning.plan(1)
    await told.end("approval-1")
    await told.hear(replace(report_of("approval-1"), kind=ReportKind.EXPIRED, decision=None))

    for report in story() * 2:
        await told.hear(report)

    kinds = await told.kinds()
    assert [kinds.count(kind) for kind in ("outcome", "execution")] == [1, 2]
    last = next(fact for kind, fact in reversed(await told.facts()) if kind == "decision")
    assert (last["outcome"]["recovery"], last["outcome"]["approved"]) == ("recovered", 1)
    assert last["outcome"]["plans"][0]["sentence"].startswith("3 of 3 pods are ready.")
    assert kinds.count("decision") <= 4


async def test_a_decision_that_contradicts_the_last_one_is_told_too(told: Told):
    await told.learning.plan(1)
    await told.end("approval-1")
    first = report_of("approval-1", approved=2)

    for report in (first, report_of("approval-1", Decision.REJECTED, reason="No"), first):
        await told.hear(report)

    decisions = [fact for kind, fact in await told.facts() if kind == "decision"]
    assert [fact["status"] for fact in decisions] == ["approved", "rejected"]
    assert decisions[-1]["outcome"]["rejected"] == 1


async def test_a_proposal_that_was_declined_ends(told: Told):
    feedback_id = await told.learning.recorder.propose(
        WORKFLOW, 1, analysis_of(), plan_of(), Guidance()
    )
    await told.end("none")

    await told.learning.recorder.decline(feedback_id, "too long")
    await told.reactions.note(WORKFLOW)

    (_, decision), (_, outcome) = await told.facts()
    assert (decision["status"], outcome["declined"]) == ("declined", 1)


async def test_a_decision_that_was_void_is_told_again_with_its_round(told: Told):
    await told.learning.plan(1)
    await told.end("approval-1")
    await told.hear(story()[0])

    for report in story():
        await told.hear(replace(report, round=2))

    facts = await told.facts()
    rounds = [fact["round"] for kind, fact in facts if kind == "decision"]
    assert rounds == [1, 2]
    assert [kind for kind, _ in facts].count("execution") == 2


async def test_what_nobody_approved_is_no_execution(told: Told):
    await told.learning.plan(1)
    await told.end("approval-1")
    approved, undecided = said("succeeded", "skipped")
    undecided = undecided.model_copy(update={"decision": CommandDecision.UNDECIDED})

    await told.hear(
        replace(report_of("approval-1"), kind=ReportKind.EXECUTED, commands=(approved, undecided))
    )

    assert await told.kinds() == ["decision", "execution", "outcome"]


async def test_an_approval_that_is_not_ours_is_nobodys(told: Told):
    await told.reactions.reported(ApprovalId("stranger"))
