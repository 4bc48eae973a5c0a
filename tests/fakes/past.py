"""Plans of the past, with their decisions, as events; a whole experiment at once."""

import asyncio
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.adapters.storage.feedback_jsonl import open_feedback_file
from app.domain.approval import Decision
from app.domain.course import Decided
from app.domain.feedback import (
    Environment,
    FeedbackEvent,
    PlannedCommand,
    Proposed,
    ShownExample,
    Signature,
)
from app.domain.guidance import ExampleRole
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.evaluation import Evaluation, evaluate
from tests.fakes.feedback import FeedbackInMemory, Learning, learning_on

MONDAY = datetime(2029, 12, 31, 0, 0, tzinfo=UTC)
COMMAND = PlannedCommand(command="kubectl delete pod x", action="delete/pod", is_change=True)


@dataclass
class Past:
    """Plans of workflows that were decided one after the other."""

    events: list[FeedbackEvent] = field(default_factory=list)

    def plan(
        self,
        name: str,
        counts: tuple[int, int] | None,
        *,
        at: datetime = MONDAY,
        workflow: str = "",
        mode: str = "oom_killed",
        environment: Environment = Environment.STAGING,
        is_held_out: bool | None = None,
        share: float | None = 0.1,
        propensity: float | None = None,
        shown: Sequence[ShownExample] = (),
        commands: Sequence[PlannedCommand] = (),
    ) -> None:
        """A plan with its approved and rejected commands, as many as that unless told; None is undecided."""
        side = {True: share, False: 1 - (share or 0), None: None}[is_held_out]
        proposed = Proposed(
            id=f"{name}-proposed",
            ts=at,
            feedback_id=FeedbackId(name),
            workflow_id=workflow or f"workflow-of-{name}",
            issue=f"Issue of {name}",
            signature=Signature(failure_mode=mode, environment=environment),
            commands=tuple(commands or commands_of(sum(counts or ()))),
            shown=tuple(shown),
            is_held_out=is_held_out,
            holdout_share=share,
            propensity=side if propensity is None else propensity,
        )
        self.events.append(proposed)
        if counts is not None:
            self.events.append(decided(name, counts, at))

    def experiment(self, workflows: int, guided: float, held_out: float, share: float) -> None:
        """An hour apart; the rates are those of a single command's approval."""
        chance = random.Random(workflows)
        for number in range(workflows):
            is_held_out = chance.random() < share
            is_approved = chance.random() < (held_out if is_held_out else guided)
            self.plan(
                f"w{number}_remediation_1",
                (1, 0) if is_approved else (0, 1),
                at=MONDAY + timedelta(hours=number),
                mode=chance.choice(["oom_killed", "image_pull", "crash_loop"]),
                environment=chance.choice([Environment.PRODUCTION, Environment.STAGING]),
                is_held_out=is_held_out,
                share=share,
                shown=[] if is_held_out or number < 2 else [follow("w0_remediation_1")],
            )

    def write(self, path: Path) -> None:
        """Into a feedback file."""

        async def append() -> None:
            async with open_feedback_file(path) as file:
                await file.append(self.events)

        # A browser's test has a running loop in its own thread.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(append())).result()

    async def evaluation(self) -> Evaluation:
        """What it all comes to."""
        async with learning_on(FeedbackInMemory(self.events)).ledger.reading() as turn:
            return evaluate(turn.entries)

    def learning(self) -> Learning:
        """All of learning over these events."""
        return learning_on(FeedbackInMemory(self.events))


def commands_of(count: int) -> tuple[PlannedCommand, ...]:
    """So many commands, one at least."""
    others = (replace(COMMAND, command=f"{COMMAND.command}{number}") for number in range(1, count))
    return (COMMAND, *others)


def decided(name: str, counts: tuple[int, int], at: datetime) -> Decided:
    """A decision on the plan of that name."""
    approved, rejected = counts
    return Decided(
        id=f"{name}-decided",
        ts=at,
        approval_id=ApprovalId(f"approval-of-{name}"),
        feedback_id=FeedbackId(name),
        decision=Decision.APPROVED if approved else Decision.REJECTED,
        approved_count=approved,
        rejected_count=rejected,
    )


def follow(name: str) -> ShownExample:
    """An example to follow."""
    return ShownExample(feedback_id=name, role=ExampleRole.ACCEPTED)


def avoid(name: str) -> ShownExample:
    """An example of what to avoid."""
    return ShownExample(feedback_id=name, role=ExampleRole.REJECTED)
