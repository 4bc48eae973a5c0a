"""Where one workflow's log begins and ends, kept up to date."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from app.api.streams.backlog import Backlog
from app.api.streams.entries import Entry, to_entry
from app.api.streams.history import History
from app.api.streams.terms import Terms
from app.domain.errors import NotFound, StorageFailed
from app.domain.events import EventType, Recorded
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog

URGENT = {EventType.STATUS, EventType.OUTCOME}
"""Written at once, with all that waits before them."""


class Tell(Protocol):
    """Says that there is more."""

    def __call__(self, *, is_urgent: bool) -> None:
        """Whether it may wait for what comes next."""
        ...


class Tail:
    """Listens first and asks then where the log ends, so that nothing falls between.

    What a listener missed is not read here: readers who need it find it in the log.
    """

    def __init__(self, events: EventLog, workflow_id: WorkflowId, tell: Tell) -> None:
        """Nothing is known yet."""
        self.backlog = Backlog(History(events, workflow_id))
        self.first = 0
        """The oldest event that is kept."""
        self._events = events
        self._workflow_id = workflow_id
        self._tell = tell
        self._is_known = False
        """Whether the end of the workflow would have been noticed."""
        self._terminal = 0

    def hear(self, events: Sequence[Recorded]) -> None:
        """The log's listener."""
        fresh = [event for event in events if event.seq > self.backlog.last]
        if not fresh:
            return
        if fresh[-1].seq != self.backlog.last + len(fresh):
            self._is_known = False
        entries = [to_entry(event, self._events.epoch) for event in fresh]
        self.backlog.add(entries)
        self._note(entries)
        is_urgent = any(entry.type in URGENT or entry.is_terminal for entry in entries)
        self._tell(is_urgent=is_urgent)

    async def reach(self, seq: int) -> None:
        """Know the log at least up to an event, if it has it; raises NotFound, StorageFailed."""
        if self._is_known and seq <= self.backlog.last:
            return
        bounds = await self._events.bounds(self._workflow_id)
        # Of what was heard meanwhile, something may have been missed.
        self._is_known = bounds.last >= self.backlog.last
        self.first = bounds.first
        self._terminal = self._terminal or bounds.terminal
        is_longer = bounds.last > self.backlog.last
        self.backlog.last = max(self.backlog.last, bounds.last)
        if bounds.outcome:
            self.backlog.final = self.backlog.last
        if is_longer:
            self._tell(is_urgent=True)

    async def look(self) -> None:
        """Ask the log itself, in case word of an event was lost on its way here."""
        self._is_known = False
        with suppress(NotFound, StorageFailed):
            await self.reach(self.backlog.last)

    async def end_on(self, terms: Terms) -> int:
        """After which event a stream on these terms ends; 0 while that is open."""
        if not terms.until_outcome or not self._terminal:
            return self._terminal
        if not self.backlog.final:
            self._note((await self.backlog.after(self._terminal - 1))[:1])
        return self.backlog.final

    def _note(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.is_terminal:
                self._terminal = entry.seq
            if entry.is_final or self.backlog.final:
                self.backlog.final = entry.seq
