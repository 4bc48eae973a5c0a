"""The embedded approval server as a child process: started, restarted when it dies, stopped with us."""

import asyncio
import logging
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain, repeat

log = logging.getLogger(__name__)

RESTART_SECONDS = (1.0, 2.0, 5.0, 15.0)
STOP_SECONDS = 5.0


@asynccontextmanager
async def embedded_approval_server(command: Sequence[str]) -> AsyncIterator[None]:
    """Keep the command running; it sees its standard input close when this process is gone."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_keep_running(command))
        try:
            yield
        finally:
            task.cancel()


async def _keep_running(command: Sequence[str]) -> None:
    for pause in chain(RESTART_SECONDS, repeat(RESTART_SECONDS[-1])):
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, start_new_session=True)
        try:
            code = await process.wait()
        finally:
            await _stop(process)
        log.error("the approval server ended; it is started again", extra={"exit_code": code})
        await asyncio.sleep(pause)


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
