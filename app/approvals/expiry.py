"""Ends what nobody decides: an old proposal is about a cluster that has moved on."""

import logging
from datetime import timedelta

from app.approvals.changes import Changes, wait_for
from app.approvals.ports import ApprovalStore
from app.domain.errors import StorageFailed
from app.domain.ports import Clock

LOOK = timedelta(seconds=5)

log = logging.getLogger(__name__)


class Expiry:
    """Looks every few seconds, so that a page shows what the next decision would find anyway."""

    def __init__(self, store: ApprovalStore, clock: Clock, changes: Changes) -> None:
        """Share `changes` with whoever reports it."""
        self._store = store
        self._clock = clock
        self._changes = changes

    async def run(self) -> None:
        """Until cancelled."""
        is_failing = False
        while True:
            changed = self._changes.next
            try:
                await self.expire()
                is_failing = False
            except StorageFailed:
                if not is_failing:
                    log.exception("approvals cannot expire")
                is_failing = True
            await wait_for(changed, LOOK)

    async def expire(self) -> None:
        """End everything whose time is over."""
        while count := await self._store.expire(self._clock.now()):
            log.info("approvals expired", extra={"count": count})
            self._changes.announce()
