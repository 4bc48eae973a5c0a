"""The connection below an ASGI request, where the server lends it."""

import asyncio
from types import TracebackType
from typing import Any

from app.api.streams.pieces import PIECE_BYTES

LENT = "incident_agents.transport"
"""The key in `scope["state"]`."""
LOOKS = 4


def transport_of(scope: Any) -> asyncio.Transport | None:
    """None on servers that keep it to themselves; they have to cut slow readers off, too."""
    transport: asyncio.Transport | None = scope.get("state", {}).get(LENT)
    return transport


def limit_buffer(transport: asyncio.Transport) -> None:
    """Let it say that it is full as soon as it holds a piece."""
    transport.set_write_buffer_limits(high=PIECE_BYTES)


class StallWatch:
    """Cuts a connection off when nothing goes through it for so long; a slow one may stay."""

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        """Look a few times in so many seconds."""
        self._transport = transport
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> None:
        """Begin to look."""
        self._left = self._transport.get_write_buffer_size()
        self._moved_at = self._loop.time()
        self._timer = self._loop.call_later(self._seconds / LOOKS, self._look)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        left = self._transport.get_write_buffer_size()
        if left < self._left:
            self._left, self._moved_at = left, self._loop.time()
        elif self._loop.time() - self._moved_at >= self._seconds:
            # A plain close would wait for the reader.
            self._transport.abort()
            return
        self._timer = self._loop.call_later(self._seconds / LOOKS, self._look)
