"""Readers that are slow, and readers that have stopped reading."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from app.api.streams.limits import StreamLimits
from app.domain.ids import WorkflowId
from tests.fakes.sse_reader import Dispatched, Parser
from tests.fakes.streaming import Doors, last, memory_log, open_doors, said, until, write, written

STALL_SECONDS = 1.0
SMALL_BUFFER = 4096
EVENTS = 1200
SLOW_BYTES_PER_SECOND = 10_000
SLOW_EVENTS = 60
SLOW_STALL_SECONDS = 2.5
SIP = 1000
TEXT = "x" * 2000
HOPELESS = StreamLimits(stall_seconds=60)


@asynccontextmanager
async def plugged(
    doors: Doors, workflow_id: WorkflowId, query: str = ""
) -> AsyncIterator[socket.socket]:
    """A client with a small buffer, that reads only when it is told to."""
    loop = asyncio.get_running_loop()
    with socket.socket() as plug:
        plug.setblocking(False)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        await loop.sock_connect(plug, ("127.0.0.1", doors.port))
        request = f"GET {doors.path(workflow_id, query)} HTTP/1.1\r\nhost: x\r\n\r\n"
        await loop.sock_sendall(plug, request.encode())
        yield plug


async def read_some(plug: socket.socket, size: int) -> bytes:
    return await asyncio.get_running_loop().sock_recv(plug, size)


def events_in(raw: bytes) -> list[Dispatched]:
    """Of a chunked body that may have been cut."""
    _, _, rest = raw.partition(b"\r\n\r\n")
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size or b"0", 16)]
        rest = rest[int(size or b"0", 16) + 2 :]
    return list(Parser().feed(body))


def seqs(events: list[Dispatched]) -> list[int]:
    return [orjson.loads(event.data)["seq"] for event in events]


async def speak(doors: Doors, workflow_id: WorkflowId) -> None:
    """Far more than any buffer on the way can hold."""
    for _ in range(EVENTS):
        await write(doors.log, workflow_id, said(TEXT))
        await asyncio.sleep(0)
    await write(doors.log, workflow_id, last())


@pytest.mark.parametrize("is_replay", [True, False])
async def test_a_stalled_reader_is_cut_off_and_goes_on_later_without_loss(is_replay: bool):
    async with open_doors(memory_log(), StreamLimits(stall_seconds=STALL_SECONDS)) as doors:
        workflow_id = await written(doors.log, said("begun"))
        if is_replay:
            await speak(doors, workflow_id)
        async with plugged(doors, workflow_id) as plug:
            raw = await read_some(plug, 1000)
            if not is_replay:
                await speak(doors, workflow_id)
            assert doors.server.server_state.connections
            await until(lambda: not doors.server.server_state.connections)
            try:
                while piece := await read_some(plug, 65_536):
                    raw += piece
            except ConnectionResetError:
                pass
        seen = events_in(raw)

        rest = await doors.all_of(workflow_id, last_event_id=seen[-1].id if seen else "")

    assert len(seen) < EVENTS
    assert seqs(seen + rest) == list(range(1, EVENTS + 3))


async def test_a_reader_of_ten_kilobytes_a_second_gets_everything():
    async with open_doors(memory_log(), StreamLimits(stall_seconds=SLOW_STALL_SECONDS)) as doors:
        workflow_id = await written(doors.log, said("begun"))
        async with plugged(doors, workflow_id) as plug, asyncio.timeout(60):
            raw = await read_some(plug, 1000)
            for number in range(SLOW_EVENTS):
                await write(doors.log, workflow_id, said(f"{number} {TEXT}"))
            await write(doors.log, workflow_id, last())
            while not raw.endswith(b"\r\n0\r\n\r\n"):
                # The pace is what is tried.
                await asyncio.sleep(SIP / SLOW_BYTES_PER_SECOND)
                piece = await read_some(plug, SIP)
                assert piece, "it was cut off"
                raw += piece

    assert seqs(events_in(raw)) == list(range(1, SLOW_EVENTS + 3))


async def test_a_reader_that_does_not_read_holds_up_nobody():
    async with open_doors(memory_log(), HOPELESS) as doors:
        workflow_id = await written(doors.log, said("begun"))
        async with plugged(doors, workflow_id), asyncio.TaskGroup() as group:
            others = [group.create_task(doors.all_of(workflow_id)) for _ in range(5)]
            await speak(doors, workflow_id)

    assert all(seqs(other.result()) == list(range(1, EVENTS + 3)) for other in others)


async def test_a_stop_does_not_wait_for_a_reader_that_does_not_read():
    async with open_doors(memory_log(), HOPELESS) as doors:
        workflow_id = await written(doors.log, said("begun"))
        async with plugged(doors, workflow_id):
            await speak(doors, workflow_id)
            doors.stop()
            async with asyncio.timeout(5):
                await until(lambda: not doors.server.server_state.connections)


async def test_what_a_stalled_reader_does_not_take_is_not_kept_for_it():
    async with open_doors(memory_log(), HOPELESS) as doors:
        workflow_id = await written(doors.log, said("begun"))
        async with plugged(doors, workflow_id):
            await speak(doors, workflow_id)
            (connection,) = doors.server.server_state.connections
            assert connection.transport.get_write_buffer_size() <= 64 * 1024
