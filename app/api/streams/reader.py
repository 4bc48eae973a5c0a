"""One open connection: a position, and a way to write that never waits unless asked to."""

import asyncio
import logging
from collections.abc import Generator, Sequence
from typing import Any

from starlette.types import Message, Send

from app.api.streams.pieces import PIECE_BYTES
from app.api.streams.transport import StallWatch
from app.api.streams.wires import NOTHING, Ending, Letter

log = logging.getLogger(__name__)


class Reader:
    """Costs a position and what its transport holds; no queue, and no task while it keeps up."""

    __slots__ = ("_rest", "_send", "_transport", "aside", "ending", "is_gone", "position")

    def __init__(self, position: int, send: Send, transport: asyncio.Transport | None) -> None:
        """Stand after this event."""
        self.position = position
        self.ending: Ending | None = None
        """Set once nothing more is to come; the farewell is still to be sent then."""
        self.is_gone = False
        self.aside: Message | None = None
        """An answer to the client itself, sent as soon as there is a place between two events."""
        self._send = send
        self._transport = transport
        self._rest: _Rest | None = None

    def write(self, letters: Sequence[Letter]) -> bool:
        """Send without waiting; False when the connection did not take everything."""
        for letter in letters:
            self.position = letter.seq
            if not self._post(letter):
                return False
        return True

    async def deliver(self, message: Message, stall_seconds: float) -> None:
        """Send, and wait as long as something moves; OSError when the connection is gone."""
        if not self._begin(message):
            await self.settle(stall_seconds)

    async def settle(self, stall_seconds: float) -> None:
        """Wait until the connection has taken what was begun."""
        rest, self._rest = self._rest, None
        if rest is None:
            return
        if self._transport is None:
            await rest
            return
        with StallWatch(self._transport, stall_seconds):
            await rest

    def end(self, ending: Ending) -> None:
        """Only a farewell is to come; the first reason counts."""
        self.ending = self.ending or ending

    def cut_off(self) -> None:
        """End the connection now, whatever it still holds."""
        self.is_gone = True
        if self._transport is not None:
            self._transport.abort()

    def _post(self, letter: Letter) -> bool:
        """Past the server's framing where that is done already: it is half of what a write costs."""
        transport = self._transport
        if letter.chunk is None or transport is None or transport.is_closing():
            return self._begin(letter.message)
        transport.write(letter.chunk)
        return transport.get_write_buffer_size() <= PIECE_BYTES or self._begin(NOTHING)

    def _begin(self, message: Message) -> bool:
        """Run the server's `send` here, as far as it goes; nearly always that is to its end."""
        steps = self._send(message).__await__()
        try:
            awaited = next(steps)
        except StopIteration:
            return True
        except OSError:
            self.is_gone = True
            return False
        except Exception:
            # Whatever it is, it is this connection's alone: the others are still to be written to.
            log.exception("a stream broke off")
            self.cut_off()
            return False
        self._rest = _Rest(awaited, steps)
        return False


class _Rest:
    """What remains of a coroutine that was begun outside of a task, for a task to go on with."""

    __slots__ = ("_awaited", "_steps")

    def __init__(self, awaited: Any, steps: Generator[Any, Any, None]) -> None:
        self._awaited = awaited
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, None]:
        yield self._awaited
        yield from self._steps
