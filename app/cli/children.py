"""Our own program in child processes: started, restarted when they die, stopped with us."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

log = logging.getLogger(__name__)

RESTART_SECONDS = (1.0, 2.0, 5.0, 15.0)
STABLE_SECONDS = 60.0
"""Who ran for so long and dies is started again as if it had never died."""
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Program:
    """A command of ours that stops when its standard input closes."""

    name: str
    arguments: tuple[str, ...]
    sockets: tuple[int, ...] = ()
    """Descriptors that it inherits under the same numbers."""

    async def start(self, stdout: int = DEVNULL) -> Process:
        """Start it; raises OSError."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "app",
            *self.arguments,
            stdin=PIPE,
            stdout=stdout,
            pass_fds=self.sockets,
            start_new_session=True,
        )


APPROVAL_SERVER = Program("the approval server", ("approval-server", "--until-stdin-closes"))


@asynccontextmanager
async def kept_running(
    programs: Sequence[Program], give_up: Callable[[], object]
) -> AsyncIterator[None]:
    """All of them, until left; `give_up` is called when one cannot start at all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_keep_started(program, give_up)) for program in programs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def greeting_of(process: Process) -> str:
    """What it prints once it has started; nothing when it ended instead, and has said why."""
    assert process.stdout is not None
    return (await process.stdout.read()).decode()


async def _keep_started(program: Program, give_up: Callable[[], object]) -> None:
    """The first start decides: what stands in its way would be in the way of every other one.

    Who was killed meanwhile has said nothing about that.
    """
    first = await program.start(PIPE)
    try:
        if await greeting_of(first) or await first.wait() < 0:
            await keep_running(program, first)
    finally:
        await stop(first)
    give_up()


async def keep_running(program: Program, process: Process | None = None) -> None:
    """For ever; from a run that there is already, or from a new one."""
    deaths, loop = 0, asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await _watch(program, process or await program.start())
        except OSError:
            log.exception("a program cannot be started", extra={"program": program.name})
        process = None
        deaths = deaths + 1 if loop.time() - began < STABLE_SECONDS else 1
        await asyncio.sleep(RESTART_SECONDS[min(deaths, len(RESTART_SECONDS)) - 1])


async def _watch(program: Program, process: Process) -> None:
    try:
        code = await process.wait()
    finally:
        await stop(process)
    facts = {"program": program.name, "child": process.pid, "exit_code": code}
    log.error("a program ended; it is started again", extra=facts)


async def stop(process: Process) -> None:
    """Ask it, and end it when it does not listen; doing it twice is doing it once."""
    if process.returncode is not None:
        return
    # Not `process.terminate()`: that may reap a process that has just ended by itself, and then
    # whoever waits for it never learns its exit code.
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
