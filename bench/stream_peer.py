"""One of several processes on one SQLite file: serves its streams and writes what it is told.

Requests: `create` (so many workflows), `run` (take these from another process and append to each),
`end` (these), `decide` (add to these, which are over), `conclude` (say the outcome).
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.adapters.storage.location import DatabaseLocation
from app.cli.loop import run_in_loop
from app.domain.errors import Conflict
from app.domain.events import Event, EventType, Latecomer
from app.domain.ids import ProcessId, WorkflowId
from tests.fakes.stored import StoringProcess, last_words, said, storing_process
from tests.fakes.streaming import open_doors
from tests.fakes.talk import Say, answer_requests, say

Work = Callable[[WorkflowId], Coroutine[Any, Any, None]]


def stamped(kind: EventType = EventType.STATUS) -> Event:
    """An event that says when it was written."""
    return said(f"t={time.monotonic_ns()} ", kind)


@dataclass(frozen=True, slots=True)
class Peer:
    """What it can be told to do."""

    process: StoringProcess

    async def answer(self, asked: Say) -> Say:
        """Do it."""
        ids = [WorkflowId(each) for each in asked.get("ids", ())]
        match asked:
            case {"create": count}:
                return {"ids": [await self.process.stored() for _ in range(count)]}
            case {"run": count, "taken_from": other}:
                await self.process.processes.bury(ProcessId(other))
                await self.process.processes.beat()
                await _with_each(ids, lambda each: self._run(each, [stamped] * count))
            case {"end": _}:
                await _with_each(ids, lambda each: self._run(each, [last_words]))
            case {"decide": count}:
                await _with_each(ids, lambda each: self._decide(each, count))
            case _:
                await _with_each(ids, lambda each: self._add(each, EventType.OUTCOME))
        return {}

    async def _run(self, workflow_id: WorkflowId, words: Sequence[Callable[[], Event]]) -> None:
        claim = await self.process.workflows.claim(workflow_id)
        for say_next in words:
            await self.process.events.append(workflow_id, [say_next()], claim)

    async def _decide(self, workflow_id: WorkflowId, count: int) -> None:
        for _ in range(count):
            await self._add(workflow_id, EventType.DECISION)

    async def _add(self, workflow_id: WorkflowId, kind: EventType) -> None:
        events = self.process.events
        while True:
            last = (await events.bounds(workflow_id)).last
            try:
                await events.append(workflow_id, [stamped(kind)], Latecomer(last))
            except Conflict:
                continue
            return


async def _with_each(ids: Sequence[WorkflowId], work: Work) -> None:
    async with asyncio.TaskGroup() as group:
        for workflow_id in ids:
            group.create_task(work(workflow_id))


async def serve(file: Path, *, is_alone: bool) -> int:
    """Until the parent has heard enough."""
    location = DatabaseLocation.of_file(file)
    async with (
        storing_process(location, has_peers=lambda: not is_alone) as process,
        open_doors(process.events) as doors,
    ):
        say({"port": doors.port, "me": process.me})
        await answer_requests(Peer(process).answer)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--alone", action="store_true")
    chosen = parser.parse_args()
    run_in_loop(serve(chosen.file, is_alone=chosen.alone))
