"""Signals that ask a program to stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

STOPPING = (signal.SIGINT, signal.SIGTERM)


async def run_until_signal(work: Awaitable[int]) -> int:
    """Its exit code; the first signal cancels it, and then the code is 0."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    is_asked = asyncio.Event()

    def stop() -> None:
        if not is_asked.is_set():
            is_asked.set()
            task.cancel()

    with _calling_on_signals(lambda: loop.call_soon_threadsafe(stop)):
        try:
            return await work
        except asyncio.CancelledError:
            if not is_asked.is_set():
                raise
            return 0


@contextmanager
def _calling_on_signals(call: Callable[[], object]) -> Iterator[None]:
    former = {number: signal.signal(number, lambda *_: call()) for number in STOPPING}
    try:
        yield
    finally:
        for number, receiver in former.items():
            signal.signal(number, receiver)
