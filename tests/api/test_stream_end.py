"""How event streams end: with the workflow, with the process, and when the log cannot be read."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import orjson
import pytest

from app.api.streams.limits import StreamLimits
from app.domain.events import EventType
from tests.fakes.sse_reader import Cut, Dispatched
from tests.fakes.streaming import (
    Answer,
    Doors,
    answer_of,
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

MANY = 200
EVENT_SOURCE = {"accept": "text/event-stream"}


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    async with open_doors(memory_log()) as opened:
        yield opened


async def types_of(answer: Answer) -> list[str]:
    return [orjson.loads(event.data)["type"] async for event in answer.events()]


def texts(events: list[Dispatched]) -> list[str]:
    return [orjson.loads(event.data)["data"] for event in events]


async def test_the_response_ends_with_the_workflow(doors: Doors):
    workflow_id = await written(doors.log, said("begun"))

    async with doors.opened(workflow_id) as answer:
        await write(doors.log, workflow_id, last())
        begun = time.monotonic()
        events = [event async for event in answer.events()]

    assert texts(events) == ["begun", "over"]
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("query", ["", "?types=token", "?until=outcome"])
async def test_a_cursor_at_the_end_gets_204_and_one_before_it_the_end(doors: Doors, query: str):
    workflow_id = await written(doors.log, said("a"), said("b"), last())

    async with answer_of(
        doors.port, doors.path(workflow_id, query), {"last-event-id": "memory-3"}
    ) as end:
        assert end.status == httpx.codes.NO_CONTENT
    assert texts(await doors.all_of(workflow_id, query, "memory-2")) == ["over"]


async def test_from_now_on_a_finished_workflow_has_nothing(doors: Doors):
    workflow_id = await written(doors.log, last())

    async with doors.opened(workflow_id, "?from=now") as answer:
        assert answer.status == httpx.codes.NO_CONTENT


async def test_until_the_outcome_goes_on_after_the_agents(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with doors.opened(workflow_id, "?until=outcome") as answer:
        await write(doors.log, workflow_id, last("p"))
        await write_later(doors.log, workflow_id, said("yes", EventType.DECISION))
        await write_later(doors.log, workflow_id, said("done", EventType.EXECUTION))
        await write_later(doors.log, workflow_id, said("good", EventType.OUTCOME))
        live = await types_of(answer)

    assert live == ["status", "status", "decision", "execution", "outcome"]
    async with doors.opened(workflow_id, "?until=outcome") as answer:
        assert await types_of(answer) == live
    assert len(await doors.all_of(workflow_id)) == 2


async def test_until_the_outcome_waits_for_a_decision_also_after_a_reconnect(doors: Doors):
    workflow_id = await written(doors.log, said("a"), last("p"))

    async with doors.opened(workflow_id, "?until=outcome", "memory-2") as answer:
        assert answer.status == httpx.codes.OK
        await write_later(doors.log, workflow_id, said("no", EventType.DECISION))
        await write_later(doors.log, workflow_id, said("left", EventType.OUTCOME))
        assert await types_of(answer) == ["decision", "outcome"]

    async with doors.opened(workflow_id, "?until=outcome", "memory-4") as answer:
        assert answer.status == httpx.codes.NO_CONTENT


async def test_until_the_outcome_ends_with_the_agents_when_they_proposed_nothing(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with doors.opened(workflow_id, "?until=outcome") as answer:
        await write(doors.log, workflow_id, last())
        assert await types_of(answer) == ["status", "status"]


async def test_what_follows_the_outcome_is_sent_to_who_comes_after_it(doors: Doors):
    workflow_id = await written(doors.log, said("a"), last("p"))
    await write_later(doors.log, workflow_id, said("good", EventType.OUTCOME))
    async with doors.opened(workflow_id, "?until=outcome") as early:
        assert await types_of(early) == ["status", "status", "outcome"]

    await write_later(doors.log, workflow_id, said("undone", EventType.EXECUTION))

    async with doors.opened(workflow_id, "?until=outcome") as late:
        assert await types_of(late) == ["status", "status", "outcome", "execution"]
    async with doors.opened(workflow_id, "?until=outcome", "memory-3") as resumed:
        assert await types_of(resumed) == ["execution"]
    async with doors.opened(workflow_id, "?until=outcome", "memory-4") as over:
        assert over.status == httpx.codes.NO_CONTENT


async def test_a_filtered_stream_still_sends_what_it_ends_with(doors: Doors):
    workflow_id = await written(doors.log, said("a"), last("p"))
    await write_later(doors.log, workflow_id, said("yes", EventType.DECISION))
    await write_later(doors.log, workflow_id, said("good", EventType.OUTCOME))

    async with doors.opened(workflow_id, "?until=outcome&types=decision") as answer:
        assert await types_of(answer) == ["status", "decision", "outcome"]


async def test_a_stop_ends_every_stream_cleanly_with_all_that_was_said():
    log = memory_log()
    async with open_doors(log) as doors, AsyncExitStack() as stack:
        workflow_id = await written(log, said("begun"))
        streams = []
        for _ in range(MANY):
            answer = await stack.enter_async_context(doors.opened(workflow_id, "?flush_ms=100"))
            streams.append(answer.events())
        begun = [await anext(stream) for stream in streams]
        await write(log, workflow_id, said("last words", EventType.TOKEN))
        doors.stop()
        rest = [[event async for event in stream] for stream in streams]

    assert set(texts(begun)) == {"begun"}
    assert [texts(events) for events in rest] == [["last words"]] * MANY


async def test_while_it_stops_new_streams_get_no_answer_that_would_end_a_browser():
    log = memory_log()
    async with open_doors(log) as doors:
        workflow_id = await written(log, said("begun"))
        doors.fanout.drain()

        with pytest.raises(Cut):
            async with doors.opened(workflow_id):
                raise AssertionError("there must be no answer")


async def test_a_stream_that_is_about_to_begin_when_the_process_stops_ends_at_once():
    log = UnreliableLog(memory_log())
    async with open_doors(log) as doors, asyncio.TaskGroup() as group:
        workflow_id = await written(log, said("begun"))
        log.answers.clear()
        beginning = group.create_task(doors.all_of(workflow_id))
        await until(lambda: log.followed == 1)
        doors.fanout.drain()
        log.answers.set()
        assert len(await beginning) <= 1


async def test_a_storage_that_fails_in_a_replay_ends_it_cleanly_and_it_goes_on_later():
    log = UnreliableLog(memory_log())
    async with open_doors(log) as doors:
        workflow_id = await written(log, *(said("x" * 9000) for _ in range(600)), last())
        async with doors.opened(workflow_id) as answer:
            events = answer.events()
            seen = [await anext(events)]
            log.is_down = True
            seen += [event async for event in events]
        log.is_down = False

        rest = await doors.all_of(workflow_id, last_event_id=seen[-1].id)

    assert 0 < len(seen) < 601
    assert [event.id for event in seen + rest] == [f"memory-{seq}" for seq in range(1, 602)]


async def test_a_storage_that_fails_when_a_client_comes_is_no_reason_to_stay_away():
    log = UnreliableLog(memory_log())
    async with open_doors(log) as doors:
        workflow_id = await written(log, said("begun"))
        path = doors.path(workflow_id)
        log.is_down = True

        for headers in (EVENT_SOURCE, {"last-event-id": "memory-1"}):
            with pytest.raises(Cut):
                async with answer_of(doors.port, path, headers):
                    raise AssertionError("there must be no answer")
        async with httpx.AsyncClient() as client:
            program = await client.get(doors.url + path)

    assert program.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert program.headers["retry-after"]
    assert "database" in program.json()["detail"]


async def test_there_is_a_bound_on_open_streams_and_leaving_makes_room():
    log = memory_log()
    async with open_doors(log, StreamLimits(most_open=2)) as doors:
        workflow_id = await written(log, said("begun"))
        path = doors.path(workflow_id)
        async with doors.opened(workflow_id), doors.opened(workflow_id):
            with pytest.raises(Cut):
                async with answer_of(doors.port, path, EVENT_SOURCE):
                    raise AssertionError("there must be no answer")
            async with httpx.AsyncClient() as client:
                program = await client.get(doors.url + path)
        await write(log, workflow_id, last())
        await until(lambda: not doors.server.server_state.connections)

        assert len(await doors.all_of(workflow_id)) == 2

    assert program.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert program.headers["retry-after"]
