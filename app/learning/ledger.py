"""What all of learning reads: the feedback, folded, as fresh as the store.

Kept in memory are columns and positions; a plan's record is made of its events in the store
whenever somebody wants to see it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from itertools import chain

from app.domain.course import Report
from app.domain.errors import FeedbackRewritten, NotFound
from app.domain.feedback import FeedbackEvent, FeedbackRecord, PlanEvent
from app.domain.housekeeping import Compacted, Forgotten, LessonSwitched
from app.domain.ids import ApprovalId, FeedbackId
from app.domain.ports import FeedbackStore
from app.domain.snapshots import FeedbackSnapshots
from app.learning.fold import Draft, later, parts_of, tie_of
from app.learning.keeping import SAVE_AFTER, Keeping, Watcher
from app.learning.knowledge import Knowledge

CLOCK_DRIFT = timedelta(hours=1)
BATCH = 100


class FeedbackLedger:
    """Keeps the fold of a store that other processes write to as well."""

    def __init__(
        self,
        store: FeedbackStore,
        snapshots: FeedbackSnapshots | None = None,
        save_after: int = SAVE_AFTER,
    ) -> None:
        """The first use reads everything, or what follows the last snapshot.

        A new one is made whenever so many events have come.
        """
        self.store = store
        self._keeping = Keeping(snapshots, save_after)
        self._watchers: list[Watcher] = []
        self._lock = asyncio.Lock()
        self.known = Knowledge()
        self._touched: set[int] = set()
        """Plans whose record is not made yet of all that was read."""
        self.revision = 0
        """Another one whenever any entry may be another one."""
        self._is_outdated = True

    def watch(self, watcher: Watcher) -> None:
        """Tell about every record, from the next turn on and whenever it changes."""
        self._watchers.append(watcher)
        self._is_outdated = True

    async def catch_up(self) -> None:
        """Read everything that is committed by now."""
        async with self._turn():
            pass

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Reading"]:
        """Look at everything that is committed by now; nothing changes meanwhile."""
        async with self._turn():
            yield Reading(self)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator["Writing"]:
        """Look and append without another task of this process in between."""
        async with self._turn():
            yield Writing(self)

    async def drafts(self, plans: Iterable[int]) -> Mapping[int, Draft]:
        """Drafts of plans without their long texts, those at hand from memory."""
        wanted, at_hand = set(plans), self.known.catalogue.drafts
        known = {plan: at_hand[plan] for plan in wanted & at_hand.keys()}
        return known | await self.load(wanted - known.keys(), keeps_texts=False)

    async def load(self, plans: Iterable[int], *, keeps_texts: bool) -> dict[int, Draft]:
        """Drafts of plans with all of their events, from the store."""
        own = {plan: self.known.catalogue.plans.of(plan) for plan in plans}
        likely = (self.known.catalogue.likely_reports(plan) for plan in own)
        events = await self.fetch({*chain(*own.values(), *likely)})
        drafts: dict[int, Draft] = {}
        reports: dict[int, set[int]] = {}
        for plan, positions in own.items():
            parts = [part for at in positions for part in parts_of(events[at])]
            named = self._name_of(plan, parts)
            drafts[plan] = Draft(named, keeps_texts=keeps_texts)
            drafts[plan].apply(*parts)
            ties = {tie for part in parts if (tie := tie_of(part, named))}
            reports[plan] = {at for tie in ties for at in self.known.catalogue.reports(tie)}
        events |= await self.fetch(set().union(*reports.values()) - events.keys())
        for plan, found in reports.items():
            drafts[plan].apply(*(part for at in sorted(found) for part in parts_of(events[at])))
        return drafts

    async def fetch(self, positions: Iterable[int]) -> dict[int, PlanEvent]:
        """Events by position; raises FeedbackRewritten when the store was changed behind our back."""
        wanted = sorted(positions)
        found = dict(zip(wanted, await self.store.fetch(wanted), strict=True)) if wanted else {}
        events = {
            position: event for position, event in found.items() if isinstance(event, PlanEvent)
        }
        if len(events) < len(found):
            raise self._changed()
        return events

    def _name_of(self, plan: int, parts: Sequence[PlanEvent]) -> FeedbackId:
        named = next((part.feedback_id for part in parts if part.feedback_id), None)
        if named is None or self.known.catalogue.plans.keys.find(named) != plan:
            raise self._changed()
        return named

    def _changed(self) -> FeedbackRewritten:
        self._is_outdated = True
        # The last snapshot may well be of what was there before.
        self._keeping.distrust()
        return FeedbackRewritten("The feedback was changed while it was read; try again.")

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Who is cancelled while it reads leaves at once; the reading goes on, for the next one.

        Cut short, it would leave half of an event, or a snapshot written of what others change.
        """
        taking = asyncio.ensure_future(self._take_turn())  # noqa: TID251
        try:
            await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(self._give_back)
            raise
        try:
            yield
        finally:
            self._lock.release()

    async def _take_turn(self) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._lock)
            await self._catch_up()
            # It is the turn's from here on.
            stack.pop_all()

    def _give_back(self, taken: "asyncio.Task[None]") -> None:
        if not taken.cancelled() and taken.exception() is None:
            self._lock.release()

    async def _catch_up(self) -> None:
        if self._is_outdated:
            self._begin_anew()
            self.known = await self._keeping.load(self._watchers) or self.known
        is_end = False
        while not is_end:
            tail = await self.store.read(self.known.position)
            if tail.start != self.known.position:
                self._begin_anew()
            known, is_end = self.known, tail.is_end
            for event, position in zip(tail.events, tail.positions, strict=True):
                known.latest = max(known.latest, event.ts)
                self._take(event, position)
            known.position = tail.position
            known.unreadable += len(tail.unreadable)
            known.newer += len(tail.newer)
            self._tell(known.catalogue.let_go())
            self._keeping.read(len(tail.events))
            if self._keeping.is_due(is_end=is_end):
                await self._settle()
                await self._keeping.save(known, self._watchers)
        await self._settle()

    async def _settle(self) -> None:
        """Make every record of what was read."""
        for plans in _batches(sorted(self._touched)):
            self._tell(await self.drafts(plans))

    def _take(self, event: FeedbackEvent, position: int) -> None:
        match event:
            case LessonSwitched():
                known = self.known.switches.get(event.lesson_id)
                self.known.switches[event.lesson_id] = later(known, event)
            case Compacted() | Forgotten():
                pass
            case _:
                self._touched |= self.known.catalogue.file(event, position)

    def _begin_anew(self) -> None:
        self.known = Knowledge()
        self.revision += 1
        self._keeping.begin_anew()
        self._is_outdated = False
        self._touched = set()
        for watcher in self._watchers:
            watcher.clear()

    def _tell(self, drafts: Mapping[int, Draft]) -> None:
        """Make the records of those that were touched."""
        for plan, draft in drafts.items():
            if plan not in self._touched:
                continue
            record = draft.record()
            self.revision += 1
            self.known.entries.reach(plan)
            if record is not None:
                self.known.entries.put(plan, record)
                for watcher in self._watchers:
                    watcher.update(plan, record)
            self._touched.remove(plan)


