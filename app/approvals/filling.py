"""Fills in the proof cards of what waits for a decision."""

import asyncio
import logging
from collections.abc import Sequence
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
        while found := await self._new():
            for start in range(0, len(found), MOST_AT_ONCE):
                await asyncio.gather(*map(self._fill, found[start : start + MOST_AT_ONCE]))

    async def _new(self) -> Sequence[Approval]:
        """Those that were not looked at in their round."""
        unproven = await self._store.unproven()
        ids = {each.approval_id for each in unproven}
        self._tried = {one: at for one, at in self._tried.items() if one in ids}
        return [each for each in unproven if self._tried.get(each.approval_id) != each.round]

    async def _fill(self, approval: Approval) -> None:
        self._tried[approval.approval_id] = approval.round
        try:
            await self._looking.look(approval)
        except (BadInput, ClusterFailed, Conflict) as error:
            facts = {"approval_id": approval.approval_id, "reason": str(error)}
            log.warning("the cluster could not be asked about a proposal", extra=facts)
        self._changes.announce()
