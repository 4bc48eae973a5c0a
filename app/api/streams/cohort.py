"""Readers of one stream who get the same bytes: those who keep up, in one go."""

import asyncio
from collections.abc import Sequence

from starlette.types import Message

from app.api.streams.backlog import Backlog
from app.api.streams.entries import Entry
from app.api.streams.limits import StreamLimits
from app.api.streams.pieces import PIECE_BYTES, cut_piece
from app.api.streams.reader import Reader
from app.api.streams.stragglers import Spawn, Stragglers
from app.api.streams.terms import Terms
from app.api.streams.wires import OVER, Ending, Letter, Wire

HEARTBEATS_AT_ONCE = 200


class Cohort:
    """All who keep up stand at one position, so that a flush is one encoding and a write each."""

    def __init__(
        self, backlog: Backlog, wire: Wire, terms: Terms, limits: StreamLimits, spawn: Spawn
    ) -> None:
        """Begin at the end of the backlog."""
        self._backlog = backlog
        self._wire = wire
        self._terms = terms
        self._heartbeat_seconds = limits.heartbeat_seconds
        self._loop = asyncio.get_running_loop()
        self._position = backlog.last
        self._abreast: dict[Reader, None] = {}  # in order, which is kind to the processor's cache
        self.stragglers = Stragglers(backlog, wire, terms, limits, spawn)
        self._planned: asyncio.Handle | None = None
        self._is_soon = False
        self._flushed_at = self._written_at = self._loop.time() - terms.flush_pause(0)

    @property
    def is_empty(self) -> bool:
        """Whether nobody reads."""
        return not self._abreast and not self.stragglers

    def join(self, reader: Reader) -> None:
        """Serve a reader from its position on."""
        if not self._rejoins(reader):
            self._fall_behind(reader)

    def leave(self, reader: Reader) -> None:
        """The connection is gone."""
        reader.is_gone = True
        self._abreast.pop(reader, None)
        self.stragglers.drop(reader)

    def answer(self, reader: Reader, message: Message) -> None:
        """Send one reader something that is no event."""
        if reader not in self._abreast:
            reader.aside = message
        elif not reader.write([Letter(reader.position, message)]):
            self._fall_behind(reader)

    def tell(self, *, is_urgent: bool) -> None:
        """There are new entries: flush now, or when the last flush is long enough ago."""
        due = self._flushed_at + self._terms.flush_pause(len(self._abreast))
        is_soon = is_urgent or due <= self._loop.time()
        if self._planned is not None and (self._is_soon or not is_soon):
            return
        self.unplan()
        self._is_soon = is_soon
        # Not at this very moment: what else is appended in this turn of the loop comes along.
        self._planned = (
            self._loop.call_soon(self.flush) if is_soon else self._loop.call_at(due, self.flush)
        )

    def unplan(self) -> None:
        """Forget a flush that is to come."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    def flush(self) -> None:
        """Bring everybody who keeps up to the end of the backlog."""
        self.unplan()
        self._flushed_at = self._loop.time()
        while self._abreast and self._position < self._backlog.last:
            entries = self._backlog.newest_after(self._position)
            if entries:
                self._write(entries)
            else:
                self._all_fall_behind(self._position)
        self._position = self._backlog.last

    async def beat(self) -> bool:
        """Break a silence that has lasted long enough; whether it had."""
        heartbeat = self._wire.heartbeat
        silence = self._loop.time() - self._written_at
        if silence < self._heartbeat_seconds:
            return False
        self._written_at = self._loop.time()
        if heartbeat is None:
            return True
        for number, reader in enumerate(tuple(self._abreast), 1):
            if reader in self._abreast and not reader.write([Letter(reader.position, heartbeat)]):
                self._fall_behind(reader)
            if number % HEARTBEATS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return True

    def end(self, ending: Ending) -> None:
        """Nothing more is to come."""
        self.stragglers.end(ending)
        self._end_abreast(ending)

    def dismiss(self, reader: Reader, ending: Ending) -> None:
        """Nothing more is to come for this one."""
        reader.end(ending)
        if reader in self._abreast:
            self._fall_behind(reader)

    def _end_abreast(self, ending: Ending) -> None:
        for reader in tuple(self._abreast):
            self.dismiss(reader, ending)

    def _write(self, entries: Sequence[Entry]) -> None:
        piece = cut_piece(entries, self._terms, self._backlog.final)
        if piece.size > PIECE_BYTES:
            self._all_fall_behind(self._position)
            return
        self._position = piece.reached
        if piece.entries:
            self._written_at = self._flushed_at
            letters = self._wire.letters(piece)
            slow = [reader for reader in self._abreast if not reader.write(letters)]
            for reader in slow:
                self._fall_behind(reader)
        if piece.is_end:
            self._end_abreast(OVER)

    def _all_fall_behind(self, position: int) -> None:
        for reader in tuple(self._abreast):
            reader.position = position
            self._fall_behind(reader)

    def _fall_behind(self, reader: Reader) -> None:
        self._abreast.pop(reader, None)
        self.stragglers.take(reader, self._rejoins)

    def _rejoins(self, reader: Reader) -> bool:
        """Whether it stands where everybody does; it is one of them then."""
        if reader.position > self._position:
            self.flush()
        if reader.position != self._position or reader.ending or reader.aside:
            return False
        self._abreast[reader] = None
        return True
