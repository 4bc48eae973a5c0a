"""The product's stream door in a process of its own, over a log that is written on request.

`python -m tests.fakes.stream_server [FOLDER] [--port N] [--heartbeat SECONDS]`; without a folder the
log is in memory. Started again on a folder, it goes on with the workflow that it finds there.
Requests: `publish` (a plan), `append` (texts), `end` (the workflow).
"""

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from app.adapters.storage.database import Database, open_database
from app.adapters.storage.events import SqlEventLog, read_epoch
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.memory import MemoryEventLog
from app.adapters.storage.workflows import SqlWorkflowStore
from app.api.streams.doors import StreamingApplication
from app.api.streams.fanout import open_fanout
from app.api.streams.limits import DEFAULT_LIMITS, StreamLimits
from app.bootstrap.ground import SystemClock
from app.cli.loop import run_in_loop
from app.cli.server import SignalledServer
from app.domain.answer import AgentName
from app.domain.events import Event, EventStatus, EventType
from app.domain.ids import ProcessId, WorkflowId
from app.domain.ports import EventLog
from app.domain.workflow import Claim, WorkflowInput, WorkflowRecord, WorkflowState
from app.observability.metrics import Metrics
from tests.fakes.publisher import Plan
from tests.fakes.sse_reader import stream_path
from tests.fakes.talk import Say, answer_requests, say

BACKLOG = 2048
FIRST = Event(AgentName.ORCHESTRATOR, EventStatus.WORKING, "begun")
LAST = Event(
    AgentName.ORCHESTRATOR,
    EventStatus.COMPLETED,
    "over",
    is_terminal=True,
    outcome={"state": WorkflowState.COMPLETED, "proposals": []},
)


@dataclass(frozen=True, slots=True)
class Writer:
    """One workflow's events, as whoever runs it writes them."""

    log: EventLog
    workflow_id: WorkflowId
    claim: Claim

    async def emit(self, agent: str, texts: Sequence[str]) -> None:
        """All at once, of a kind that may be coalesced."""
        await self._append(
            *(Event(AgentName(agent), EventStatus.INFO, t, EventType.TOKEN) for t in texts)
        )

    async def answer(self, said: Say) -> dict[str, object]:
        """Do what is asked."""
        published = 0
        for name, value in said.items():
            match name:
                case "publish":
                    published = await Plan(**value).publish(self.emit)
                case "append":
                    agent = AgentName.MONITORING
                    await self._append(*(Event(agent, EventStatus.INFO, text) for text in value))
                case _:
                    await self._append(LAST)
        return {"published": published}

    async def _append(self, *events: Event) -> None:
        await self.log.append(self.workflow_id, events, self.claim)


@asynccontextmanager
async def opened_log(folder: Path | None) -> AsyncIterator[Writer]:
    clock = SystemClock()
    if folder is None:
        claim = Claim(ProcessId("memory"), 1)
        writer = Writer(MemoryEventLog(clock), WorkflowId(str(uuid4())), claim)
        await writer.log.append(writer.workflow_id, [FIRST], claim)
        yield writer
        return
    location = DatabaseLocation.of_file(folder / "workflows.sqlite")
    async with open_database(location) as database:
        log = SqlEventLog(database, clock, await read_epoch(database), Metrics())
        yield await owned(log, database)


async def owned(log: SqlEventLog, database: Database) -> Writer:
    """The workflow of a killed process, or a new one."""
    clock, me = SystemClock(), ProcessId(str(uuid4()))
    store = SqlWorkflowStore(database, clock, me, log)
    records, _ = await store.page(None, 1)
    if not records:
        record = WorkflowRecord(
            WorkflowId(str(uuid4())), WorkflowState.QUEUED, clock.now(), None, "title", ""
        )
        await store.create(record, WorkflowInput("", ()), FIRST, 1)
        records = [record]
    workflow_id = records[0].workflow_id
    return Writer(log, workflow_id, await store.claim(workflow_id))


async def serve(arguments: argparse.Namespace) -> int:
    limits = StreamLimits(heartbeat_seconds=arguments.heartbeat)
    listener = socket.create_server(("127.0.0.1", arguments.port), backlog=BACKLOG)
    async with (
        opened_log(arguments.folder) as writer,
        open_fanout(writer.log, limits, Metrics()) as fanout,
    ):
        app = StreamingApplication()
        app.state.fanout = fanout
        server = SignalledServer(app, fanout.drain, grace_seconds=2)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve_until_signal(listener))
            port = listener.getsockname()[1]
            say({"port": port, "path": stream_path(writer.workflow_id)})
            await answer_requests(writer.answer)
            server.stop()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--heartbeat", type=float, default=DEFAULT_LIMITS.heartbeat_seconds)
    chosen = parser.parse_args()
    if chosen.folder is not None:
        chosen.folder.mkdir(parents=True, exist_ok=True)
    run_in_loop(serve(chosen))
