"""Older events of one workflow, read from its log in pages that readers share."""

import asyncio
import logging
from collections.abc import Sequence

from app.api.streams.entries import Entry, to_entry
from app.domain.errors import StorageFailed
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog

log = logging.getLogger(__name__)

PAGE = 128
KEPT_BYTES = 1024 * 1024


class History:
    """Pages begin at multiples of their length, so that a crowd that comes back reads each once."""

    def __init__(self, events: EventLog, workflow_id: WorkflowId) -> None:
        """Nothing is read yet."""
        self._events = events
        self._workflow_id = workflow_id
        self._pages: dict[int, Sequence[Entry]] = {}
        self._reading = asyncio.Lock()
        self._failure: StorageFailed | None = None

    async def after(self, seq: int) -> Sequence[Entry]:
        """The next entries, empty when there are none; raises StorageFailed."""
        begin = seq - seq % PAGE
        if found := self._kept(begin, seq):
            return found
        last_failure = self._failure
        async with self._reading:
            if self._failure is not last_failure:
                raise StorageFailed(str(self._failure)) from self._failure
            if not self._kept(begin, seq):
                await self._read(begin)
            return self._kept(begin, seq)

    def forget(self) -> None:
        """Give the memory back."""
        self._pages.clear()

    def _kept(self, begin: int, seq: int) -> Sequence[Entry]:
        return [entry for entry in self._pages.get(begin, ()) if entry.seq > seq]

    async def _read(self, begin: int) -> None:
        try:
            events = await self._events.read(self._workflow_id, begin, PAGE)
        except StorageFailed as error:
            log.warning("older events cannot be read", extra={"reason": str(error)})
            self._failure = error
            raise
        self._pages.pop(begin, None)
        self._pages[begin] = [to_entry(event, self._events.epoch) for event in events]
        while len(self._pages) > 1 and self._size() > KEPT_BYTES:
            del self._pages[next(iter(self._pages))]

    def _size(self) -> int:
        return sum(len(entry.block) for page in self._pages.values() for entry in page)
