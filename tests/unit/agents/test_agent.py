"""How an agent's work and its failures stand in the event log, and what its reasoner tells."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import orjson
import pytest

from app.adapters.storage.memory import MemoryEventLog
from app.agents.agent import INTERNAL_ERROR, Voice, conduct
from app.agents.telling import MOST_TOKEN_BYTES, TOKENS_EVERY_SECONDS
from app.domain.answer import AgentName
from app.domain.errors import AppError, Conflict, Fenced, ReasonerFailed, StorageFailed
from app.domain.events import Event, Recorded, Writer
from app.domain.ids import WorkflowId, new_process_id, new_workflow_id
from app.domain.incident import Findings
from app.domain.questions import Teller, Usage
from app.domain.workflow import Claim

ANSWER = Findings()
USAGE = Usage("gemini-test", 700, 42, 2, 742, attempts=1, seconds=1.5)

Work = Callable[[Teller], Awaitable[Findings]]


class Now:
    """A clock; no test here looks at the time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Log(MemoryEventLog):
    """Takes nothing while it is in trouble."""

    def __init__(self) -> None:
        super().__init__(Now())
        self.workflow_id = new_workflow_id()
        self.trouble: AppError | None = None
        self.refused: list[Event] = []

    async def append(
        self, workflow_id: WorkflowId, events: Sequence[Event], writer: Writer
    ) -> Sequence[Recorded]:
        if self.trouble is not None:
            self.refused.extend(events)
            raise self.trouble
        return await super().append(workflow_id, events, writer)

    async def conduct(self, work: Work, limit_seconds: float = 20) -> Findings:
        """One agent at work."""
        voice = Voice(self.workflow_id, self, Claim(new_process_id(), 1))
        return await conduct(voice, AgentName.MONITORING, "1 line", limit_seconds, work)

    async def told(self) -> list[tuple[str, str, str]]:
        """Type, status and data of what the agent said after it had begun."""
        frames = [orjson.loads(event.frame) for event in await self.read(self.workflow_id, 2, 999)]
        assert {frame["agent_name"] for frame in frames} <= {"MonitoringAgent"}
        return [(frame["type"], frame["status"], frame["data"]) for frame in frames]

    async def tokens(self) -> list[dict[str, object]]:
        """The facts of the `token` events."""
        return [orjson.loads(data) for kind, _, data in await self.told() if kind == "token"]


@pytest.fixture
def log() -> Log:
    return Log()


async def test_an_answer_is_the_agents_one_completed(log: Log):
    async def work(teller: Teller) -> Findings:
        await teller.progress("Reading")
        await teller.usage(USAGE)
        return ANSWER

    assert await log.conduct(work) == ANSWER

    thinking, usage, completed = await log.told()
    assert thinking == ("status", "THINKING", "Reading")
    assert usage[0] == "usage"
    assert orjson.loads(usage[2]) == {
        "agent": "MonitoringAgent",
        "model": "gemini-test",
        "input_tokens": 700,
        "output_tokens": 42,
        "thought_tokens": 2,
        "total_tokens": 742,
        "attempts": 1,
        "seconds": 1.5,
    }
    assert completed == ("status", "COMPLETED", ANSWER.model_dump_json())


async def test_tokens_go_together_and_none_is_lost_or_out_of_place(log: Log):
    async def work(teller: Teller) -> Findings:
        for number in range(300):
            await teller.token(f"{number},")
        await teller.progress("Trying again")
        await teller.token("once more")
        return ANSWER

    begun = time.monotonic()
    await log.conduct(work)
    most = 3 + (time.monotonic() - begun) / TOKENS_EVERY_SECONDS

    told = await log.told()
    line = told.index(("status", "THINKING", "Trying again"))
    first = [orjson.loads(data) for kind, _, data in told[:line] if kind == "token"]
    assert "".join(token["text"] for token in first) == "".join(f"{n}," for n in range(300))
    assert len(first) <= most
    second = [orjson.loads(data) for kind, _, data in told[line:] if kind == "token"]
    assert second == [{"agent": "MonitoringAgent", "text": "once more"}]
    assert told[-1][1] == "COMPLETED"


