"""Fills in the proof cards of what waits for a decision."""

import asyncio
import logging
from datetime import timedelta

from app.approvals.changes import Changes, wait_for
from app.approvals.looking import Looking
from app.approvals.ports import ApprovalStore
from app.domain.errors import BadInput, ClusterFailed, Conflict, StorageFailed
from app.domain.ids import ApprovalId
from app.domain.review import Approval

STORAGE_RETRY = timedelta(seconds=5)
MOST_AT_ONCE = 3

log = logging.getLogger(__name__)


class Filling:
    """Proposing does not wait for the cluster; a few proposals are looked at at the same time."""

    def __init__(self, store: ApprovalStore, looking: Looking, changes: Changes) -> None:
        """Share `changes` with whoever shows the cards."""
        self._store = store
        self._looking = looking
        self._changes = changes
        self._tried: dict[ApprovalId, int] = {}
        """The round in which each was looked at: once in each is enough."""

    async def run(self) -> None:
        """Fill until cancelled."""
        while True:
            changed = self._changes.next
            pause = None
            try:
                await self.fill_all()
            except StorageFailed:
                log.exception("the proofs of proposals cannot be stored")
                pause = STORAGE_RETRY
            await wait_for(changed, pause)

    async def fill_all(self) -> None:
        """Every card that is empty."""
        while found := [each for each in await self._store.unproven() if self._is_new(each)]:
            for start in range(0, len(found), MOST_AT_ONCE):
                await asyncio.gather(*map(self._fill, found[start : start + MOST_AT_ONCE]))

    def _is_new(self, approval: Approval) -> bool:
        return self._tried.get(approval.approval_id) != approval.round

    async def _fill(self, approval: Approval) -> None:
        self._tried[approval.approval_id] = approval.round
        try:
            await self._looking.look(approval)
        except (BadInput, ClusterFailed, Conflict) as error:
            facts = {"approval_id": approval.approval_id, "reason": str(error)}
            log.warning("the cluster could not be asked about a proposal", extra=facts)
        self._changes.announce()
