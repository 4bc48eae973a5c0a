"""The same streams on a server that keeps its connections to itself, as any ASGI server may."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from websockets.asyncio.client import connect

from app.api.streams.limits import StreamLimits
from app.domain.events import EventType
from tests.fakes.sse_reader import Dispatched
from tests.fakes.streaming import Doors, last, memory_log, open_doors, said, write, written

QUICK = StreamLimits(heartbeat_seconds=0.1)
MUCH = 1500


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    async with open_doors(memory_log(), QUICK, is_plain=True) as opened:
        yield opened


def seqs(events: list[Dispatched]) -> list[int]:
    return [orjson.loads(event.data)["seq"] for event in events]


async def test_replayed_and_live_events_come_in_order(doors: Doors):
    workflow_id = await written(doors.log, *(said("x" * 500) for _ in range(500)))

    async with doors.opened(workflow_id) as answer:
        events = answer.events()
        seen = [await anext(events) for _ in range(500)]
        for number in range(100):
            await write(doors.log, workflow_id, said(str(number), EventType.TOKEN))
            await asyncio.sleep(0)
        await write(doors.log, workflow_id, last())
        seen += [event async for event in events]

    assert seqs(seen) == list(range(1, 602))


async def test_a_reader_that_pauses_falls_behind_and_comes_back(doors: Doors):
    workflow_id = await written(doors.log, said("begun"))

    async with doors.opened(workflow_id) as answer:
        events = answer.events()
        seen = [await anext(events)]
        for _ in range(MUCH):
            await write(doors.log, workflow_id, said("x" * 3000))
            await asyncio.sleep(0)
        await write(doors.log, workflow_id, last())
        seen += [event async for event in events]

    assert seqs(seen) == list(range(1, MUCH + 3))


async def test_heartbeats_and_a_clean_end(doors: Doors):
    workflow_id = await written(doors.log, said("begun"))

    async with doors.opened(workflow_id, "?from=now") as answer:
        pieces = answer.pieces()
        await anext(pieces)
        assert await anext(pieces) == b":\n"
        doors.stop()
        rest = [piece async for piece in pieces]

    assert set(rest) <= {b":\n"}


async def test_a_refusal_is_answered_where_nobody_can_hang_up(doors: Doors):
    workflow_id = await written(doors.log, said("begun"))
    doors.fanout.drain()

    async with doors.opened(workflow_id) as answer:
        assert answer.status == 429


async def test_over_web_socket_too(doors: Doors):
    workflow_id = await written(doors.log, said("begun"), last())

    async with connect(doors.socket_url(workflow_id), proxy=None) as socket:
        await socket.send("{}")
        messages = [orjson.loads(message)["seq"] async for message in socket]

    assert messages == [1, 2]