class Reading:
    """A turn at the ledger; valid inside `FeedbackLedger.reading` only."""

    def __init__(self, ledger: FeedbackLedger) -> None:
        """The ledger is up to date and stays as it is."""
        self._ledger = ledger
        known = ledger.known
        self.entries, self.switches = known.entries, known.switches
        self.unreadable, self.newer = known.unreadable, known.newer
        self.revision = ledger.revision

    def plan_of_hash(self, hashed: int) -> int | None:
        """The number of the plan whose feedback id has this hash."""
        return self._ledger.known.catalogue.plans.keys.find_hash(hashed)

    async def records(self, plans: Sequence[int]) -> list[FeedbackRecord]:
        """Whole records, texts included, in this order; those whose proposal is known."""
        drafts = await self._ledger.load(plans, keeps_texts=True)
        records = (drafts[plan].record() for plan in plans)
        return [record for record in records if record is not None]

    async def under(self, approval_id: ApprovalId) -> list[FeedbackRecord]:
        """Whole records of the plans that stand under an approval id."""
        return await self.records(sorted(self._ledger.known.catalogue.owners_of(approval_id)))

    async def every(self) -> AsyncIterator[FeedbackRecord]:
        """Every whole record, in the order in which they were first heard of."""
        for plans in _batches(range(len(self.entries))):
            for record in await self.records(plans):
                yield record


class Writing(Reading):
    """A turn at the ledger, and a pen."""

    async def find(self, feedback_id: FeedbackId) -> FeedbackRecord | None:
        """A plan's record without its long texts; None while its proposal is not known."""
        plan = self._ledger.known.catalogue.plans.keys.find(feedback_id)
        if plan is None:
            return None
        return (await self._ledger.drafts([plan]))[plan].record()

    async def record(self, feedback_id: FeedbackId) -> FeedbackRecord:
        """A record that must be there; raises NotFound."""
        known = await self.find(feedback_id)
        if known is None:
            raise NotFound(f"Feedback ID '{feedback_id}' not found")
        return known

    async def feedback_of(self, approval_id: ApprovalId) -> FeedbackId | None:
        """Whose plan stands under an approval id."""
        owners = self._ledger.known.catalogue.owners_of(approval_id)
        drafts = await self._ledger.drafts(owners)
        return min((draft.feedback_id for draft in drafts.values()), default=None)

    async def reports(self, approval_id: ApprovalId) -> list[Report]:
        """Everything that was heard of an approval, be it what counts or not."""
        events = await self._ledger.fetch(self._ledger.known.catalogue.reports(approval_id))
        parts = (part for event in events.values() for part in parts_of(event))
        return [part for part in parts if isinstance(part, Report)]

    def stamp(self, now: datetime) -> datetime:
        """Now, or just after the latest event where another clock is a little ahead."""
        if now <= self._ledger.known.latest < now + CLOCK_DRIFT:
            return self._ledger.known.latest + timedelta(microseconds=1)
        return now

    async def append(self, *events: FeedbackEvent) -> None:
        """Durable when it returns; the next turn reads them back like everybody else's."""
        await self._ledger.store.append(events)


def _batches(plans: Sequence[int]) -> Iterator[Sequence[int]]:
    """Some at a time: each brings its events along."""
    return (plans[start : start + BATCH] for start in range(0, len(plans), BATCH))
