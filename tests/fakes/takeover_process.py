"""A process that works on what is queued and takes over from the dead, and says so in a file.

Started with a database's URL and the file. A piece of work lasts until there is a file of the same
name that ends in `.go`; its end is written under the claim. SIGTERM is a clean stop.
"""

import asyncio
import math
import signal
import sys
from pathlib import Path

from app.adapters.queue.dbos import open_dbos_queue
from app.adapters.storage.database import open_database
from app.adapters.storage.events import SqlEventLog, read_epoch
from app.adapters.storage.processes import SqlProcessTable
from app.adapters.storage.workflows import SqlWorkflowStore
from app.bootstrap.ground import SystemClock
from app.domain.answer import AgentName
from app.domain.errors import Conflict
from app.domain.events import Event, EventStatus
from app.domain.ids import WorkflowId, new_process_id
from app.observability.metrics import Metrics
from app.workflow.takeover import Takeover
from tests.fakes.databases import location_of
from tests.fakes.waiting import until

LAST = Event(AgentName.ORCHESTRATOR, EventStatus.COMPLETED, "done", is_terminal=True)


async def live(url: str, told: Path) -> None:
    """Until a signal."""
    me, location = new_process_id(), location_of(url)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)

    def tell(*words: str) -> None:
        with told.open("a") as lines:
            lines.write(" ".join(words) + "\n")

    async with open_database(location) as database, open_dbos_queue(location.url, me, 1) as queue:
        events = SqlEventLog(database, SystemClock(), await read_epoch(database), Metrics())
        workflows = SqlWorkflowStore(database, SystemClock(), me, events)
        takeover = Takeover(SqlProcessTable(database, me), queue, workflows)

        async def work(workflow_id: WorkflowId) -> None:
            try:
                claim = await workflows.claim(workflow_id)
                tell("begin", workflow_id)
                await until(told.with_suffix(".go").exists, math.inf)
                await events.append(workflow_id, [LAST], claim)
                tell("end", workflow_id)
            except Conflict as error:
                tell(type(error).__name__, workflow_id)

        await takeover.register()
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(takeover.run())
            async with queue.consume(work):
                tell("me", me)
                await stopped.wait()
            looking.cancel()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], Path(sys.argv[2])))
