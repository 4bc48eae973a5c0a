"""What a connection may cost before its request is whole: time, and bytes that are no body."""

import asyncio
from collections.abc import Callable

from app.api.bodies import MIB

PATIENCE_SECONDS = 20.0
"""For a request's head, and for a body through which nothing comes."""
SLOWEST_BYTES_PER_SECOND = 1024
MOST_FRAMING_BYTES = MIB // 8
"""Of a head, or between two pieces of a body; what arrives at once may be twice as much."""


class Patience:
    """A stock of seconds for the client: a head uses it up, a body's bytes fill it again."""

    __slots__ = ("_ends_at", "_give_up", "_is_paused", "_loop", "_timer")

    def __init__(self, is_paused: Callable[[], bool], give_up: Callable[[], None]) -> None:
        """Waits for nothing yet; while reading is paused, the client is not to blame."""
        self._is_paused = is_paused
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._ends_at = 0.0

    def begin(self) -> None:
        """Wait with a full stock, unless a wait goes on already."""
        if self._timer is None:
            self.refill()
            self._timer = self._loop.call_later(PATIENCE_SECONDS, self._look)

    def refill(self) -> None:
        """A full stock."""
        self._ends_at = self._loop.time() + PATIENCE_SECONDS

    def earn(self, size: int) -> None:
        """As much as so many bytes of a body are worth."""
        earned = self._ends_at + size / SLOWEST_BYTES_PER_SECOND
        self._ends_at = min(earned, self._loop.time() + PATIENCE_SECONDS)

    def end(self) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self._is_paused():
            self.refill()
        left = self._ends_at - self._loop.time()
        if left <= 0:
            self._timer = None
            self._give_up()
            return
        self._timer = self._loop.call_later(left, self._look)
