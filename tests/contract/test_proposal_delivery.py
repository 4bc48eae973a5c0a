"""Proposals reach the approval server, each once, whatever breaks in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from app.adapters.storage.database import open_database
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.memory import MemoryEventLog
from app.adapters.storage.outbox import SqlProposalOutbox
from app.adapters.storage.processes import SqlProcessTable
from app.bootstrap.ground import SystemClock
from app.domain.approval import OutgoingProposal, Proposal, ProposalMetadata, ProposedCommand
from app.domain.errors import ApprovalGateFailed, ProposalDeclined, ProposalRefused
from app.domain.feedback import PlanStatus
from app.domain.guidance import Guidance
from app.domain.ids import ApprovalId, FeedbackId, WorkflowId, new_process_id
from app.domain.plan import SafetyLevel
from app.domain.ports import Clock
from app.observability.metrics import Metrics
from app.workflow.delivery import ProposalDelivery
from app.workflow.reactions import Reactions
from tests.fakes.feedback import RESTART, Learning, analysis_of, open_learning, plan_of
from tests.fakes.stored import SetClock

WORKFLOW = WorkflowId("9f7c1f7e-3c2e-4f2b-9d55-0f2d6f7d2f10")


@dataclass
class ScriptedGate:
    """Takes every proposal but those it is told to refuse."""

    page_url: str = "http://localhost:3100"
    lacks: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()
    is_down: bool = False
    is_silent: bool = False
    asked: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    questions: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def propose(self, proposal: Proposal, idempotency_key: str) -> ApprovalId:
        """Note the key and answer."""
        self.asked.append(idempotency_key)
        self.questions.put_nowait(idempotency_key)
        if self.is_silent:
            await asyncio.Event().wait()
        if self.is_down:
            raise ApprovalGateFailed("nobody answers")
        if idempotency_key in self.declined:
            raise ProposalDeclined("never this one")
        if idempotency_key in self.refused:
            raise ProposalRefused("not this one")
        self.taken.append(idempotency_key)
        return ApprovalId(f"approval of {idempotency_key}")

    async def trouble(self) -> str | None:
        """Nothing is wrong."""
        return None


def proposal_of(number: int) -> OutgoingProposal:
    command = ProposedCommand(
        command=RESTART, explanation="because", safety_level=SafetyLevel.CAUTION
    )
    metadata = ProposalMetadata(
        severity="HIGH",
        priority="P1",
        service="checkout",
        issue="OOM",
        root_cause="the limit is too low",
        phase="REMEDIATE",
        workflow_id=WORKFLOW,
    )
    proposal = Proposal(action="Restart checkout", commands=(command,), metadata=metadata)
    key = f"{WORKFLOW}_remediation_{number}"
    return OutgoingProposal(key, WORKFLOW, FeedbackId(key), proposal)


@asynccontextmanager
async def opened(
    root: Path, gate: ScriptedGate, clock: Clock | None = None
) -> AsyncIterator[tuple[ProposalDelivery, Learning]]:
    """A delivery over real files."""
    async with (
        open_database(DatabaseLocation.of_file(root / "w.sqlite")) as database,
        open_learning(root / "feedback.jsonl") as learning,
    ):
        for number in (1, 2):
            await learning.recorder.propose(WORKFLOW, number, analysis_of(), plan_of(), Guidance())
        me = new_process_id()
        await SqlProcessTable(database, me).beat()
        outbox = SqlProposalOutbox(database, clock or SystemClock(), me)
        reactions = Reactions(MemoryEventLog(SystemClock()), learning.report, Metrics())
        yield ProposalDelivery(gate, outbox, learning.recorder, reactions, Metrics()), learning


@asynccontextmanager
async def running(delivery: ProposalDelivery) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(delivery.run())
        yield
        task.cancel()


async def test_a_workflow_that_is_resumed_does_not_send_again_what_arrived(tmp_path: Path):
    gate = ScriptedGate()
    async with opened(tmp_path, gate) as (delivery, _):
        first = await delivery.submit(proposal_of(1))

    async with opened(tmp_path, gate) as (delivery, _):
        again = await delivery.submit(proposal_of(1))

    assert first == again
    assert gate.asked == [proposal_of(1).key]


async def test_a_server_that_is_silent_costs_a_workflow_little_time(tmp_path: Path):
    gate = ScriptedGate(is_silent=True)
    async with opened(tmp_path, gate) as (delivery, _):
        delivery.patience_seconds = 0.05

        async with asyncio.timeout(5):
            with pytest.raises(ApprovalGateFailed, match="will be tried again"):
                await delivery.submit(proposal_of(1))

        assert [*await delivery.outbox.undelivered(10)] == [proposal_of(1)]


async def test_a_proposal_that_is_never_taken_does_not_hold_up_the_next(tmp_path: Path):
    gate = ScriptedGate(refused=frozenset({proposal_of(1).key}))
    async with opened(tmp_path, gate) as (delivery, _):
        await delivery.outbox.put(proposal_of(1))
        await delivery.outbox.put(proposal_of(2))

        async with asyncio.timeout(5), running(delivery):
            asked = [await gate.questions.get() for _ in range(2)]

    assert asked == [proposal_of(1).key, proposal_of(2).key]


async def test_a_proposal_whose_record_is_gone_is_sent_once_and_the_next_one_too(tmp_path: Path):
    gate = ScriptedGate()
    async with opened(tmp_path, gate) as (delivery, _):
        await delivery.outbox.put(proposal_of(3))
        await delivery.outbox.put(proposal_of(1))

        async with asyncio.timeout(5), running(delivery):
            asked = [await gate.questions.get() for _ in range(2)]

        assert asked == [proposal_of(3).key, proposal_of(1).key]
        assert proposal_of(3) not in await delivery.outbox.undelivered(10)


async def test_an_outage_of_a_day_loses_nothing_and_sends_nothing_twice(tmp_path: Path):
    gate, clock = ScriptedGate(is_down=True), SetClock()
    back_at = clock.now() + timedelta(hours=24)
    async with opened(tmp_path, gate, clock) as (delivery, learning):
        everything_is_told = asyncio.Event()

        async def pass_time(seconds: float) -> None:
            clock.move(seconds)
            gate.is_down = clock.now() < back_at
            if not await delivery.outbox.undelivered(10):
                everything_is_told.set()
            await asyncio.sleep(0)

        delivery.pause = pass_time
        for number in (1, 2):
            await delivery.outbox.put(proposal_of(number))
        async with asyncio.timeout(60), running(delivery):
            await everything_is_told.wait()

        assert clock.now() >= back_at
        assert gate.taken == [proposal_of(1).key, proposal_of(2).key]
        assert [record.approval_ids for record in await learning.records()] == [
            (ApprovalId(f"approval of {key}"),) for key in gate.taken
        ]


async def test_a_proposal_that_is_declined_is_asked_for_once(tmp_path: Path):
    gate = ScriptedGate(declined=frozenset({proposal_of(1).key}))
    async with opened(tmp_path, gate) as (delivery, learning):
        for _ in range(2):
            with pytest.raises(ApprovalGateFailed):
                await delivery.submit(proposal_of(1))

        assert gate.asked == [proposal_of(1).key]
        assert await delivery.outbox.undelivered(10) == []
        declined, other = await learning.records()
        assert (declined.status, other.status) == (PlanStatus.DECLINED, None)
