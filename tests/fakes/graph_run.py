"""One run of the graph with a checkpointer, which says in a file which agents are asked.

As a process it is told to stay in one agent for ever, until it is killed there.
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver

from app.adapters.reasoning.playbook import PlaybookReasoner
from app.adapters.storage.checkpoints import open_checkpointer
from app.adapters.storage.memory import MemoryEventLog
from app.agents.agent import Voice
from app.bootstrap.ground import SystemClock
from app.domain.answer import AgentName, Answer
from app.domain.approval import SubmissionReport
from app.domain.guidance import Guidance
from app.domain.ids import ProcessId, WorkflowId
from app.domain.questions import Question, Teller
from app.domain.workflow import Claim
from app.intake.batch import read_batch
from app.kubectl.policy import load_policy
from app.learning.holdout import Holdout, HoldoutSelector
from app.observability.metrics import Metrics
from app.workflow.graph import Graph, build_graph, run_graph
from app.workflow.specialists import Specialists
from app.workflow.state import Run, State
from app.workflow.submission import CommandReview
from tests.fakes.databases import location_of
from tests.fakes.feedback import open_learning
from tests.fakes.servers import REPOSITORY

SAMPLE = REPOSITORY / "data" / "samples" / "oom-killed.log"
LIMIT_SECONDS = 1000.0

A = TypeVar("A", bound=Answer)
Asked = Callable[[AgentName], None]


@dataclass(frozen=True)
class Listening:
    """The playbooks, and who hears of every question."""

    asked: Asked
    stay_at: AgentName | None = None

    name = "playbooks"

    async def ask(self, question: Question[A], teller: Teller) -> A:
        """Answer, unless it is to stay there."""
        await self.at(question.agent)
        return await PlaybookReasoner().ask(question, teller)

    async def trouble(self) -> str | None:
        """None."""
        return None

    async def at(self, agent: AgentName) -> None:
        """An agent is at work."""
        self.asked(agent)
        if agent is self.stay_at:
            await asyncio.Event().wait()


@dataclass(frozen=True)
class GraphRun:
    """A graph of listening agents, and what it runs on."""

    graph: Graph
    run: Run
    events: MemoryEventLog

    async def go(self, answers: State | None = None) -> State:
        """To the end, or for ever; `answers` are what the events tell."""
        return await run_graph(self.graph, answers or State(), self.run)

    def claimed(self, number: int) -> "GraphRun":
        """The same run by a later claim."""
        claim = Claim(ProcessId("p"), number)
        return replace(self, run=replace(self.run, voice=replace(self.run.voice, claim=claim)))


async def graph_run(
    checkpointer: BaseCheckpointSaver[str] | None,
    workflow_id: WorkflowId,
    reasoner: Listening,
    folder: Path,
) -> GraphRun:
    """The first claim's run over a sample."""
    async with open_learning(folder / "feedback.jsonl") as learning:
        review = CommandReview(reasoner, load_policy(), Metrics(), SystemClock())

        async def submit(run: Run, state: State, teller: Teller) -> SubmissionReport:
            await reasoner.at(AgentName.KUBECTL_COMMAND)
            assert isinstance(state["guidance"], Guidance)
            return await review.submit(run, state, teller)

        selector = HoldoutSelector(learning.selector, Holdout(0.0, lambda _: False))
        specialists = Specialists(reasoner, selector, submit, LIMIT_SECONDS)
        events = MemoryEventLog(SystemClock())
        voice = Voice(workflow_id, events, Claim(ProcessId("p"), 1))
        batch = read_batch(SAMPLE.read_text(), ())

        async def read_input() -> str:
            return SAMPLE.read_text()

        run = Run(voice, batch, read_input)
        return GraphRun(build_graph(specialists, checkpointer), run, events)


async def stay(url: str, workflow_id: WorkflowId, agent: AgentName, told: Path) -> None:
    """Run until that agent, and stay there."""

    def tell(asked: AgentName) -> None:
        with told.open("a") as lines:
            lines.write(f"{asked}\n")

    async with open_checkpointer(location_of(url)) as checkpointer:
        run = await graph_run(checkpointer, workflow_id, Listening(tell, agent), told.parent)
        await run.go()


if __name__ == "__main__":
    asyncio.run(
        stay(sys.argv[1], WorkflowId(sys.argv[2]), AgentName(sys.argv[3]), Path(sys.argv[4]))
    )
