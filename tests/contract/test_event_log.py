"""What every event log keeps: in memory, in a file, in PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
import pytest

from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.memory import MemoryEventLog
from app.bootstrap.ground import SystemClock
from app.domain.errors import Conflict, NotFound
from app.domain.events import Bystander, EventType, Latecomer, LogBounds, Recorded
from app.domain.ids import ProcessId, WorkflowId, new_workflow_id
from app.domain.ports import EventLog
from app.domain.workflow import Claim
from tests.fakes.stored import StoringProcess, last_words, lone_process, said


@dataclass
class Logbook:
    """A log, and workflows whose first event is in it."""

    events: EventLog
    process: StoringProcess | None = None

    async def claimed(self) -> tuple[WorkflowId, Claim]:
        """A workflow that this process runs."""
        if self.process is not None:
            return await self.process.claimed()
        workflow_id, claim = new_workflow_id(), Claim(ProcessId("me"), 1)
        await self.events.append(workflow_id, [said("started")], claim)
        return workflow_id, claim


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def logbook(request: pytest.FixtureRequest) -> AsyncIterator[Logbook]:
    if request.param == "memory":
        yield Logbook(MemoryEventLog(SystemClock()))
        return
    async with lone_process(request.getfixturevalue(f"{request.param}_location")) as process:
        yield Logbook(process.events, process)


async def test_positions_count_from_one_without_gaps(logbook: Logbook):
    workflow_id, claim = await logbook.claimed()

    first = await logbook.events.append(workflow_id, [said("b"), said("c")], claim)
    second = await logbook.events.append(workflow_id, [said("d")], claim)

    assert [r.seq for r in [*first, *second]] == [2, 3, 4]
    assert [r.seq for r in await logbook.events.read(workflow_id, 0, 10)] == [1, 2, 3, 4]
    assert [r.seq for r in await logbook.events.read(workflow_id, 1, 2)] == [2, 3]
    assert list(await logbook.events.read(workflow_id, 4, 2)) == []


async def test_what_is_read_is_what_was_appended(logbook: Logbook):
    workflow_id, claim = await logbook.claimed()
    told: list[Recorded] = []

    with logbook.events.subscribe(workflow_id, told.extend):
        appended = await logbook.events.append(
            workflow_id, [said("a", EventType.PROGRESS), last_words()], claim
        )

    assert list(appended) == told
    assert list(await logbook.events.read(workflow_id, 1, 10)) == told


async def test_a_frame_holds_every_key_of_the_contract(logbook: Logbook):
    workflow_id, claim = await logbook.claimed()

    (recorded,) = await logbook.events.append(workflow_id, [said("<b>\u2028\x00 😀\n")], claim)

    frame = orjson.loads(recorded.frame)
    assert b"\n" not in recorded.frame
    assert frame["data"] == frame["message"] == "<b>\u2028\x00 😀\n"
    assert frame["agent"] == frame["agent_name"] == "OrchestratorAgent"
    assert (frame["input"], frame["output"]) == ("in", "")
    assert (frame["seq"], frame["workflow_id"]) == (2, workflow_id)
    assert (frame["type"], frame["status"]) == ("status", "WORKING")
    assert frame["timestamp"].endswith("+00:00")
    assert frame["id"] == f"{logbook.events.epoch}-2"


async def test_a_listener_hears_what_comes_in_order_until_it_leaves(logbook: Logbook):
    workflow_id, claim = await logbook.claimed()
    other, other_claim = await logbook.claimed()
    told: list[Recorded] = []

    with logbook.events.subscribe(workflow_id, told.extend):
        for number in range(50):
            await logbook.events.append(workflow_id, [said(str(number))], claim)
            await logbook.events.append(other, [said("not for it")], other_claim)
    await logbook.events.append(workflow_id, [last_words()], claim)

    assert [(r.workflow_id, r.seq) for r in told] == [(workflow_id, seq) for seq in range(2, 52)]


async def test_the_agents_say_nothing_after_the_terminal_event(logbook: Logbook):
    workflow_id, claim = await logbook.claimed()
    await logbook.events.append(workflow_id, [said("a\0"), last_words()], claim)

    with pytest.raises(Conflict):
        await logbook.events.append(workflow_id, [said("more")], claim)
    with pytest.raises(Conflict):
        await logbook.events.append(workflow_id, [said("more")], Bystander())

    assert await logbook.events.bounds(workflow_id) == LogBounds(1, 3, 3, 0)


async def test_what_came_of_it_is_said_after_the_end_and_never_before(logbook: Logbook):
    workflow_id, claim = await logbook.claimed()
    decision = said("approved", EventType.DECISION)
    with pytest.raises(Conflict):
        await logbook.events.append(workflow_id, [decision], Latecomer(1))
    await logbook.events.append(workflow_id, [last_words()], claim)

    await logbook.events.append(workflow_id, [decision], Latecomer(2))
    with pytest.raises(Conflict):
        await logbook.events.append(workflow_id, [decision], Latecomer(2))
    outcome = said("it helped", EventType.OUTCOME)
    await logbook.events.append(workflow_id, [outcome], Latecomer(3))

    assert await logbook.events.bounds(workflow_id) == LogBounds(1, 4, 2, 4)


async def test_a_workflow_that_never_was_has_no_bounds(logbook: Logbook):
    with pytest.raises(NotFound):
        await logbook.events.bounds(new_workflow_id())


@pytest.fixture
def sqlite_location(tmp_path_factory: pytest.TempPathFactory) -> DatabaseLocation:
    return DatabaseLocation.of_file(tmp_path_factory.mktemp("log") / "workflows.sqlite")


@pytest.fixture
def postgres_location(postgres_url: str) -> DatabaseLocation:
    return DatabaseLocation.of_url(postgres_url)
