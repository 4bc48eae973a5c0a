"""What all agents share: announce start, progress, end and failure."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson

from app.agents.telling import AgentTeller
from app.domain.answer import AgentName, Answer
from app.domain.errors import AppError, Conflict, ReasonerFailed, StorageFailed
from app.domain.events import Event, EventStatus, EventType
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog
from app.domain.questions import Teller
from app.domain.workflow import Claim

A = TypeVar("A", bound=Answer)

INTERNAL_ERROR = "an internal error; the server's log has the details"


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks for one workflow in its event log."""

    workflow_id: WorkflowId
    events: EventLog
    claim: Claim

    async def say(
        self,
        agent: AgentName,
        status: EventStatus,
        data: str,
        *,
        event_type: EventType = EventType.STATUS,
    ) -> None:
        """One event; it is stored when this returns."""
        await self.append([Event(agent, status, data, event_type)])

    async def invoke(self, agent: AgentName, given: str) -> None:
        """The orchestrator calls an agent, and the agent starts."""
        working = EventStatus.WORKING
        call = Event(AgentName.ORCHESTRATOR, working, f"Invoking {agent} …")
        start = Event(agent, working, f"{agent} received {given}", input=given)
        await self.append([call, start])

    async def announce(
        self, agent: AgentName, sentence: str, proposal: Mapping[str, object]
    ) -> None:
        """A submitted proposal, for people and for programs: both or neither."""
        data = orjson.dumps(proposal).decode()
        told = Event(agent, EventStatus.INFO, sentence)
        await self.append([told, Event(agent, EventStatus.INFO, data, EventType.PROPOSAL)])

    async def end(
        self, status: EventStatus, sentence: str, outcome: Mapping[str, object] | None = None
    ) -> None:
        """The terminal event."""
        event = Event(AgentName.ORCHESTRATOR, status, sentence, is_terminal=True, outcome=outcome)
        await self.append([event])

    async def append(self, events: Sequence[Event]) -> None:
        """Store these, all or none; raises what `EventLog.append` does."""
        await self.events.append(self.workflow_id, events, self.claim)


async def conduct(
    voice: Voice,
    agent: AgentName,
    given: str,
    limit_seconds: float,
    work: Callable[[Teller], Awaitable[A]],
) -> A:
    """Let an agent work within its time limit; its failure is an ERROR event and goes on up."""
    teller = AgentTeller(agent, voice.append)
    limit = asyncio.timeout(limit_seconds)
    await voice.invoke(agent, given)
    try:
        async with limit:
            answer = await work(teller)
    except (StorageFailed, Conflict):
        # The log itself failed, or it is somebody else's now: nothing can be said in it.
        raise
    except Exception as error:
        if isinstance(error, TimeoutError) and limit.expired():
            sentence = f"{agent} gave no answer within {limit_seconds:g} s (AGENT_TIMEOUT_SECONDS)."
            await teller.say(EventStatus.ERROR, sentence)
            raise ReasonerFailed(sentence) from error
        await teller.say(
            EventStatus.ERROR, str(error) if isinstance(error, AppError) else INTERNAL_ERROR
        )
        raise
    text = answer.model_dump_json()
    await teller.say(EventStatus.COMPLETED, text, output=text)
    return answer
