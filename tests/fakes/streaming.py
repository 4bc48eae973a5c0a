"""The stream's doors on a real socket in the test's own event loop, and a client for them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import APIRouter

from app.adapters.storage.memory import MemoryEventLog
from app.api.errors import add_error_pages
from app.api.streams import json_door
from app.api.streams.doors import StreamingApplication
from app.api.streams.fanout import Fanout, open_fanout
from app.api.streams.limits import DEFAULT_LIMITS, StreamLimits
from app.bootstrap.ground import SystemClock
from app.cli.binding import bind
from app.cli.server import SignalledServer
from app.domain.answer import AgentName
from app.domain.events import Event, EventStatus, EventType, Latecomer
from app.domain.ids import ProcessId, WorkflowId, new_workflow_id
from app.domain.ports import EventLog
from app.domain.workflow import Claim
from app.observability.metrics import Metrics
from tests.fakes.servers import free_port
from tests.fakes.sse_reader import Cut, Dispatched, Parser
from tests.fakes.waiting import until as until

CLAIM = Claim(ProcessId("test"), 1)
LIMIT_SECONDS = 20.0
PIECE = 65_536
GRACE_SECONDS = 2


def said(text: str, kind: EventType = EventType.STATUS) -> Event:
    """An event that ends nothing."""
    return Event(AgentName.ORCHESTRATOR, EventStatus.WORKING, text, kind)


def last(*proposals: str) -> Event:
    """The terminal event of a run that proposed this."""
    outcome = {"state": "completed", "proposals": [{"approval_id": name} for name in proposals]}
    return Event(
        AgentName.ORCHESTRATOR, EventStatus.COMPLETED, "over", is_terminal=True, outcome=outcome
    )


def memory_log() -> MemoryEventLog:
    """A log that starts empty."""
    return MemoryEventLog(SystemClock())


async def write(log: EventLog, workflow_id: WorkflowId, *events: Event) -> None:
    """As the run does it, one after the other."""
    await log.append(workflow_id, events, CLAIM)


async def write_later(log: EventLog, workflow_id: WorkflowId, *events: Event) -> None:
    """As the approval side does it, once the agents are done."""
    seen = (await log.bounds(workflow_id)).last
    await log.append(workflow_id, events, Latecomer(seen))


async def written(log: EventLog, *events: Event) -> WorkflowId:
    """A new workflow that has said this."""
    workflow_id = new_workflow_id()
    await write(log, workflow_id, *events)
    return workflow_id


@dataclass(frozen=True, slots=True)
class Doors:
    """Where they are, and what is behind."""

    log: EventLog
    fanout: Fanout
    server: uvicorn.Server
    port: int

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """As a signal would."""
        self.fanout.drain()
        self.server.should_exit = True

    def path(self, workflow_id: str, query: str = "") -> str:
        """The event stream's."""
        return f"/api/v1/workflows/{workflow_id}/stream{query}"

    def events_url(self, workflow_id: str) -> str:
        """The JSON pages' address."""
        return f"{self.url}/api/v1/workflows/{workflow_id}/events"

    def socket_url(self, workflow_id: str) -> str:
        """The WebSocket's address."""
        return f"ws://127.0.0.1:{self.port}/api/v1/workflows/{workflow_id}/ws"

    def opened(
        self, workflow_id: str, query: str = "", last_event_id: str = ""
    ) -> AbstractAsyncContextManager["Answer"]:
        """A client of the event stream; a context manager."""
        headers = {"last-event-id": last_event_id} if last_event_id else {}
        return answer_of(self.port, self.path(workflow_id, query), headers)

    async def all_of(
        self, workflow_id: str, query: str = "", last_event_id: str = ""
    ) -> list[Dispatched]:
        """Every event up to the end of the response."""
        async with self.opened(workflow_id, query, last_event_id) as answer:
            assert answer.status == 200, answer.status
            return [event async for event in answer.events()]


class Answer:
    """A response whose head has come."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str
    ) -> None:
        """Status and headers are in the head."""
        first, *lines = head.split("\r\n")
        self.status = int(first.split()[1])
        pairs = (line.partition(":") for line in lines if line)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}
        self.writer = writer
        self._reader = reader

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, a chunk at a time; raises Cut when it breaks off."""
        try:
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                piece = await self._reader.readexactly(size + 2)
                yield piece[:-2]
            await self._reader.readexactly(2)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Cut from error

    async def body(self) -> bytes:
        """All of it."""
        return b"".join([piece async for piece in self.pieces()])

    async def events(self, parser: Parser | None = None) -> AsyncIterator[Dispatched]:
        """As a browser would dispatch them."""
        parser = parser or Parser()
        async for piece in self.pieces():
            for event in parser.feed(piece):
                yield event

    async def rest(self) -> bytes:
        """What comes until the connection ends, without any framing."""
        return await self._reader.read()


@asynccontextmanager
async def answer_of(
    port: int,
    path: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> AsyncIterator[Answer]:
    """Ask and read the head; raises Cut when there is none."""
    async with asyncio.timeout(LIMIT_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=PIECE)
        try:
            lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
            lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            yield Answer(reader, writer, await _head(reader))
        finally:
            writer.transport.abort()


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip()
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise Cut from error


@asynccontextmanager
async def open_doors(
    log: EventLog, limits: StreamLimits = DEFAULT_LIMITS, *, is_plain: bool = False
) -> AsyncIterator[Doors]:
    """Served as the product serves them; or by a plain server, that lends no connection."""
    app = StreamingApplication()
    add_error_pages(app)
    version_1 = APIRouter(prefix="/api/v1")
    version_1.include_router(json_door.router)
    app.include_router(version_1)
    with bind("127.0.0.1", free_port(), "PORT") as listener:
        async with (
            asyncio.TaskGroup() as group,
            open_fanout(log, limits, Metrics()) as app.state.fanout,
        ):
            server = (
                uvicorn.Server(uvicorn.Config(app, http="h11", log_config=None))
                if is_plain
                else SignalledServer(app, app.end_streams, grace_seconds=GRACE_SECONDS)
            )
            serving = group.create_task(server.serve(sockets=[listener]))
            try:
                yield Doors(log, app.state.fanout, server, listener.getsockname()[1])
            finally:
                app.end_streams()
                server.should_exit = True
                await serving
