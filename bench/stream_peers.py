"""Two processes write to the same workflows in turns, both are read: how late do readers hear?

    python -m bench.stream_peers [--seconds 60] [--alone] [--seed N]

Both have one SQLite file. One appends to all workflows, until the other takes them away from it; now
and then it is quiet; at the end both add decisions at once. Half of the readers leave after some events and come back to
the other process. `--alone`: neither knows that there is another one.
"""

import argparse
import asyncio
import random
import re
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx
import orjson

from bench.figures import percentile, say
from tests.fakes.sse_reader import Parser, stream_path
from tests.fakes.streaming import answer_of
from tests.fakes.talk import Child, child

WORKFLOWS = 20
READERS_OF_EACH = 4
EVENTS_A_TURN = 4
BATCH_SECONDS = 8.0
"""Then the workflows end, and others begin."""
CHANGE_SHARE = 0.1
"""Of the turns after which it is the other's."""
SILENCE_SHARE, SILENCE_SECONDS = 0.1, 1.5
FOR_EVER = 1_000_000
STAMP = re.compile(r"t=(\d+) ")


@dataclass
class Follower:
    """One reader of one workflow, and how late it heard of what was written while it listened."""

    workflow_id: str
    ports: Sequence[int]
    chance: Random
    stays: bool
    seqs: list[int] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    last_id: str = ""

    async def follow(self) -> None:
        """To the outcome."""
        for port in cycle(self.ports):
            if await self._is_over(port, FOR_EVER if self.stays else self.chance.randint(1, 60)):
                return

    async def _is_over(self, port: int, most: int) -> bool:
        headers = {"last-event-id": self.last_id} if self.last_id else {}
        path = stream_path(self.workflow_id, "?until=outcome")
        async with answer_of(port, path, headers) as answer:
            if answer.status == httpx.codes.NO_CONTENT:
                return True
            begun = time.monotonic_ns()
            async for event in answer.events(Parser(self.last_id)):
                self.last_id = event.id
                self._note(event.data, begun)
                most -= 1
                if not most:
                    return False
        return True

    def _note(self, data: str, begun: int) -> None:
        self.seqs.append(orjson.loads(data)["seq"])
        written = STAMP.search(data)
        if written is not None and int(written[1]) > begun:
            self.delays.append((time.monotonic_ns() - int(written[1])) / 1e9)


async def one_batch(peers: Sequence[Child], chance: Random) -> Sequence[Follower]:
    """Some workflows from their first event to their last."""
    ports = [int(peer.ready["port"]) for peer in peers]
    ids = (await asyncio.to_thread(peers[0].ask, create=WORKFLOWS))["ids"]
    followers = [
        Follower(workflow_id, ports[number % 2 :] + ports[: number % 2], chance, number < 2)
        for workflow_id in ids
        for number in range(READERS_OF_EACH)
    ]
    async with asyncio.TaskGroup() as group:
        for follower in followers:
            group.create_task(follower.follow())
        await asyncio.to_thread(write, peers, ids, chance)
    return followers


def write(peers: Sequence[Child], ids: Sequence[str], chance: Random) -> None:
    """Everything that the workflows say; after a silence, a missed word would be missed for long."""
    end = time.monotonic() + BATCH_SECONDS
    writer, other = peers
    while time.monotonic() < end:
        writer.ask(ids=ids, run=EVENTS_A_TURN, taken_from=other.ready["me"])
        if chance.random() < CHANGE_SHARE:
            writer, other = other, writer
        if chance.random() < SILENCE_SHARE:
            time.sleep(SILENCE_SECONDS)
    writer.ask(ids=ids, run=0, taken_from=other.ready["me"])
    writer.ask(ids=ids, end=True)
    for peer in peers:
        peer.tell(ids=ids, decide=EVENTS_A_TURN)
    for peer in peers:
        peer.hear()
    other.ask(ids=ids, conclude=True)


def run(seconds: float, arguments: Sequence[str], seed: int) -> bool:
    """Whether everybody saw everything; prints how late."""
    chance, delays, faults, followed = Random(seed), list[float](), 0, 0
    begun = time.monotonic()
    with TemporaryDirectory() as folder, ExitStack() as running:
        file = str(Path(folder) / "workflows.sqlite")
        peers = [
            running.enter_context(child("bench.stream_peer", file, *arguments)) for _ in range(2)
        ]
        while time.monotonic() < begun + seconds:
            for follower in asyncio.run(one_batch(peers, chance)):
                faults += follower.seqs != list(range(1, len(follower.seqs) + 1))
                delays += follower.delays
                followed += 1
            say(f"{len(delays)} events heard live, the latest after {max(delays):.3f} s")
    print(
        f"seed {seed}: {followed} readers, {len(delays)} events heard live; half of them within "
        f"{percentile(delays, 0.5) * 1000:.0f} ms, 99.9 % within "
        f"{percentile(delays, 0.999) * 1000:.0f} ms, all within {max(delays) * 1000:.0f} ms; "
        f"{faults} readers with gaps"
    )
    return not faults


def main() -> None:
    """Exit code 1 when a reader missed something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    arguments = ["--alone"] if options.alone else []
    sys.exit(0 if run(options.seconds, arguments, options.seed) else 1)


if __name__ == "__main__":
    main()
