"""nginx with nchan, and who publishes to it.

What counts for it is the processor time of nginx alone: the workers that keep and deliver the
events, and receive each by a POST, those of a burst all at once on one open connection; not this
publisher. The other servers make their events themselves, and that counts for them.
"""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from bench.stream_event import event_of
from tests.fakes.nginx import NCHAN, running_nginx
from tests.fakes.publisher import AGENTS, Plan
from tests.fakes.talk import Say, answer_requests, say

PLACES = """
        keepalive_requests 1000000;
        location = /publish {
            nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 1024;
        }
        location = /stream {
            nchan_subscriber eventsource; nchan_channel_id bench;
            nchan_subscriber_first_message newest;
        }
"""
HEAD = b"POST /publish HTTP/1.1\r\nhost: bench\r\ncontent-length: %d\r\n\r\n"
LENGTH = re.compile(rb"(?i)content-length: (\d+)")
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def post(connection: Connection, agent: str, texts: Sequence[str]) -> None:
    reader, writer = connection
    bodies = [orjson.dumps(event_of(agent, text)) for text in texts]
    writer.write(b"".join(HEAD % len(body) + body for body in bodies))
    for _ in bodies:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 20"), head
        await reader.readexactly(int(LENGTH.findall(head)[0]))


async def main(folder: Path) -> None:
    with running_nginx(folder, PLACES, NCHAN) as nginx:
        connections = {
            agent: await asyncio.open_connection("127.0.0.1", nginx.port) for agent in AGENTS
        }

        async def emit(agent: str, texts: Sequence[str]) -> None:
            await post(connections[agent], agent, texts)

        async def answer(said: Say) -> dict[str, object]:
            return {"published": await Plan(**said["publish"]).publish(emit)}

        say({"port": nginx.port, "path": "/stream", "pids": nginx.pids})
        await answer_requests(answer)


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        asyncio.run(main(Path(temporary)))
