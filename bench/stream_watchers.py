"""Many clients of a stream in one process, which counts what they get as cheaply as can be.

Requests: `connect` (so many, `stalled` of them never read on), `until` (each has so many events),
`count`, `take_latencies` (of events whose text is the time they were published), `drop`, `churn`.
"""

import asyncio
import re
import socket
import time

import uvloop

from bench.figures import percentile
from tests.fakes.talk import Say, answer_requests, say

END = b"\n\n"
"""Ends an event; what is compared here uses no other line ends in its blocks."""
STAMP = re.compile(rb't=(\d+) "')
SMALL_BUFFER = 4096
AT_ONCE = 200
LIMIT_SECONDS = 50.0

shared = bytearray(262_144)
view = memoryview(shared)


class Watcher(asyncio.BufferedProtocol):
    """One client: counts events, keeps nothing."""

    def __init__(self, request: bytes, crowd: "Crowd", *, has_stalled: bool) -> None:
        self.request = request
        self.crowd = crowd
        self.has_stalled = has_stalled
        self.is_ready = False
        self.ended_with_newline = False
        self.events = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.write(self.request)

    def get_buffer(self, sizehint: int) -> bytearray:
        return shared

    def buffer_updated(self, size: int) -> None:
        arrived = time.monotonic_ns()
        if not self.is_ready:
            self.begin(size)
        self.events += shared.count(END, 0, size)
        self.events += self.ended_with_newline and shared[0] == 10
        self.ended_with_newline = shared[size - 1] == 10
        if self.events >= self.crowd.goal:
            self.crowd.is_reached.set()
        if self.crowd.keeps_latencies:
            stamps = STAMP.findall(view[:size])
            self.crowd.latencies += [arrived - int(stamp) for stamp in stamps]

    def begin(self, size: int) -> None:
        assert shared.startswith(b"HTTP/1.1 200"), bytes(view[: min(size, 500)])
        self.is_ready = True
        self.crowd.ready += 1
        if self.crowd.ready == self.crowd.expected:
            self.crowd.are_ready.set()
        if self.has_stalled:
            self.transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.crowd.lost += 1
        self.crowd.is_reached.set()


class Crowd:
    """All of them."""

    def __init__(self) -> None:
        self.watchers: list[Watcher] = []
        self.expected = 0
        self.ready = 0
        self.are_ready = asyncio.Event()
        self.lost = 0
        self.goal = 1 << 62
        self.is_reached = asyncio.Event()
        self.keeps_latencies = False
        self.latencies: list[int] = []

    @property
    def reading(self) -> list[Watcher]:
        return [watcher for watcher in self.watchers if not watcher.has_stalled]

    async def connect(self, port: int, path: str, count: int, stalled: int) -> None:
        request = b"GET %b HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n"
        self.expected = count
        places = asyncio.Semaphore(AT_ONCE)

        async def connect_one(*, stalls: bool) -> None:
            async with places:
                plug = socket.socket()
                plug.setblocking(False)  # noqa: FBT003 - its only parameter
                if stalls:
                    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(plug, ("127.0.0.1", port))
                watcher = Watcher(request % path.encode(), self, has_stalled=stalls)
                self.watchers.append(watcher)
                await loop.create_connection(lambda: watcher, sock=plug)

        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(connect_one(stalls=number < stalled))
        async with asyncio.timeout(LIMIT_SECONDS):
            await self.are_ready.wait()

    async def until(self, events: int) -> None:
        """Everybody who reads has so many; a lost connection is an error."""
        self.goal = events
        async with asyncio.timeout(LIMIT_SECONDS):
            while min(watcher.events for watcher in self.reading) < events:
                assert not self.lost, f"{self.lost} connections were lost"
                self.is_reached.clear()
                await self.is_reached.wait()

    def drop(self) -> None:
        for watcher in self.watchers:
            watcher.transport.abort()


def counted(crowd: Crowd) -> dict[str, object]:
    events = [watcher.events for watcher in crowd.reading]
    return {"events": sum(events), "least": min(events), "lost": crowd.lost, "at": time.monotonic()}


async def churn(said: Say, seconds: float) -> int:
    """So many a second come, hear the first byte, and go."""
    start, connections = time.monotonic(), round(float(said["rate"]) * seconds)

    async def come_and_go(number: int) -> None:
        await asyncio.sleep(max(0.0, start + number / said["rate"] - time.monotonic()))
        visitor = Crowd()
        await visitor.connect(said["port"], said["path"], 1, 0)
        visitor.drop()

    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(come_and_go(number))
    return connections


async def main() -> None:
    crowd = Crowd()

    async def answer(said: Say) -> dict[str, object]:
        nonlocal crowd
        match said:
            case {"connect": count}:
                crowd = Crowd()
                crowd.keeps_latencies = said.get("latencies", False)
                await crowd.connect(said["port"], said["path"], count, said.get("stalled", 0))
            case {"until": events}:
                await crowd.until(events)
            case {"churn": seconds}:
                return {"connections": await churn(said, seconds)}
            case {"take_latencies": _}:
                taken, crowd.latencies = crowd.latencies, []
                return {"median": percentile(taken, 0.5), "worst": max(taken), "of": len(taken)}
            case {"drop": _}:
                crowd.drop()
                return {}
            case {"count": _}:
                pass
            case _:
                raise ValueError(f"unknown request {said}")
        return counted(crowd)

    say({})
    await answer_requests(answer)


if __name__ == "__main__":
    uvloop.run(main())
