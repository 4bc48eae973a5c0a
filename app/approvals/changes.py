"""Tells whoever waits in this process that something at the desk changed."""

import asyncio
from datetime import timedelta


class Changes:
    """A broadcast: take `next` before looking at the facts, then wait on it."""

    def __init__(self) -> None:
        """Start with nothing announced."""
        self._next = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """Set by the first announcement after now."""
        return self._next

    def announce(self, after: timedelta | None = None) -> None:
        """Wake everybody who waits, now or in a while."""
        if after is not None:
            asyncio.get_running_loop().call_later(after.total_seconds(), self.announce)
            return
        self._next.set()
        self._next = asyncio.Event()


async def wait_for(event: asyncio.Event, limit: timedelta | None) -> None:
    """Until the event is set or the time is up, whichever is first."""
    try:
        async with asyncio.timeout(None if limit is None else limit.total_seconds()):
            await event.wait()
    except TimeoutError:
        return
