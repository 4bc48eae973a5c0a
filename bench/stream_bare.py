"""The least that Python can do: one encoding, one write per burst and client, no HTTP library."""

import asyncio
from collections.abc import Sequence

import orjson
import uvloop

from bench.stream_event import event_of
from tests.fakes.publisher import Plan
from tests.fakes.talk import Say, answer_requests, say

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n"
    b"connection: close\r\n\r\n:\n"
)

watching: set[asyncio.WriteTransport] = set()


class Door(asyncio.Protocol):
    """Answers every request with the stream."""

    def connection_made(self, transport: asyncio.WriteTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if b"\r\n\r\n" in data:
            self.transport.write(HEAD)
            watching.add(self.transport)

    def connection_lost(self, error: Exception | None) -> None:
        watching.discard(self.transport)


async def emit(agent: str, texts: Sequence[str]) -> None:
    blocks = b"".join(block_of(event_of(agent, text)) for text in texts)
    for transport in watching:
        transport.write(blocks)


def block_of(event: dict[str, object]) -> bytes:
    return b"id: %b\ndata: %b\n\n" % (str(event["id"]).encode(), orjson.dumps(event))


async def answer(said: Say) -> dict[str, object]:
    return {"published": await Plan(**said["publish"]).publish(emit)}


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Door, "127.0.0.1", 0, backlog=2048)
    say({"port": server.sockets[0].getsockname()[1], "path": "/stream"})
    await answer_requests(answer)


if __name__ == "__main__":
    uvloop.run(main())
