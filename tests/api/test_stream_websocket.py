"""The event stream over WebSocket."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.api.streams.limits import StreamLimits
from app.domain.events import EventType
from tests.fakes.streaming import (
    LIMIT_SECONDS,
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

FOREIGN = [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}]
OWN = [{}, {"origin": "http://127.0.0.1:8501"}, {"sec-fetch-site": "same-origin"}]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors(memory_log()) as opened:
        yield opened


@asynccontextmanager
async def plugged(
    doors: Doors, workflow_id: str, headers: dict[str, str] | None = None
) -> AsyncIterator[ClientConnection]:
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        connect(
            doors.socket_url(workflow_id),
            additional_headers=headers,
            proxy=None,
            ping_interval=None,
        ) as socket,
    ):
        yield socket


async def rest_of(socket: ClientConnection) -> list[str]:
    """Every message up to the close."""
    messages = []
    try:
        while True:
            message = await socket.recv()
            assert isinstance(message, str)
            messages.append(message)
    except ConnectionClosed:
        return messages


async def all_of(doors: Doors, workflow_id: str, **wish: object) -> tuple[list[str], int | None]:
    async with plugged(doors, workflow_id) as socket:
        await socket.send(orjson.dumps(wish).decode())
        return await rest_of(socket), socket.close_code


def seqs(messages: list[str]) -> list[int]:
    return [frame["seq"] for frame in map(orjson.loads, messages) if frame["type"] != "reset"]


async def test_each_event_is_a_message_with_the_bytes_of_the_stream(doors: Doors):
    workflow_id = await written(doors.log, *(said(f"{n}\u2028\n") for n in range(300)), last())

    messages, code = await all_of(doors, workflow_id)

    assert messages == [event.data for event in await doors.all_of(workflow_id)]
    assert code == 1000


async def test_live_events_come_as_they_are_said(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with plugged(doors, workflow_id) as socket:
        await socket.send("{}")
        messages = [str(await socket.recv())]
        for number in range(20):
            await write(doors.log, workflow_id, said(str(number), EventType.TOKEN))
            messages.append(str(await socket.recv()))
        await write(doors.log, workflow_id, last())
        messages += await rest_of(socket)

    assert seqs(messages) == list(range(1, 23))
    assert socket.close_code == 1000


async def test_a_client_goes_on_after_the_last_id_it_has(doors: Doors):
    workflow_id = await written(doors.log, *(said(str(n)) for n in range(5)), last())

    messages, _ = await all_of(doors, workflow_id, last_event_id="memory-3")

    assert seqs(messages) == [4, 5, 6]


@pytest.mark.parametrize(
    ("query", "headers", "frame", "expected"),
    [
        ("?last_event_id=memory-3", {}, {}, [4, 5, 6]),
        ("", {"last-event-id": "memory-3"}, {}, [4, 5, 6]),
        ("?last_event_id=memory-3", {}, {"last_event_id": "memory-4"}, [5, 6]),
        ("?types=token", {}, {"flush_ms": 0}, [6]),
    ],
)
async def test_what_the_first_frame_leaves_out_is_taken_from_the_address(
    doors: Doors,
    query: str,
    headers: dict[str, str],
    frame: dict[str, object],
    expected: list[int],
):
    workflow_id = await written(doors.log, *(said(str(n)) for n in range(5)), last())

    async with (
        asyncio.timeout(LIMIT_SECONDS),
        connect(
            doors.socket_url(workflow_id) + query, additional_headers=headers, proxy=None
        ) as socket,
    ):
        await socket.send(orjson.dumps(frame).decode())
        assert seqs(await rest_of(socket)) == expected


async def test_at_the_end_it_is_closed_at_once(doors: Doors):
    workflow_id = await written(doors.log, said("a"), last())

    assert await all_of(doors, workflow_id, last_event_id="memory-2") == ([], 1000)


@pytest.mark.parametrize("types", ["token,proposal", ["token", "proposal"]])
async def test_types_filter(doors: Doors, types: object):
    kinds = [EventType.TOKEN, EventType.STATUS, EventType.PROPOSAL]
    workflow_id = await written(doors.log, *(said(kind, kind) for kind in kinds), last())

    messages, _ = await all_of(doors, workflow_id, types=types)

    assert seqs(messages) == [1, 3, 4]


async def test_from_now_until_the_outcome(doors: Doors):
    workflow_id = await written(doors.log, said("a"), last("p"))

    async with plugged(doors, workflow_id) as socket:
        await socket.send('{"from":"now","until":"outcome","types":null}')
        await socket.send('{"type":"ping"}')
        assert await socket.recv() == '{"type":"pong"}'
        await write_later(doors.log, workflow_id, said("yes", EventType.DECISION))
        await write_later(doors.log, workflow_id, said("good", EventType.OUTCOME))
        assert seqs(await rest_of(socket)) == [3, 4]

    assert socket.close_code == 1000


async def test_a_cursor_of_another_log_is_told_and_gets_everything(doors: Doors):
    workflow_id = await written(doors.log, said("a"), last())

    messages, _ = await all_of(doors, workflow_id, last_event_id="elsewhere-7")

    reset = orjson.loads(messages[0])
    assert reset["type"] == "reset"
    assert reset["first_seq"] == 1
    assert seqs(messages) == [1, 2]


async def test_pings_are_answered_also_while_much_is_replayed(doors: Doors):
    workflow_id = await written(doors.log, *(said("x" * 5000) for _ in range(500)), last("p"))

    async with plugged(doors, workflow_id) as socket:
        await socket.send('{"until":"outcome"}')
        await socket.send('{"type":"ping"}')
        messages: list[Any] = [await socket.recv() for _ in range(502)]

    assert messages.count('{"type":"pong"}') == 1
    messages.remove('{"type":"pong"}')
    assert seqs(messages) == list(range(1, 502))


async def test_a_ping_that_comes_while_old_events_are_looked_up_is_answered():
    log = UnreliableLog(memory_log())
    async with open_doors(log) as doors:
        workflow_id = await written(log, said("a"))
        log.turns_pages.clear()
        async with plugged(doors, workflow_id) as socket:
            await socket.send("{}")
            await until(lambda: log.reads == 1)
            await socket.send('{"type":"ping"}')
            # The server answers this by itself, after it has read what came before.
            await (await socket.ping())
            log.turns_pages.set()
            messages = {await socket.recv(), await socket.recv()}

    assert '{"type":"pong"}' in messages


@pytest.mark.parametrize(
    ("frame", "code", "words"),
    [
        ("nonsense", 1003, "JSON"),
        ("[]", 1003, "object"),
        (b"\x00\x01", 1003, "text"),
        ('{"last_id":"x"}', 1003, "last_event_id"),
        ('{"types":"nonsense"}', 4400, "types"),
        ('{"types":[1]}', 4400, "types"),
        ('{"from":5}', 4400, "from"),
        ('{"last_event_id":"x"}', 4400, "Last-Event-ID"),
        ('{"types":"' + "x" * 5000 + '"}', 1009, "4096"),
        ('{"types":"' + "x" * 50_000 + '"}', 1009, ""),
    ],
)
async def test_a_first_frame_that_makes_no_sense_closes_with_a_reason(
    doors: Doors, frame: str | bytes, code: int, words: str
):
    workflow_id = await written(doors.log, said("a"))

    async with plugged(doors, workflow_id) as socket:
        await socket.send(frame)
        assert await rest_of(socket) == []

    assert socket.close_code == code
    assert words in (socket.close_reason or "")
    assert socket.close_reason


@pytest.mark.parametrize(("frame", "code"), [("{}", 1003), ("nonsense", 1003), ("x" * 5000, 1009)])
async def test_only_pings_are_understood_later(doors: Doors, frame: str, code: int):
    workflow_id = await written(doors.log, said("a"))

    async with plugged(doors, workflow_id) as socket:
        await socket.send("{}")
        await socket.recv()
        await socket.send(frame)
        assert await rest_of(socket) == []

    assert socket.close_code == code
    assert socket.close_reason


async def test_a_client_that_says_nothing_is_sent_away():
    async with open_doors(memory_log(), StreamLimits(first_frame_seconds=0.1)) as doors:
        workflow_id = await written(doors.log, said("a"))
        async with plugged(doors, workflow_id) as socket:
            assert await rest_of(socket) == []

    assert socket.close_code == 1008
    assert "first frame" in (socket.close_reason or "")


@pytest.mark.parametrize(
    ("workflow_id", "code"), [("8a0c3d6e-0000-4000-8000-000000000000", 4404), ("not-a-uuid", 4400)]
)
async def test_unknown_and_malformed_ids(doors: Doors, workflow_id: str, code: int):
    async with plugged(doors, workflow_id) as socket:
        assert await rest_of(socket) == []

    assert socket.close_code == code
    assert socket.close_reason


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_foreign_page_cannot_connect(
    doors: Doors, headers: dict[str, str], caplog: pytest.LogCaptureFixture
):
    workflow_id = await written(doors.log, said("a"))

    with pytest.raises(InvalidStatus) as refused:
        async with plugged(doors, workflow_id, headers):
            raise AssertionError("it must be refused")

    assert refused.value.response.status_code == 403
    detail = {"detail": "Another web page may not do this."}
    assert orjson.loads(refused.value.response.body) == detail
    await until(lambda: not doors.server.server_state.tasks)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("headers", OWN)
async def test_programs_and_our_own_page_can_connect(doors: Doors, headers: dict[str, str]):
    workflow_id = await written(doors.log, last())

    async with plugged(doors, workflow_id, headers) as socket:
        await socket.send("{}")
        assert len(await rest_of(socket)) == 1


async def test_a_stop_says_that_the_server_goes_away():
    async with open_doors(memory_log()) as doors:
        workflow_id = await written(doors.log, said("a"))
        async with plugged(doors, workflow_id) as socket:
            await socket.send("{}")
            await socket.recv()
            doors.stop()
            assert await rest_of(socket) == []

    assert socket.close_code == 1001


async def test_while_it_stops_new_clients_are_told_so():
    async with open_doors(memory_log()) as doors:
        workflow_id = await written(doors.log, said("a"))
        doors.fanout.drain()
        async with plugged(doors, workflow_id) as socket:
            assert await rest_of(socket) == []

    assert socket.close_code == 1001


async def test_a_log_that_cannot_be_read_is_a_reason_to_come_again():
    log = UnreliableLog(memory_log())
    async with open_doors(log) as doors:
        workflow_id = await written(log, said("a"))
        log.is_down = True
        async with plugged(doors, workflow_id) as socket:
            assert await rest_of(socket) == []

    assert socket.close_code == 1013


async def test_the_bound_on_open_streams_holds_here_too():
    async with open_doors(memory_log(), StreamLimits(most_open=1)) as doors:
        workflow_id = await written(doors.log, said("a"))
        async with plugged(doors, workflow_id) as first:
            await first.send("{}")
            await first.recv()
            async with plugged(doors, workflow_id) as second:
                assert await rest_of(second) == []

    assert second.close_code == 1013


async def test_a_client_that_leaves_is_forgotten(doors: Doors):
    workflow_id = await written(doors.log, said("a"))

    async with plugged(doors, workflow_id) as socket:
        await socket.send("{}")
        await socket.recv()

    await until(lambda: not doors.server.server_state.tasks)