async def test_a_token_is_told_before_the_answer_is_there(log: Log):
    is_told = asyncio.Event()

    async def work(teller: Teller) -> Findings:
        await teller.token("first")
        await is_told.wait()
        return ANSWER

    with log.subscribe(log.workflow_id, lambda batch: is_told.set() if batch[-1].seq > 2 else None):
        async with asyncio.timeout(5):
            await log.conduct(work)

    assert await log.tokens() == [{"agent": "MonitoringAgent", "text": "first"}]


async def test_an_endless_answer_is_cut_and_that_is_said_once(log: Log):
    async def work(teller: Teller) -> Findings:
        for _ in range(100):
            await teller.token("ä" * 999)
        return ANSWER

    await log.conduct(work)

    *pieces, end = await log.tokens()
    text = "".join(str(piece["text"]) for piece in pieces)
    assert MOST_TOKEN_BYTES - 1 <= len(text.encode()) <= MOST_TOKEN_BYTES
    assert set(text) == {"ä"}
    assert end == {"agent": "MonitoringAgent", "truncated": True}


async def test_a_storage_that_fails_for_a_while_costs_no_answer_and_no_token(log: Log):
    async def work(teller: Teller) -> Findings:
        log.trouble = StorageFailed("The disk is slow.")
        await teller.token("kept, ")
        await teller.token("too")
        log.trouble = None
        return ANSWER

    assert await log.conduct(work) == ANSWER

    assert await log.tokens() == [{"agent": "MonitoringAgent", "text": "kept, too"}]


async def test_half_a_character_pair_is_no_failure(log: Log):
    async def work(teller: Teller) -> Findings:
        await teller.token("half \ud83d")
        return ANSWER

    await log.conduct(work)

    assert await log.tokens() == [{"agent": "MonitoringAgent", "text": "half ?"}]


async def test_a_failure_is_said_and_goes_on_up(log: Log):
    async def work(teller: Teller) -> Findings:
        await teller.token("half an ans")
        raise ReasonerFailed("The model is tired")

    with pytest.raises(ReasonerFailed, match="tired"):
        await log.conduct(work)

    assert [status for _, status, _ in await log.told()] == ["INFO", "ERROR"]
    assert (await log.told())[-1][2] == "The model is tired"


@pytest.mark.parametrize("defect", [ValueError("x=secret"), TimeoutError("somebody else's")])
async def test_a_defect_is_said_without_its_details(log: Log, defect: Exception):
    async def work(_: Teller) -> Findings:
        raise defect

    with pytest.raises(type(defect)):
        await log.conduct(work)

    assert await log.told() == [("status", "ERROR", INTERNAL_ERROR)]


async def test_an_agent_over_its_limit_says_which_limit(log: Log):
    async def work(_: Teller) -> Findings:
        await asyncio.Event().wait()
        return ANSWER

    with pytest.raises(ReasonerFailed) as caught:
        await log.conduct(work, limit_seconds=0.05)

    sentence = "MonitoringAgent gave no answer within 0.05 s (AGENT_TIMEOUT_SECONDS)."
    assert str(caught.value) == sentence
    assert await log.told() == [("status", "ERROR", sentence)]


@pytest.mark.parametrize(
    "trouble", [StorageFailed("full"), Fenced("another's"), Conflict("it is over")]
)
async def test_a_log_that_takes_nothing_is_not_told_so(log: Log, trouble: AppError):
    async def work(teller: Teller) -> Findings:
        log.trouble = trouble
        await teller.progress("Reading")
        return ANSWER

    with pytest.raises(type(trouble)):
        await log.conduct(work)

    assert [event.data for event in log.refused] == ["Reading"]
    assert await log.told() == []


async def test_a_run_that_belongs_to_another_stops_at_its_next_token(log: Log):
    async def work(teller: Teller) -> Findings:
        log.trouble = Fenced("It belongs to another process now.")
        await teller.token("unpaid")
        return ANSWER

    with pytest.raises(Fenced):
        await log.conduct(work)

    assert len(log.refused) == 1


async def test_a_cancelled_agent_says_nothing(log: Log):
    async def work(teller: Teller) -> Findings:
        await teller.progress("Reading")
        await asyncio.Event().wait()
        return ANSWER

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await log.conduct(work)

    assert await log.told() == [("status", "THINKING", "Reading")]
