"""The usual way: a queue and an encoding per client, sse-starlette, FastAPI, uvicorn."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence

import uvicorn
from fastapi import FastAPI
from sse_starlette import EventSourceResponse

from bench.stream_event import event_of
from tests.fakes.publisher import Plan
from tests.fakes.talk import Say, answer_requests, say

app = FastAPI()
queues: set[asyncio.Queue[dict[str, object]]] = set()


@app.get("/stream")
async def stream() -> EventSourceResponse:
    queue: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    queues.add(queue)

    async def events() -> AsyncIterator[dict[str, str]]:
        try:
            while True:
                event = await queue.get()
                yield {"id": str(event["id"]), "data": json.dumps(event)}
        finally:
            queues.discard(queue)

    return EventSourceResponse(events(), sep="\n")


async def emit(agent: str, texts: Sequence[str]) -> None:
    for text in texts:
        event = event_of(agent, text)
        for queue in queues:
            queue.put_nowait(event)


async def answer(said: Say) -> dict[str, object]:
    return {"published": await Plan(**said["publish"]).publish(emit)}


async def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, access_log=False)
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        say({"port": listener.getsockname()[1], "path": "/stream"})
        await answer_requests(answer)
        server.should_exit = True


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvicorn.Config(app).get_loop_factory()) as runner:
        runner.run(main())
