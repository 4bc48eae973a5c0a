"""Several server processes on one port: the first one's start decides, then each is kept running."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE

from app.cli.children import Program, keep_running, stop
from app.cli.signals import run_until_signal
from app.domain.errors import StartupFailed


def supervise(listener: socket.socket, workers: int, companions: tuple[Program, ...]) -> int:
    """Serve until a signal; returns the exit code."""
    if sys.platform == "win32":
        raise StartupFailed("Windows cannot share a port between processes: set WORKERS to 1.")
    descriptor = listener.fileno()
    server = Program("a server", ("serve", "--listener", str(descriptor)), (descriptor,))
    others = (server,) * (workers - 1) + companions
    return asyncio.run(run_until_signal(_serve(server, others)))


async def _serve(server: Program, others: tuple[Program, ...]) -> int:
    """One server alone first: it prepares the database, and what stops it is said once."""
    first = await server.start(PIPE)
    try:
        assert first.stdout is not None
        greeting = await first.stdout.read()
        if not greeting:
            return 1
        sys.stdout.write(greeting.decode())
        sys.stdout.flush()
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_running(server, first))
            for program in others:
                group.create_task(keep_running(program))
    finally:
        await stop(first)
    return 0
