"""What every event log keeps, in memory and in a file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import orjson
import pytest

from app.adapters.storage.events import SqliteEventLog, read_epoch
from app.adapters.storage.memory import MemoryEventLog
from app.adapters.storage.sqlite import open_database
from app.bootstrap.backend import WORKFLOW_SCHEMA, WORKFLOW_SCHEMA_VERSION
from app.bootstrap.ground import SystemClock
from app.domain.answer import AgentName
from app.domain.errors import Conflict
from app.domain.events import Event, EventStatus, Recorded
from app.domain.ids import new_workflow_id
from app.domain.ports import EventLog
from app.observability.metrics import Metrics


@pytest.fixture(params=["memory", "sqlite"])
async def event_log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EventLog]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield MemoryEventLog(SystemClock())
            return
        database = await stack.enter_async_context(
            open_database(tmp_path / "w.sqlite", WORKFLOW_SCHEMA, WORKFLOW_SCHEMA_VERSION)
        )
        yield SqliteEventLog(database, SystemClock(), await read_epoch(database), Metrics())


def said(text: str, *, is_terminal: bool = False) -> Event:
    return Event(
        AgentName.ORCHESTRATOR, EventStatus.WORKING, text, is_terminal=is_terminal, input="in"
    )


async def followed(log: EventLog, workflow_id: str, after: int = 0) -> list[Recorded]:
    seen: list[Recorded] = []
    async with asyncio.timeout(5):
        async for batch in log.follow(workflow_id, after, 1):  # type: ignore[arg-type]
            seen.extend(batch)
    return seen


async def test_positions_count_from_one_without_gaps(event_log: EventLog):
    workflow_id = new_workflow_id()

    await event_log.append(workflow_id, [said("a"), said("b")])
    await event_log.append(workflow_id, [said("c")])

    assert [r.seq for r in await event_log.read(workflow_id, 0, 10)] == [1, 2, 3]
    assert [r.seq for r in await event_log.read(workflow_id, 1, 1)] == [2]


async def test_a_frame_holds_every_key_of_the_contract(event_log: EventLog):
    workflow_id = new_workflow_id()

    (recorded,) = await event_log.append(workflow_id, [said("<b>\u2028\x00 😀\n")])

    frame = orjson.loads(recorded.frame)
    assert b"\n" not in recorded.frame
    assert frame["data"] == frame["message"] == "<b>\u2028\x00 😀\n"
    assert frame["agent"] == frame["agent_name"] == "OrchestratorAgent"
    assert frame["input"] == "in"
    assert frame["output"] == ""
    assert frame["status"] == "WORKING"
    assert frame["timestamp"].endswith("+00:00")
    assert frame["id"] == f"{event_log.epoch}-1"


async def test_everybody_sees_the_same_bytes_whenever_they_come(event_log: EventLog):
    workflow_id = new_workflow_id()
    await event_log.append(workflow_id, [said("before")])

    async with asyncio.TaskGroup() as group:
        early = group.create_task(followed(event_log, workflow_id))
        await asyncio.sleep(0)
        for number in range(300):
            await event_log.append(workflow_id, [said(str(number))])
        midway = group.create_task(followed(event_log, workflow_id, after=150))
        await event_log.append(workflow_id, [said("last", is_terminal=True)])

    late = await followed(event_log, workflow_id)
    frames = [r.frame for r in late]
    assert len(frames) == 302
    assert [r.frame for r in early.result()] == frames
    assert [r.frame for r in midway.result()] == frames[150:]


async def test_nothing_follows_the_terminal_event(event_log: EventLog):
    workflow_id = new_workflow_id()
    await event_log.append(workflow_id, [said("last", is_terminal=True)])

    with pytest.raises(Conflict):
        await event_log.append(workflow_id, [said("more")])

    assert len(await event_log.read(workflow_id, 0, 10)) == 1


async def test_silence_is_told_with_an_empty_batch(event_log: EventLog):
    follower = event_log.follow(new_workflow_id(), 0, 0.01)

    async with asyncio.timeout(5):
        batch = await anext(follower)

    assert len(batch) == 0


async def test_ending_the_streams_ends_a_waiting_follower(event_log: EventLog):
    workflow_id = new_workflow_id()

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = group.create_task(followed(event_log, workflow_id))
        await event_log.append(workflow_id, [said("a")])
        event_log.end_streams()

    assert [r.seq for r in waiting.result()] in ([], [1])
