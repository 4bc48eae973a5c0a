"""What all of learning reads: the folded feedback, as fresh as the store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from app.domain.errors import NotFound
from app.domain.feedback import FeedbackEvent, FeedbackRecord
from app.domain.ids import FeedbackId
from app.domain.ports import FeedbackStore
from app.learning.fold import FeedbackFold

Watcher = Callable[[FeedbackRecord], None]


class FeedbackLedger:
    """Keeps the fold of a store that other processes write to as well."""

    def __init__(self, store: FeedbackStore, *, keeps_texts: bool = False) -> None:
        """The first use reads everything; `keeps_texts` as FeedbackFold has it."""
        self.store = store
        self.unreadable = 0
        """Lines that do not parse; they stay in the store."""
        self._fold = FeedbackFold(keeps_texts=keeps_texts)
        self._position = 0
        self._turn = asyncio.Lock()
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Tell about every record, now and whenever it changes."""
        self._watchers.append(watcher)
        for record in self._fold.records():
            watcher(record)

    async def current(self) -> FeedbackFold:
        """The fold with everything that is committed by now."""
        async with self._turn:
            await self._catch_up()
        return self._fold

    @asynccontextmanager
    async def writing(self) -> AsyncIterator["Writing"]:
        """Look and append without another task of this process in between."""
        async with self._turn:
            await self._catch_up()
            yield Writing(self._fold, self.store)

    async def _catch_up(self) -> None:
        is_end = False
        while not is_end:
            tail = await self.store.read(self._position)
            self._apply(tail.events)
            self._position, is_end = tail.position, tail.is_end
            self.unreadable += tail.unreadable

    def _apply(self, events: Sequence[FeedbackEvent]) -> None:
        changed = {feedback_id for event in events for feedback_id in self._fold.apply(event)}
        for feedback_id in changed:
            record = self._fold.record(feedback_id)
            if record is not None:
                for watcher in self._watchers:
                    watcher(record)


class Writing:
    """A turn at the ledger: what is known, and a pen."""

    def __init__(self, fold: FeedbackFold, store: FeedbackStore) -> None:
        """Valid inside `FeedbackLedger.writing` only."""
        self.fold = fold
        self._store = store

    def record(self, feedback_id: FeedbackId) -> FeedbackRecord:
        """A record that must be there; raises NotFound."""
        known = self.fold.record(feedback_id)
        if known is None:
            raise NotFound(f"Feedback ID '{feedback_id}' not found")
        return known

    async def append(self, event: FeedbackEvent) -> None:
        """Durable when it returns; the next turn reads it back like everybody else's."""
        await self._store.append((event,))
