"""Waiting for a fact that nothing signals: another process, or a thread, brings it about."""

import asyncio
import threading
import time
from collections.abc import Callable

LIMIT_SECONDS = 60.0
LOOK_SECONDS = 0.02


async def until(fact: Callable[[], object], limit: float = LIMIT_SECONDS) -> None:
    """Return as soon as it is so; it must be within the limit."""
    async with asyncio.timeout(limit):
        while True:
            if fact():
                return
            await asyncio.sleep(LOOK_SECONDS)


def wait_until(fact: Callable[[], object], limit: float = LIMIT_SECONDS) -> None:
    """The same where there is no event loop."""
    deadline, pause = time.monotonic() + limit, threading.Event()
    while not fact():
        assert time.monotonic() < deadline, "it did not come to be in time"
        pause.wait(LOOK_SECONDS)
