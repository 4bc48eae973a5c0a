"""Where one workflow's log ends, kept up to date."""

import logging
from collections.abc import Callable, Sequence

from app.api.streams.backlog import Backlog
from app.api.streams.entries import Entry, to_entry
from app.api.streams.history import History
from app.api.streams.stragglers import Spawn
from app.api.streams.terms import Terms
from app.domain.errors import StorageFailed
from app.domain.events import Recorded
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog

log = logging.getLogger(__name__)


class Tail:
    """Listens first and asks then where the log ends, so that nothing falls between."""

    def __init__(
        self,
        events: EventLog,
        workflow_id: WorkflowId,
        spawn: Spawn,
        tell: Callable[[Sequence[Entry]], None],
        fail: Callable[[], None],
    ) -> None:
        """Nothing is known yet; `fail` is called when there is something new that cannot be read."""
        self._events = events
        self._workflow_id = workflow_id
        self._spawn = spawn
        self._tell = tell
        self._fail = fail
        self._history = History(events, workflow_id)
        self.backlog = Backlog(self._history)
        self.first = 0
        """The oldest event that was kept when the stream began."""
        self._terminal = 0
        self._final = 0
        self._heard = 0
        self._is_open = False
        self._is_filling = False

    def hear(self, events: Sequence[Recorded]) -> None:
        """The log's listener: takes what comes next, and reads the log when something is missing."""
        fresh = [event for event in events if event.seq > self.backlog.last]
        if not fresh:
            return
        self._heard = max(self._heard, fresh[-1].seq)
        if not self._is_open:
            return
        if fresh[-1].seq == self.backlog.last + len(fresh):
            self._take([to_entry(event, self._events.epoch) for event in fresh])
        elif not self._is_filling:
            self._is_filling = True
            self._spawn(self._fill_unasked())

    async def reach(self, seq: int) -> None:
        """Know the log at least up to an event, if it has it; raises NotFound, StorageFailed."""
        if self._is_open and seq <= self.backlog.last:
            return
        bounds = await self._events.bounds(self._workflow_id)
        if not self._is_open:
            self._is_open = True
            self.first = bounds.first
            self.backlog.last = bounds.last
            self._terminal = bounds.terminal
            # What is left after retention is all that there will be.
            self._final = bounds.outcome or (bounds.terminal if bounds.first > 1 else 0)
        self._heard = max(self._heard, bounds.last)
        await self._fill()

    async def end_on(self, terms: Terms) -> int:
        """After which event a stream on these terms ends; 0 while that is open."""
        if not terms.until_outcome or not self._terminal:
            return self._terminal
        if not self._final:
            entries = await self.backlog.after(self._terminal - 1)
            self._note(entries[:1])
        return self._final

    async def _fill_unasked(self) -> None:
        try:
            await self._fill()
        except StorageFailed:
            self._fail()
        finally:
            self._is_filling = False

    async def _fill(self) -> None:
        while self.backlog.last < self._heard:
            entries = await self._history.after(self.backlog.last)
            if not entries:
                raise StorageFailed("The log has lost its end.")
            self._take([entry for entry in entries if entry.seq > self.backlog.last])

    def _take(self, entries: Sequence[Entry]) -> None:
        if entries:
            self.backlog.add(entries)
            self._note(entries)
            self._tell(entries)

    def _note(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.is_terminal:
                self._terminal = entry.seq
            if entry.is_final:
                self._final = entry.seq
