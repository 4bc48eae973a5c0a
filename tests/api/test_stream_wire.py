"""What stands on the wire of the event stream."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from uuid import uuid4

import httpx
import orjson
import pytest
import pytest_asyncio

from app.api.streams.limits import StreamLimits
from app.domain.events import EventType
from tests.fakes.sse_reader import Parser
from tests.fakes.streaming import (
    LIMIT_SECONDS,
    Answer,
    Doors,
    answer_of,
    last,
    memory_log,
    open_doors,
    said,
    write,
    written,
)

HOSTILE = [
    "two\nlines",
    "return\rfeed\r\nboth\n\n",
    "\u2028 and \u2029 and \x85 and \x0b\x0c\x1c",
    "\x00 \x01 \x7f \ufeff",
    " leading and trailing ",
    "data: id: event: retry: 1\n\nid: 9\n\n",
    "\N{SPARKLES}\N{FAMILY} \u0065\u0301",
    "",
]
QUICK = StreamLimits(heartbeat_seconds=0.1)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors(memory_log(), QUICK) as opened:
        yield opened


async def test_the_first_byte_comes_at_once_though_nothing_happens(doors: Doors):
    workflow_id = await written(doors.log, said("begun"))

    async with asyncio.timeout(1), doors.opened(workflow_id, "?from=now") as answer:
        assert (await anext(answer.pieces())).startswith(b":\n")


async def test_a_client_of_http_1_0_gets_no_chunks_and_the_close_is_the_end(doors: Doors):
    workflow_id = await written(doors.log, said("begun"))

    async with asyncio.timeout(LIMIT_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", doors.port)
        writer.write(f"GET {doors.path(workflow_id)} HTTP/1.0\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        begun = await reader.readuntil(b"\n\n")
        await write(doors.log, workflow_id, last())
        rest = await reader.read()
        writer.close()

    parser = Parser()
    events = [*parser.feed(begun), *parser.feed(rest)]
    assert b"transfer-encoding" not in head
    assert b"\r" not in begun + rest
    assert [orjson.loads(event.data)["seq"] for event in events] == [1, 2]


async def test_headers_keep_caches_and_proxies_from_touching_it(doors: Doors):
    workflow_id = await written(doors.log, said("begun"))

    async with doors.opened(workflow_id) as answer:
        headers = answer.headers

    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert headers["stream-resumed-from"] == "start"
    assert "content-encoding" not in headers


async def test_head_answers_the_same_headers_and_nothing_else(doors: Doors):
    workflow_id = await written(doors.log, said("begun"), last())
    path = doors.path(workflow_id, "?last_event_id=memory-1")

    async with answer_of(doors.port, path, {"connection": "close"}, "HEAD") as head:
        rest = await head.rest()
    async with answer_of(doors.port, path) as got:
        pass

    assert head.status == got.status == 200
    ignored = {"connection", "date"}
    assert {k: v for k, v in head.headers.items() if k not in ignored} == {
        k: v for k, v in got.headers.items() if k not in ignored
    }
    assert rest == b""


@pytest.mark.parametrize("split", range(1, 4))
async def test_any_text_survives_wherever_the_bytes_are_split(doors: Doors, split: int):
    workflow_id = await written(doors.log, *(said(text) for text in HOSTILE), last())

    async with doors.opened(workflow_id) as answer:
        body = await answer.body()

    parser = Parser()
    pieces = [body[place : place + split] for place in range(0, len(body), split)]
    events = [event for piece in pieces for event in parser.feed(piece)]
    assert [orjson.loads(event.data)["data"] for event in events] == [*HOSTILE, "over"]


async def test_clients_that_split_lines_at_every_sign_there_is_get_whole_events(doors: Doors):
    workflow_id = await written(doors.log, *(said(text) for text in HOSTILE), last())

    async with doors.opened(workflow_id) as answer:
        lines = (await answer.body()).decode().splitlines()

    data = [orjson.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data:")]
    assert [event["data"] for event in data] == [*HOSTILE, "over"]


async def test_a_cut_at_any_byte_loses_no_event_that_was_complete(doors: Doors):
    workflow_id = await written(doors.log, *(said(text) for text in HOSTILE), last())
    async with doors.opened(workflow_id) as answer:
        body = await answer.body()
    whole = list(Parser().feed(body))

    for place in range(len(body)):
        parser = Parser()
        before = list(parser.feed(body[:place]))
        after = list(parser.feed(body[place:]))
        assert before + after == whole


async def test_named_events_carry_their_type_and_status_events_are_unnamed(doors: Doors):
    kinds = [kind for kind in EventType if kind is not EventType.OUTCOME]
    workflow_id = await written(doors.log, *(said(kind, kind) for kind in kinds), last())

    events = await doors.all_of(workflow_id)

    assert [event.event for event in events[1:-1]] == [kind.value for kind in kinds[1:]]
    assert {events[0].event, events[-1].event} == {"message"}
    assert [orjson.loads(event.data)["type"] for event in events] == [*kinds, "status"]
    assert [event.id for event in events] == [orjson.loads(event.data)["id"] for event in events]


async def test_one_retry_stands_in_the_first_block_and_differs_between_connections(doors: Doors):
    workflow_id = await written(doors.log, said("a"), said("b"), last())
    retries = []

    for _ in range(12):
        async with doors.opened(workflow_id) as answer:
            body = await answer.body()
        parser = Parser()
        list(parser.feed(body))
        assert len(parser.retries) == 1
        assert b"\nretry: " in body.split(b"\n\n")[0]
        retries += parser.retries

    assert len(set(retries)) > 1
    assert all(1000 <= retry <= 3000 for retry in retries)


async def test_heartbeats_break_a_silence_and_are_no_events(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with doors.opened(workflow_id, "?from=now") as answer:
        pieces = answer.pieces()
        greeting = await anext(pieces)
        beats = [await anext(pieces) for _ in range(3)]
        await write(doors.log, workflow_id, last())
        rest = b"".join([piece async for piece in pieces])

    assert beats == [b":\n"] * 3
    assert len(list(Parser().feed(greeting + b"".join(beats) + rest))) == 1


async def test_a_filter_is_silent_but_its_connection_is_not(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with doors.opened(workflow_id, "?types=proposal") as answer:
        pieces = answer.pieces()
        await anext(pieces)
        for number in range(5):
            await write(doors.log, workflow_id, said(str(number)))
        assert await anext(pieces) == b":\n"


async def test_an_event_of_a_mebibyte_arrives(doors: Doors):
    text = "x" * 1024 * 1024
    workflow_id = await written(doors.log, said("small"))

    async with doors.opened(workflow_id) as answer:
        events = answer.events()
        await anext(events)
        await write(doors.log, workflow_id, said(text), last())
        live = [orjson.loads(event.data)["data"] async for event in events]

    assert live == [text, "over"]
    assert [orjson.loads(event.data)["data"] for event in await doors.all_of(workflow_id)] == [
        "small",
        *live,
    ]


async def test_gzip_is_accepted_and_not_used(doors: Doors):
    workflow_id = await written(doors.log, said("a"), last())

    path = doors.path(workflow_id)
    async with answer_of(doors.port, path, {"accept-encoding": "gzip, br"}) as answer:
        body = await answer.body()

    assert "content-encoding" not in answer.headers
    assert body.startswith(b":\n")


async def test_each_event_comes_within_200_ms_where_gzip_is_accepted(doors: Doors):
    workflow_id = await written(doors.log, said("begun"))

    path = doors.path(workflow_id)
    async with answer_of(doors.port, path, {"accept-encoding": "gzip, br"}) as answer:
        events = answer.events()
        await anext(events)
        for kind in [EventType.STATUS, EventType.TOKEN] * 5:
            await write(doors.log, workflow_id, said("live", kind))
            async with asyncio.timeout(0.2):
                await anext(events)


@pytest.mark.parametrize("flush", ["", "&flush_ms=0", "&flush_ms=100"])
async def test_events_that_come_together_stay_in_order_however_they_are_written(
    doors: Doors, flush: str
):
    workflow_id = await written(doors.log, said("a"))

    async with doors.opened(workflow_id, f"?from=start{flush}") as answer:
        events = answer.events()
        await anext(events)
        for number in range(50):
            await write(doors.log, workflow_id, said(str(number), EventType.TOKEN))
            # Some come together and some apart: both ways of writing are to be tried.
            await asyncio.sleep(0.001 * (number % 3))
        await write(doors.log, workflow_id, last())
        seqs = [orjson.loads(event.data)["seq"] async for event in events]

    assert all(later == earlier + 1 for earlier, later in pairwise([1, *seqs]))
    assert seqs[-1] == 52


async def pieces_of(answer: Answer, events: int) -> int:
    """In how many writes so many events came."""
    pieces, seen = 0, 0
    async for piece in answer.pieces():
        pieces += 1
        seen += piece.count(b"\n\n")
        if seen == events:
            return pieces
    raise AssertionError(f"the stream ended after {seen} events")


async def test_pieces_of_an_answer_are_written_together(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with doors.opened(workflow_id, "?flush_ms=100") as answer:
        await pieces_of(answer, 1)
        for number in range(200):
            await write(doors.log, workflow_id, said(str(number), EventType.TOKEN))
            await asyncio.sleep(0)
        pieces = await pieces_of(answer, 200)

    assert pieces < 20


async def test_many_readers_get_more_at_a_time(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with AsyncExitStack() as stack:
        answers = [
            await stack.enter_async_context(doors.opened(workflow_id, "?types=token"))
            for _ in range(100)
        ]
        began = time.monotonic()
        for number in range(20):
            await write(doors.log, workflow_id, said(str(number), EventType.TOKEN))
            for answer in answers:
                await pieces_of(answer, 1)
        seconds = time.monotonic() - began

    assert seconds > 19 * 0.03


async def test_a_status_does_not_wait_for_more(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with doors.opened(workflow_id, "?flush_ms=100") as answer:
        await pieces_of(answer, 1)
        began = time.monotonic()
        for number in range(20):
            await write(doors.log, workflow_id, said(str(number), EventType.TOKEN))
            await pieces_of(answer, 1)
        of_tokens = time.monotonic() - began

        began = time.monotonic()
        for number in range(20):
            await write(doors.log, workflow_id, said(str(number)))
            await pieces_of(answer, 1)
        of_statuses = time.monotonic() - began

    assert of_statuses < of_tokens / 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?last_event_id=x", "Last-Event-ID"),
        ("?last_event_id=" + "e" * 64 + "-1", "Last-Event-ID"),
        ("?last_event_id=e-%D9%A3", "Last-Event-ID"),
        ("?from=here", "from"),
        ("?types=status,nonsense", "types"),
        ("?types=", "types"),
        ("?until=forever", "until"),
        ("?flush_ms=101", "flush_ms"),
        ("?flush_ms=-1", "flush_ms"),
        ("?flush_ms=1.5", "flush_ms"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_sentence(doors: Doors, query: str, words: str):
    workflow_id = await written(doors.log, said("a"))

    async with httpx.AsyncClient() as client:
        answer = await client.get(doors.url + doors.path(workflow_id, query))

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert words in answer.json()["detail"]


async def test_unknown_and_malformed_ids(doors: Doors):
    async with httpx.AsyncClient() as client:
        unknown = await client.get(doors.url + doors.path(str(uuid4())))
        malformed = await client.get(doors.url + doors.path("not-a-uuid"))

    assert unknown.status_code == httpx.codes.NOT_FOUND
    assert malformed.status_code == httpx.codes.BAD_REQUEST
    assert malformed.json() == {"detail": "Invalid workflow ID format"}


async def test_an_id_may_be_spelt_in_any_way_that_a_uuid_can(doors: Doors):
    workflow_id = await written(doors.log, said("a"), last())

    events = await doors.all_of(workflow_id.upper())

    assert len(events) == 2


async def test_a_stream_is_only_read(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with httpx.AsyncClient() as client:
        answer = await client.post(doors.url + doors.path(workflow_id))

    assert answer.status_code == httpx.codes.METHOD_NOT_ALLOWED
    assert answer.headers["allow"] == "GET, HEAD"
