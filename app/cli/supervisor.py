"""Several server processes on one port: the first one's start decides, then each is kept running."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence

from app.cli.children import Program, greeting_of, keep_running, kept_running, stop
from app.cli.signals import run_until_signal
from app.domain.errors import StartupFailed


def supervise(listener: socket.socket, workers: int, companions: Sequence[Program]) -> int:
    """Serve until a signal; returns the exit code."""
    if sys.platform == "win32":
        raise StartupFailed("Windows cannot share a port between processes: set WORKERS to 1.")
    descriptor = listener.fileno()
    server = Program("a server", ("serve", "--listener", str(descriptor)), (descriptor,))
    return asyncio.run(run_until_signal(_serve(server, workers, companions)))


async def _serve(server: Program, workers: int, companions: Sequence[Program]) -> int:
    """One server alone first: it prepares the database, and what stops it is said once."""
    has_failed = asyncio.Event()
    first = await server.start(PIPE)
    try:
        greeting = await greeting_of(first)
        if not greeting:
            return 1
        sys.stdout.write(greeting)
        sys.stdout.flush()
        async with asyncio.TaskGroup() as group, kept_running(companions, has_failed.set):
            tasks = [group.create_task(keep_running(server, first))]
            tasks += [group.create_task(keep_running(server)) for _ in range(workers - 1)]
            await has_failed.wait()
            for task in tasks:
                task.cancel()
    finally:
        await stop(first)
    return 1
