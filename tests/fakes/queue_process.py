"""A process that works on what is queued and says so in a file, line by line.

Started with a database's URL, the file, and the bound on concurrency; its first line is its name.
A piece of work lasts until there is a file of the same name that ends in `.go`.
"""

import asyncio
import math
import sys
from pathlib import Path

from app.adapters.queue.dbos import open_dbos_queue
from app.domain.ids import WorkflowId, new_process_id
from tests.fakes.waiting import until


async def consume(url: str, told: Path, concurrency: int) -> None:
    """Until killed."""
    me = new_process_id()

    def tell(*words: str) -> None:
        with told.open("a") as lines:
            lines.write(" ".join(words) + "\n")

    async def work(workflow_id: WorkflowId) -> None:
        tell("begin", workflow_id)
        await until(told.with_suffix(".go").exists, math.inf)
        tell("end", workflow_id)

    async with open_dbos_queue(url, me, concurrency) as queue, queue.consume(work):
        tell("me", me)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
