"""Readers behind the others: each has a task of its own until it is abreast or at its end."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from app.api.streams.backlog import Backlog
from app.api.streams.limits import StreamLimits
from app.api.streams.pieces import cut_piece
from app.api.streams.reader import Reader
from app.api.streams.terms import Terms
from app.api.streams.wires import LATER, OVER, Ending, Wire
from app.domain.errors import StorageFailed

log = logging.getLogger(__name__)

RETENTION = "the events before were removed after their time"

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Stragglers:
    """Brings readers up piece by piece, as fast as their connections take it."""

    def __init__(
        self, backlog: Backlog, wire: Wire, terms: Terms, limits: StreamLimits, spawn: Spawn
    ) -> None:
        """Nobody is behind."""
        self._backlog = backlog
        self._wire = wire
        self._terms = terms
        self._patience = limits.stall_seconds
        self._spawn = spawn
        self._readers: dict[Reader, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        """How many are behind."""
        return len(self._readers)

    def take(self, reader: Reader, rejoins: Callable[[Reader], bool]) -> None:
        """Bring it up until it rejoins the others."""
        self._readers[reader] = self._spawn(self._bring_up(reader, rejoins))

    def drop(self, reader: Reader) -> None:
        """The connection is gone."""
        if task := self._readers.pop(reader, None):
            task.cancel()

    def end(self, ending: Ending) -> None:
        """They get the piece they are at, and no more."""
        for reader in self._readers:
            reader.end(ending)

    def cut_off(self) -> None:
        """Break off the connections of those who have not even got that."""
        for reader in tuple(self._readers):
            reader.cut_off()
            self.drop(reader)

    async def _bring_up(self, reader: Reader, rejoins: Callable[[Reader], bool]) -> None:
        try:
            await reader.settle(self._patience)
            while not reader.is_gone and not rejoins(reader):
                await self._advance(reader)
        except OSError:
            reader.is_gone = True
        except Exception:
            log.exception("a stream broke off")
            reader.cut_off()
        finally:
            self._readers.pop(reader, None)

    async def _advance(self, reader: Reader) -> None:
        if reader.aside is not None:
            aside, reader.aside = reader.aside, None
            await reader.deliver(aside, self._patience)
            return
        if reader.ending is not None:
            await reader.deliver(self._wire.farewell(reader.ending), self._patience)
            reader.is_gone = True
            return
        try:
            await self._send_piece(reader)
        except StorageFailed:
            reader.end(LATER)
        await asyncio.sleep(0)

    async def _send_piece(self, reader: Reader) -> None:
        entries = await self._backlog.after(reader.position)
        if not entries:
            raise StorageFailed("The log has lost its end.")
        if entries[0].seq > reader.position + 1:
            await reader.deliver(self._wire.reset(RETENTION, entries[0].seq), self._patience)
        piece = cut_piece(entries, self._terms, self._backlog.final)
        del entries  # a reader that is waited for keeps no more than its piece
        for letter in self._wire.letters(piece) if piece.entries else ():
            await reader.deliver(letter.message, self._patience)
            reader.position = letter.seq
        reader.position = piece.reached
        if piece.is_end:
            reader.end(OVER)
