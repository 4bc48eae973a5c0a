"""The event log as JSON pages, with and without waiting."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from app.domain.events import EventType
from app.domain.ids import WorkflowId
from tests.fakes.streaming import (
    Doors,
    last,
    memory_log,
    open_doors,
    said,
    until,
    write,
    write_later,
    written,
)
from tests.fakes.unreliable_log import UnreliableLog

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors(memory_log()) as opened:
        yield opened


async def asked(doors: Doors, workflow_id: str, **query: str | int) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20) as client:
        return await client.get(doors.events_url(workflow_id), params=query)


async def page(doors: Doors, workflow_id: str, **query: str | int) -> dict[str, Any]:
    answer = await asked(doors, workflow_id, **query)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def turned(doors: Doors, workflow_id: str, **query: str | int) -> list[dict[str, Any]]:
    """All pages of a finished workflow, one after the other."""
    events: list[dict[str, Any]] = []
    after = ""
    while True:
        found = await page(doors, workflow_id, after=after, **query)
        events += found["events"]
        if found["is_over"]:
            return events
        assert found["next"] != after
        after = found["next"]


async def finished(doors: Doors) -> WorkflowId:
    kinds = [EventType.TOKEN, EventType.STATUS]
    return await written(doors.log, *(said(str(n), kinds[n % 2]) for n in range(1, 320)), last())


@pytest.mark.parametrize("limit", [11, 320, 1000])
async def test_the_pages_together_are_what_the_stream_sends(doors: Doors, limit: int):
    workflow_id = await finished(doors)

    events = await turned(doors, workflow_id, limit=limit)

    async with doors.opened(workflow_id) as answer:
        streamed = [event.data async for event in answer.events()]
    assert [str(event["id"]) for event in events] == [f"memory-{n}" for n in range(1, 321)]
    stored = await doors.log.read(workflow_id, 0, 1000)
    assert streamed == [event.frame.decode() for event in stored]
    raw = (await asked(doors, workflow_id, limit=1000)).content
    assert b",".join(event.frame for event in stored) in raw


async def test_a_filtered_walk_gives_what_the_filtered_stream_gives(doors: Doors):
    workflow_id = await finished(doors)

    events = await turned(doors, workflow_id, limit=10, types="token")

    streamed = await doors.all_of(workflow_id, "?types=token")
    assert [event["id"] for event in events] == [event.id for event in streamed]


async def test_a_page_after_an_id_or_a_number(doors: Doors):
    workflow_id = await finished(doors)

    by_id = await page(doors, workflow_id, after="memory-318")
    by_number = await page(doors, workflow_id, after="318")

    assert by_id == by_number
    assert [event["seq"] for event in by_id["events"]] == [319, 320]
    assert by_id["next"] == "memory-320"
    assert by_id["is_over"] is True


async def test_at_the_end_there_is_nothing_and_nobody_waits_for_it(doors: Doors):
    workflow_id = await finished(doors)

    begun = time.monotonic()
    found = await page(doors, workflow_id, after="memory-320", wait=30)

    assert found == {"events": [], "next": "memory-320", "is_over": True}
    assert time.monotonic() - begun < 10


async def test_without_waiting_a_running_workflow_may_have_nothing_new(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    found = await page(doors, workflow_id, after="memory-1")

    assert found == {"events": [], "next": "memory-1", "is_over": False}


async def test_waiting_gives_the_next_event_when_it_comes(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(
            page(doors, workflow_id, after="memory-1", wait=15, types="proposal")
        )
        await until(lambda: b"incident_agents_streams_open 1.0" in doors.fanout.metrics.render())
        async with doors.opened(workflow_id, "?from=now") as witness:
            await write(doors.log, workflow_id, said("not this"))
            await anext(witness.events())
        assert not waiting.done()
        await write(doors.log, workflow_id, said("this", EventType.PROPOSAL))

    assert [event["data"] for event in waiting.result()["events"]] == ["this"]
    assert waiting.result()["next"] == "memory-3"


async def test_waiting_ends_after_its_time_and_the_cursor_passes_nothing_unsent(doors: Doors):
    workflow_id = await written(doors.log, said("a"), said("b"))

    found = await page(doors, workflow_id, after="memory-1", wait="0.2", types="token")

    assert found == {"events": [], "next": "memory-1", "is_over": False}


async def test_waiting_ends_when_the_process_stops():
    async with open_doors(memory_log()) as doors, asyncio.TaskGroup() as group:
        workflow_id = await written(doors.log, said("a"))
        waiting = group.create_task(page(doors, workflow_id, after="memory-1", wait=30))
        await until(lambda: b"incident_agents_streams_open 1.0" in doors.fanout.metrics.render())
        doors.fanout.drain()
        async with asyncio.timeout(10):
            assert (await waiting)["events"] == []


async def test_a_cursor_of_another_log_is_told(doors: Doors):
    workflow_id = await finished(doors)

    found = await page(doors, workflow_id, after="elsewhere-3", limit=2, wait=30)

    assert [event["seq"] for event in found["events"]] == [1, 2]
    assert found["reset"]["first_seq"] == 1
    assert "reset" not in await page(doors, workflow_id, after=found["next"])


async def test_what_retention_has_taken_is_told():
    log = UnreliableLog(memory_log())
    async with open_doors(log) as doors:
        workflow_id = await finished(doors)
        log.first = 300

        found = await page(doors, workflow_id, after="5")

    assert found["reset"]["first_seq"] == 300
    assert [event["seq"] for event in found["events"]] == list(range(300, 321))


async def test_pages_go_on_until_the_outcome_when_asked_to(doors: Doors):
    workflow_id = await written(doors.log, said("a"), last("p"))
    await write_later(doors.log, workflow_id, said("yes", EventType.DECISION))
    waiting = await page(doors, workflow_id, until="outcome")
    await write_later(doors.log, workflow_id, said("good", EventType.OUTCOME))

    assert [event["type"] for event in waiting["events"]] == ["status", "status", "decision"]
    assert waiting["is_over"] is False
    assert len(await turned(doors, workflow_id, until="outcome")) == 4
    assert len(await turned(doors, workflow_id)) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"after": "x"}, 400),
        ({"types": "nonsense"}, 400),
        ({"until": "forever"}, 400),
        ({"from": "later"}, 400),
        ({"last_event_id": "x"}, 400),
        ({"flush_ms": 0}, 422),
        ({"afetr": 1}, 422),
        ({"limit": 0}, 422),
        ({"limit": 1001}, 422),
        ({"wait": 31}, 422),
        ({"wait": "nan"}, 422),
        ({"after": "1" * 70}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused(
    doors: Doors, query: dict[str, str | int], status: int
):
    workflow_id = await written(doors.log, said("a"))

    answer = await asked(doors, workflow_id, **query)

    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_the_parameters_of_the_stream_mean_the_same_here(doors: Doors):
    workflow_id = await written(doors.log, said("a"), said("b"))

    resumed = await page(doors, workflow_id, last_event_id="memory-1")
    skipped = await page(doors, workflow_id, **{"from": "now"})

    assert [event["id"] for event in resumed["events"]] == ["memory-2"]
    assert skipped["events"] == []
    assert skipped["next"] == "memory-2"


async def test_unknown_and_malformed_ids(doors: Doors):
    assert (await asked(doors, str(uuid4()))).status_code == httpx.codes.NOT_FOUND
    malformed = await asked(doors, "not-a-uuid")
    assert malformed.status_code == httpx.codes.BAD_REQUEST
    assert malformed.json() == {"detail": "Invalid workflow ID format"}
