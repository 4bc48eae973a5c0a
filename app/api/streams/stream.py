"""One workflow that somebody follows: where each client begins, and who is told of what is new."""

import asyncio
from dataclasses import dataclass

from app.api.streams.cohort import Cohort
from app.api.streams.limits import StreamLimits
from app.api.streams.reader import Reader
from app.api.streams.stragglers import RETENTION, Spawn
from app.api.streams.tail import Tail
from app.api.streams.terms import Terms, Wish
from app.api.streams.wires import DRAINING, Ending, Wire
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog

FOREIGN = "the cursor points to an event that this log does not have"


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a client's events begin."""

    position: int
    """The event before the first that is sent; 0 for none."""
    reset: str | None
    """Why that does not continue what the client has; None when it does."""
    is_over: bool
    """Whether nothing can follow."""


class Stream:
    """Lives as long as somebody follows it."""

    def __init__(
        self, events: EventLog, workflow_id: WorkflowId, limits: StreamLimits, spawn: Spawn
    ) -> None:
        """Nobody follows it yet."""
        self.followers = 0
        self._tail = Tail(events, workflow_id, self._tell)
        self.backlog = self._tail.backlog
        self.hear = self._tail.hear
        self._limits = limits
        self._spawn = spawn
        self._cohorts: dict[tuple[Wire, Terms], Cohort] = {}
        self._ending: Ending | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    async def open(self) -> None:
        """Know the workflow; raises NotFound and StorageFailed."""
        await self._tail.reach(0)

    async def begin(self, wish: Wish) -> Beginning:
        """Where this client's events begin; raises NotFound and StorageFailed."""
        cursor, reset = wish.cursor, None
        await self._tail.reach(cursor.seq if cursor else 0)
        position = self.backlog.last if wish.starts_now else 0
        if cursor is not None:
            is_foreign = cursor.is_foreign or cursor.seq > self.backlog.last
            position, reset = (0, FOREIGN) if is_foreign else (cursor.seq, None)
        if position < self._tail.first - 1:
            position, reset = self._tail.first - 1, reset or RETENTION
        end = await self._tail.end_on(wish.terms)
        return Beginning(position, reset, is_over=0 < end <= position)

    def join(self, reader: Reader, wire: Wire, terms: Terms) -> Cohort:
        """Serve a reader; it leaves the cohort in the end."""
        cohort = self._cohorts.get((wire, terms))
        if cohort is None:
            cohort = Cohort(self.backlog, wire, terms, self._limits, self._spawn)
            self._cohorts[wire, terms] = cohort
        if self._ending is not None:
            reader.end(self._ending)
        cohort.join(reader)
        return cohort

    async def has_changed(self, seconds: float) -> bool:
        """Wait until something is new, but no longer than this, and not when the process stops."""
        if self._ending is not None:
            return False
        news = asyncio.get_running_loop().create_future()
        self._waiting.add(news)
        try:
            async with asyncio.timeout(seconds):
                await news
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(news)
        return self._ending is None

    async def tick(self) -> None:
        """What is due from time to time."""
        for key, cohort in tuple(self._cohorts.items()):
            if cohort.is_empty:
                self._cohorts.pop(key).unplan()
            elif await cohort.beat():
                # Not waited for: a storage that hangs must not hold up the others' heartbeats.
                self._spawn(self._tail.look())
        if not any(cohort.stragglers for cohort in self._cohorts.values()):
            self.backlog.forget_history()

    def drain(self) -> None:
        """End everybody's stream after what is known so far, for good."""
        self._ending = DRAINING
        for cohort in self._cohorts.values():
            cohort.flush()
            cohort.end(self._ending)
        self._wake()

    def cut_off(self) -> None:
        """Break off what has not ended by itself."""
        for cohort in self._cohorts.values():
            cohort.stragglers.cut_off()

    def close(self) -> None:
        """Nobody follows it any more."""
        for cohort in self._cohorts.values():
            cohort.unplan()

    def _tell(self, *, is_urgent: bool) -> None:
        for cohort in self._cohorts.values():
            cohort.tell(is_urgent=is_urgent)
        self._wake()

    def _wake(self) -> None:
        for news in self._waiting:
            if not news.done():
                news.set_result(None)
